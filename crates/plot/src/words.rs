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

/// The beginning and the end of a name, with an ellipsis between them where it does not fit: names
/// that begin alike end otherwise.
pub(crate) fn fitting_name(name: &str, size: f64, width: f64) -> String {
    if width_of(name, size) <= width {
        return name.to_owned();
    }
    let (mut beginning, mut end) = (String::new(), String::new());
    let mut rest = name.chars();
    let mut room = width - size;
    loop {
        let is_for_end = end.len() < beginning.len();
        let next = if is_for_end {
            rest.next_back()
        } else {
            rest.next()
        };
        let Some(character) = next else {
            break;
        };
        room -= width_of(character.encode_utf8(&mut [0; 4]), size);
        if room < 0.0 {
            break;
        }
        if is_for_end {
            end.insert(0, character);
        } else {
            beginning.push(character);
        }
    }
    format!("{beginning}…{end}")
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
    use super::{fitting, fitting_name, width_of};

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
    #[test]
    fn a_name_that_does_not_fit_keeps_both_ends() {
        let name = "0 · ov_circuit · pythia-410m-deduped-seed1";
        assert_eq!(fitting_name(name, 11.0, 400.0), name);
        for width in [60.0, 100.0, 200.0] {
            let cut = fitting_name(name, 11.0, width);
            assert!(cut.starts_with("0 ·") && cut.ends_with("d1"), "{cut}");
            assert!(width_of(&cut, 11.0) <= width, "{cut}");
        }
    }
}
