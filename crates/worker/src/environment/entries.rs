//! The entries of a `.env`, as shells and Python's `dotenv` write them.
//!
//! `NAME=value`, with or without `export`. Quotation marks hold spaces, `#` and line ends; in double
//! ones `\n` and its like are characters. `$NAME` and `${NAME}` stand for a value before, and a `$`
//! that names none is itself. Of several values of one name the last counts.

use std::collections::BTreeMap;

/// A value in quotation marks has at most so many lines.
const MOST_LINES: usize = 64;

/// The entries that can be understood, and the lines that cannot where a name that is known stands
/// in them, counted from 1.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Entries {
    pub(super) values: BTreeMap<String, String>,
    pub(super) broken: Vec<usize>,
}

impl Entries {
    /// Reads a text. A quotation mark that is open before a line that sets one of the `known`
    /// variables was never closed, and its line is broken. `variable` says what is set already.
    pub(super) fn read(
        text: &str,
        known: &[&str],
        variable: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
        let lines: Vec<&str> = text.split(['\n', '\r']).collect();
        let mut entries = Self::default();
        let mut at = 0;
        while let Some(rest) = lines.get(at..).filter(|rest| !rest.is_empty()) {
            let values = &entries.values;
            let value_of = |name: &str| variable(name).or_else(|| values.get(name).cloned());
            let starts_anew =
                |line: &str| name_and_value(line).is_some_and(|(name, _)| known.contains(&name));
            let first = rest.first().map_or("", |line| line.trim());
            if first.is_empty() || first.starts_with('#') {
                at += 1;
            } else if let Some((name, value, count)) = entry(rest, &value_of, &starts_anew) {
                entries.values.insert(name, value);
                at += count;
            } else {
                at += 1;
                let line = first.to_ascii_uppercase();
                if known.iter().any(|name| line.contains(name)) {
                    entries.broken.push(at);
                }
            }
        }
        entries
    }
}

/// Name, value and number of lines of the entry that begins with the first line.
fn entry(
    lines: &[&str],
    value_of: &dyn Fn(&str) -> Option<String>,
    starts_anew: &dyn Fn(&str) -> bool,
) -> Option<(String, String, usize)> {
    let (name, rest) = name_and_value(lines.first()?)?;
    let mut value = Value {
        value_of,
        text: String::new(),
        quote: None,
    };
    value.add(rest)?;
    let mut count = 1;
    while value.quote.is_some() {
        let line = lines.get(count).filter(|_| count < MOST_LINES)?;
        if starts_anew(line) {
            return None;
        }
        value.text.push('\n');
        value.add(line)?;
        count += 1;
    }
    // No variable has such a value.
    let is_possible = !value.text.contains(['\0', char::REPLACEMENT_CHARACTER]);
    is_possible.then(|| (name.to_owned(), value.text, count))
}

/// What a line sets, and the rest of it.
fn name_and_value(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    let name = name.strip_prefix("export ").map_or(name, str::trim_start);
    (name_at(name) == name && !name.is_empty()).then(|| (name, value.trim_start()))
}

/// The name of a variable that a text begins with.
fn name_at(text: &str) -> &str {
    let is_part = |(place, c): (usize, char)| {
        c == '_' || c.is_ascii_alphabetic() || place > 0 && (c == '.' || c.is_ascii_digit())
    };
    let end = text.char_indices().find(|found| !is_part(*found));
    end.map_or(text, |(end, _)| &text[..end])
}

/// A value while it is read.
struct Value<'a> {
    value_of: &'a dyn Fn(&str) -> Option<String>,
    text: String,
    /// The quotation mark that is open.
    quote: Option<char>,
}

impl Value<'_> {
    /// Reads a line; none where words follow that no quotation marks hold.
    fn add(&mut self, mut rest: &str) -> Option<()> {
        while let Some(c) = rest.chars().next() {
            let behind = &rest[c.len_utf8()..];
            rest = match (self.quote, c) {
                (Some(quote), c) if c == quote => {
                    self.quote = None;
                    behind
                }
                (None, '\'' | '"') => {
                    self.quote = Some(c);
                    behind
                }
                (None, c) if c.is_whitespace() => {
                    let behind = behind.trim_start();
                    return (behind.is_empty() || behind.starts_with('#')).then_some(());
                }
                (None | Some('"'), '\\') => self.add_escaped(behind),
                (None | Some('"'), '$') => self.add_named(behind),
                _ => {
                    self.text.push(c);
                    behind
                }
            };
        }
        Some(())
    }

    /// The character that a backslash and what is behind it mean; what follows.
    fn add_escaped<'t>(&mut self, behind: &'t str) -> &'t str {
        let next = behind.chars().next();
        let meant = match (self.quote, next) {
            (Some(_), Some('n')) => Some('\n'),
            (Some(_), Some('r')) => Some('\r'),
            (Some(_), Some('t')) => Some('\t'),
            (None, Some(' ')) => Some(' '),
            (_, Some(c @ ('\\' | '"' | '\'' | '$'))) => Some(c),
            _ => None,
        };
        match (meant, next) {
            (Some(meant), Some(next)) => {
                self.text.push(meant);
                &behind[next.len_utf8()..]
            }
            _ => {
                self.text.push('\\');
                behind
            }
        }
    }

    /// The value of the name behind a `$`, or the `$`; what follows.
    fn add_named<'t>(&mut self, behind: &'t str) -> &'t str {
        let within = behind.strip_prefix('{');
        let name = name_at(within.unwrap_or(behind));
        let after = &within.unwrap_or(behind)[name.len()..];
        let after = match within {
            Some(_) => after.strip_prefix('}'),
            None => Some(after),
        };
        let value = (self.value_of)(name).filter(|_| !name.is_empty());
        if let (Some(after), Some(value)) = (after, value) {
            self.text.push_str(&value);
            return after;
        }
        self.text.push('$');
        behind
    }
}

#[cfg(test)]
mod tests {
    use super::Entries;

    fn read(text: &str) -> Entries {
        let variable = |name: &str| (name == "HOME").then(|| "/home".to_owned());
        Entries::read(text, &["HF_TOKEN", "WANDB_NOTES"], variable)
    }

    fn values(text: &str) -> Vec<(String, String)> {
        read(text).values.into_iter().collect()
    }

    #[track_caller]
    fn is(text: &str, expected: &str) {
        let expected = vec![("HF_TOKEN".to_owned(), expected.to_owned())];
        assert_eq!(values(text), expected, "{text:?}");
    }

    #[test]
    fn a_line_that_nobody_understands_costs_itself_only() {
        let found = read("A=1\nDOCKER_OPTS=-v a:b -p 80\nHF_TOKEN='two\nlines'\nX y\nB=$A\n");
        let read: Vec<_> = found.values.iter().map(|(a, b)| (&**a, &**b)).collect();
        assert_eq!(read, [("A", "1"), ("B", "1"), ("HF_TOKEN", "two\nlines")]);
        assert!(found.broken.is_empty());
    }

    #[test]
    fn a_stray_apostrophe_swallows_no_line_of_ours() {
        let found = read("GREETING=it's\n export HF_TOKEN=a\nB='two\nlines'\nWANDB_NOTES=it's\n");
        let read: Vec<_> = found.values.iter().map(|(a, b)| (&**a, &**b)).collect();
        assert_eq!(read, [("B", "two\nlines"), ("HF_TOKEN", "a")]);
        assert_eq!(found.broken, [5]);
    }

    #[test]
    fn values_are_what_shells_take_them_for() {
        is("HF_TOKEN = a # comment", "a");
        is("export  HF_TOKEN=a#b", "a#b");
        is("HF_TOKEN=", "");
        is("HF_TOKEN='a # b'", "a # b");
        is("HF_TOKEN=\"a \\t b\\n\"", "a \t b\n");
        is("HF_TOKEN='a \\t'", "a \\t");
        is("HF_TOKEN=C:\\cache\\\\x", "C:\\cache\\x");
        is("HF_TOKEN=a\\ b\"c d\"'e'", "a bc de");
        is("HF_TOKEN=\"it's\"", "it's");
        is(
            "HF_TOKEN=\"costs $5, $ and $nothing\"",
            "costs $5, $ and $nothing",
        );
        is("HF_TOKEN=${HOME}/x$HOME\\$HOME", "/home/x/home$HOME");
        is("HF_TOKEN='$HOME'", "$HOME");
        is("HF_TOKEN=a\nHF_TOKEN=b", "b");
        is("#HF_TOKEN=x\r\rHF_TOKEN=a\r# end\r", "a");
        is("\u{feff}HF_TOKEN=a\r\n", "a");
    }

    #[test]
    fn what_is_no_entry_is_broken() {
        for text in [
            "HF_TOKEN=a b",
            "HF_TOKEN: a",
            "HF_TOKEN",
            "HF_TOKEN='a",
            "HF_TOKEN=a\0",
            "HF_TOKEN=\u{fffd}",
            "export wandb_notes: x",
        ] {
            let found = read(text);
            assert!(found.values.is_empty() && found.broken == [1], "{text:?}");
        }
    }

    #[test]
    fn many_lines_of_somebody_else_take_no_time() {
        // Each opens quotation marks, and the next ones close them or not.
        for line in [
            "A_B=hello world\n",
            "A='\n",
            "A=\"x\" '\n",
            "it's = 'x\n",
            "A=\"'\n",
        ] {
            let text = line.repeat(20_000);
            let began = std::time::Instant::now();
            read(&text);
            assert!(began.elapsed().as_secs() < 30, "{line:?}");
        }
    }
}
