//! A YAML document as a tree in which every key and every value knows its place.
//!
//! The events are [`granit_parser`]'s. Deserialisers on top of it read into types, which is not
//! asked for here, and are three times the size of everything in this module: a visitor of the
//! page would download them.
//!
//! Every key and value knows its line, so the config reader can tell all problems of a file at
//! once. The reader limits values, texts and depth with aliases written out, so a small file cannot
//! grow without bound.

mod reader;
mod scalar;

use std::fmt;
use std::ops::Range;

/// A value and where its text stands; behind an alias, where the anchor's text stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// The place.
    pub position: Position,
    /// The bytes of the text that stand for it, an alias where it is one. A block collection ends
    /// with its last value.
    pub span: Range<usize>,
}

/// A place in the text, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: u64,
    /// The character of the line.
    pub column: u64,
}

/// A value as YAML types it: as YAML 1.2 does, and where published files rely on it as YAML 1.1
/// (`yes`, `no`, `1_000`).
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`, `~`, or nothing.
    Nothing,
    /// Yes or no.
    Boolean(bool),
    /// A whole number of 64 bits.
    Whole(i128),
    /// Any other finite number.
    Fraction(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Keys and values in the file's order, duplicates included; what is merged (`<<`) last.
    Map(Vec<(Node, Node)>),
}

/// A text that is not read as YAML.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum YamlError {
    /// It is not YAML.
    #[error("line {line}: not YAML: {reason}")]
    Syntax {
        /// Where reading stopped.
        line: u64,
        /// In the parser's words.
        reason: String,
    },
    /// It is larger than its length says, by aliases or by nesting.
    #[error(
        "line {line}: more than {} values with the aliases written out, or too deep",
        reader::MAX_VALUES
    )]
    TooLarge {
        /// Where the limit is reached.
        line: u64,
    },
}

/// Reads a text that holds one document, or none, which is [`Value::Nothing`].
///
/// What the tree takes is bounded by the text's length and by limits, aliases counted as what they
/// stand for.
///
/// # Errors
/// The first syntax error, or the limit that the text exceeds.
pub fn read(text: &str) -> Result<Node, YamlError> {
    reader::Reader::new(text).document()
}

impl Node {
    /// The map, where it is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&[(Self, Self)]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The text, where it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it holds other nodes.
    #[must_use]
    pub fn is_collection(&self) -> bool {
        matches!(self.value, Value::List(_) | Value::Map(_))
    }
}

/// What was found, in words, for messages.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::Nothing => f.write_str("nothing"),
            Value::Boolean(answer) => answer.fmt(f),
            Value::Whole(number) => number.fmt(f),
            // As a fraction even where it is whole: `1e3` is not taken for a whole number.
            Value::Fraction(number) => write!(f, "{number:?}"),
            Value::Text(text) => quoted(text).fmt(f),
            Value::List(items) if items.is_empty() => f.write_str("an empty list"),
            Value::List(_) => f.write_str("a list"),
            Value::Map(entries) if entries.is_empty() => f.write_str("an empty map"),
            Value::Map(_) => f.write_str("a map"),
        }
    }
}

/// A text in quotes, shortened where it is long.
#[must_use]
pub fn quoted(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}...", text.get(..end).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}
