//! Single values: texts, answers, names.

use super::cursor::At;
use super::problem::Problems;
use super::tree::Value;

/// Longest path, suffix or name of a destination.
const MAX_TEXT_BYTES: usize = 1024;

/// A text; what YAML takes for a number or an answer needs quotes.
fn text<'a>(at: &At<'a>, expected: &str, problems: &mut Problems) -> Option<&'a str> {
    match at.node.as_text() {
        Some(text) => Some(text),
        None if at.node.is_collection() => problems.unexpected(at, expected),
        None => problems.unexpected(at, format!("{expected} (in quotes, to make it a text)")),
    }
}

/// A text of printable characters, not overlong; it may be empty.
pub(super) fn short_text(at: &At<'_>, expected: &str, problems: &mut Problems) -> Option<String> {
    let text = text(at, expected, problems)?;
    if text.len() <= MAX_TEXT_BYTES && !text.contains(char::is_control) {
        return Some(text.to_owned());
    }
    let limits = format!("printable characters, at most {MAX_TEXT_BYTES} bytes");
    problems.unexpected(at, format!("{expected}: {limits}"))
}

/// The same, not blank.
pub(super) fn filled_text(at: &At<'_>, expected: &str, problems: &mut Problems) -> Option<String> {
    let text = short_text(at, expected, problems)?;
    if text.trim().is_empty() {
        problems.unexpected(at, expected)
    } else {
        Some(text)
    }
}

/// `true` or `false`.
pub(super) fn boolean(at: &At<'_>, problems: &mut Problems) -> Option<bool> {
    match at.node.value {
        Value::Boolean(answer) => Some(answer),
        _ => problems.unexpected(at, "true or false"),
    }
}

/// A text that names a file or a folder, as `check` allows.
pub(super) fn name(
    at: &At<'_>,
    check: impl Fn(&str) -> Result<(), String>,
    problems: &mut Problems,
) -> Option<String> {
    let name = text(at, "a name", problems)?;
    match check(name) {
        Ok(()) => Some(name.to_owned()),
        Err(message) => {
            problems.add(at, format!("found {}: {message}", at.node));
            None
        }
    }
}
