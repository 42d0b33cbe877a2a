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

/// How many characters the names of one drawing begin and end with alike, up to what separates
/// words. Where a name does not fit, these are cut, and never what tells names apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CommonEnds {
    beginning: usize,
    end: usize,
}

impl CommonEnds {
    pub(crate) fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut names = names.map(|name| name.chars().collect::<Vec<char>>());
        let Some(first) = names.next() else {
            return Self {
                beginning: 0,
                end: 0,
            };
        };
        let (mut beginning, mut end) = (first.len(), first.len());
        let mut is_alone = true;
        for name in names.filter(|name| *name != first) {
            let alike = |(one, other): &(&char, &char)| one == other;
            let (forward, backward) = (first.iter().zip(&name), first.iter().rev());
            is_alone = false;
            beginning = beginning.min(forward.take_while(alike).count());
            end = end.min(backward.zip(name.iter().rev()).take_while(alike).count());
        }
        let separates = |character: &char| !character.is_alphanumeric() && *character != '_';
        let words = |count: usize, place: Option<usize>| match (is_alone, place) {
            (true, _) | (_, None) => 0,
            (false, Some(place)) => count - place,
        };
        Self {
            beginning: words(
                beginning,
                first.iter().take(beginning).rev().position(separates),
            ),
            end: words(end, first.iter().rev().take(end).rev().position(separates)),
        }
    }

    /// A name with an ellipsis in the place of what has no room.
    pub(crate) fn fitting(self, name: &str, size: f64, width: f64) -> String {
        if width_of(name, size) <= width {
            return name.to_owned();
        }
        let all: Vec<char> = name.chars().collect();
        let cuts = (1..=self.beginning).map(|cut| (cut, 0));
        let cuts = cuts.chain((0..=self.end).map(|cut| (self.beginning, cut)));
        for (before, behind) in cuts {
            let Some(kept) = all.get(before..all.len().saturating_sub(behind)) else {
                break;
            };
            let mark = |cut| if cut > 0 { "…" } else { "" };
            let kept: String = kept.iter().collect();
            let words = format!("{}{kept}{}", mark(before), mark(behind));
            if width_of(&words, size) <= width {
                return words;
            }
        }
        let own = all.get(self.beginning..all.len().saturating_sub(self.end));
        let own: String = own.unwrap_or(&all).iter().collect();
        fitting_name(&own, size, width)
    }
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
    use super::{CommonEnds, fitting, fitting_name, width_of};

    #[test]
    fn what_fits_is_left_alone() {
        assert_eq!(fitting("0 · v_proj", 11.0, 100.0), "0 · v_proj");
    }

    #[test]
    fn what_tells_names_apart_is_never_cut() {
        let name = |expert| format!("model.layers.mlp.experts.{expert}.down_proj.weight");
        let names = [3, 4, 14].map(name);
        let ends = CommonEnds::of(names.iter().map(String::as_str));
        for width in [60.0, 100.0, 160.0, 240.0] {
            let cut = names.each_ref().map(|name| ends.fitting(name, 11.0, width));
            for (cut, expert) in cut.iter().zip(["3", "4", "14"]) {
                assert!(width_of(cut, 11.0) <= width, "{cut}");
                let has_own = cut.split(['.', '…']).any(|part| part == expert);
                assert!(has_own, "{cut} of {expert}");
            }
        }
        let ends = CommonEnds::of(["layer 1", "layer 12"].into_iter());
        assert_eq!(ends.fitting("layer 1", 11.0, 20.0), "…1");
        // A name that is alone has nothing in common.
        let alone = CommonEnds::of(["a · b", "a · b"].into_iter());
        assert_eq!((alone.beginning, alone.end), (0, 0));
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
