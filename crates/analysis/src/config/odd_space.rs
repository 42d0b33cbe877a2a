//! Characters that look like spaces and are none to YAML: word processors and chats put them into
//! what is copied from them.

use super::{ConfigProblem, Location};

/// Each with its name.
const ODD_SPACES: &[(char, &str)] = &[
    ('\u{a0}', "a no-break space"),
    ('\u{2002}', "an en space"),
    ('\u{2003}', "an em space"),
    ('\u{2009}', "a thin space"),
    ('\u{200b}', "a zero-width space"),
    ('\u{202f}', "a narrow no-break space"),
    ('\u{3000}', "an ideographic space"),
    ('\u{feff}', "a zero-width no-break space"),
];

/// The first such character that stands where YAML's own spaces tell keys and values apart: before
/// a line's first word, or behind a `:`, `-` or `,`.
pub(super) fn find(text: &str) -> Option<ConfigProblem> {
    // The mark at the beginning is none of it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    (1..).zip(text.lines()).find_map(|(line, content)| {
        let (column, name, odd) = in_line(content)?;
        let code = u32::from(odd);
        let message = format!(
            "character {column} of the line is {name} (U+{code:04X}); type a space in its place"
        );
        let location = Location {
            line,
            path: String::new(),
        };
        Some(ConfigProblem {
            location,
            message,
            step: None,
        })
    })
}

/// Which character of a line it is, counted from 1.
fn in_line(line: &str) -> Option<(usize, &'static str, char)> {
    let mut before = None;
    let mut is_indent = true;
    for (column, character) in (1..).zip(line.chars()) {
        let odd = ODD_SPACES.iter().find(|(odd, _)| *odd == character);
        let is_behind_mark = matches!(before, Some(':' | '-' | ','));
        match odd {
            Some((_, name)) if is_indent || is_behind_mark => {
                return Some((column, name, character));
            }
            // What follows is a comment.
            None if character == '#' && matches!(before, None | Some(' ')) => return None,
            _ => {}
        }
        is_indent &= character == ' ';
        if character != ' ' || before.is_none() {
            before = Some(character);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn it_is_found_where_it_matters() {
        for (text, line, character) in [
            ("metrics:\n  - a: 1\n\u{a0} - b: 2", 3, 1),
            ("steps:\u{a0}all", 1, 7),
            ("a: 1\nsteps: \u{202f}all", 2, 8),
            ("layers: [0,\u{a0}1]", 1, 12),
            ("  -\u{3000}metric_name: gini", 1, 4),
        ] {
            let problem = find(text).unwrap();
            assert_eq!(problem.location.line, line, "{text}");
            let expected = format!("character {character} of the line is ");
            assert!(
                problem.message.starts_with(&expected),
                "{}",
                problem.message
            );
        }
        for text in [
            "a: \"b\u{a0}c\"",
            "a: b\u{a0}c",
            "# \u{a0}",
            "a: 1 #\u{a0}b",
            "",
        ] {
            assert!(find(text).is_none(), "{text}");
        }
    }
}
