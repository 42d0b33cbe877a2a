//! Standard output and standard error whose reader may leave: `worker inspect RUN | head` ends
//! quietly, and an analysis goes on when nobody listens any more.

use std::io::{self, ErrorKind, IsTerminal, Write};

use anyhow::{Context, Result};

/// Prints an answer; that its reader has heard enough is no failure.
pub(crate) fn print(text: &str) -> Result<()> {
    print_bytes(text.as_bytes())
}

/// The same of what need not be text.
pub(crate) fn print_bytes(bytes: &[u8]) -> Result<()> {
    let mut output = io::stdout().lock();
    match output.write_all(bytes).and_then(|()| output.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to the standard output"),
    }
}

/// Whether a person looks at what is printed.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Says lines to the person, if there is one. They may name files, and files may have any name.
pub(crate) fn say(lines: &str) {
    let mut output = io::stderr().lock();
    for line in lines.split('\n') {
        let _ = writeln!(output, "{}", printable(line));
    }
}

/// Text from a file as a terminal may show it: control characters, which could move the cursor or
/// hide what follows, are written as escapes.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_bidirectional(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Characters that turn the direction of what follows.
const fn is_bidirectional(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn what_could_move_a_cursor_is_escaped() {
        assert_eq!(
            printable("layers.0\u{1b}[2J\n\u{202e}é"),
            r"layers.0\u{1b}[2J\u{a}\u{202e}é"
        );
    }
}
