//! How much room words take, and words that fit.

/// How wide a line of text is at most, in pixels.
///
/// A drawing does not know the fonts it will be shown with. These are the widths of DejaVu Sans,
/// the widest of those it asks for.
pub(crate) fn width_of(words: &str, size: f64) -> f64 {
    let ems = |character| match character {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | ' ' | '·' => 0.32,
        'f' | 't' | 'r' | '-' | '(' | ')' | '[' | ']' | '/' => 0.40,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '…' => 1.0,
        'A'..='Z' => 0.72,
        ascii if character_is_narrow(ascii) => 0.64,
        _ => 1.0,
    };
    words.chars().map(ems).sum::<f64>() * size
}

/// The beginning of some words, with an ellipsis where they do not fit.
pub(crate) fn fitting(words: &str, size: f64, width: f64) -> String {
    if width_of(words, size) <= width {
        return words.to_owned();
    }
    let mut kept = String::new();
    for character in words.chars() {
        kept.push(character);
        if width_of(&kept, size) + size > width {
            kept.pop();
            break;
        }
    }
    kept.push('…');
    kept
}

/// A space for what XML has no place for: control characters and two that are none.
pub(crate) fn visible(character: char) -> char {
    if character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}') {
        ' '
    } else {
        character
    }
}

/// Latin, Greek and Cyrillic letters, digits and signs.
fn character_is_narrow(character: char) -> bool {
    character < '\u{530}'
}

#[cfg(test)]
mod tests {
    use super::{fitting, width_of};

    #[test]
    fn what_fits_is_left_alone() {
        assert_eq!(fitting("0 · v_proj", 11.0, 100.0), "0 · v_proj");
    }

    #[test]
    fn what_does_not_fit_is_cut_to_fit() {
        let cut = fitting("0 · model.layers.0.attention.v_proj", 11.0, 100.0);
        assert!(cut.starts_with("0 · model") && cut.ends_with('…'), "{cut}");
        assert!(width_of(&cut, 11.0) <= 100.0);
    }
}
