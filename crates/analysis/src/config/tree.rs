//! The text of a config as a tree in which every key and every value knows its line.

use ckptscope_checkpoint::yaml::{self, YamlError};
pub(super) use ckptscope_checkpoint::yaml::{Node, Position, Value, quoted};

use super::{ConfigProblem, Location};

/// Longest config that is read. Configs are written by hand; the longest list their steps.
const MAX_TEXT_BYTES: usize = 1 << 20;

/// Reads one YAML document.
///
/// # Errors
/// The syntax error, or the limit that the text exceeds.
pub(super) fn read(text: &str) -> Result<Node, ConfigProblem> {
    if text.len() > MAX_TEXT_BYTES {
        let message = format!(
            "{} bytes; a config has at most {MAX_TEXT_BYTES}",
            text.len()
        );
        return Err(problem_at(1, message));
    }
    yaml::read(text).map_err(|error| {
        let (YamlError::Syntax { line, .. } | YamlError::TooLarge { line }) = error;
        let message = error.to_string();
        // The line stands in front of every problem already.
        let words = message.split_once(": ").map(|(_, words)| words.to_owned());
        problem_at(line, words.unwrap_or(message))
    })
}

fn problem_at(line: u64, message: String) -> ConfigProblem {
    ConfigProblem {
        location: Location {
            line,
            path: String::new(),
        },
        message,
        step: None,
    }
}
