//! A YAML document as a tree in which every key and every value knows its line.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{
    DuplicateKeyPolicy, Error, NonFiniteFloatPolicy, Options, Spanned, UserMessageFormatter,
};

use super::{ConfigProblem, Location};

/// Longest config that is read. Configs are written by hand; the longest list their steps.
const MAX_TEXT_BYTES: usize = 1 << 20;

/// Values of a config. Aliases count as what they stand for, so this bounds the tree's memory.
const MAX_VALUES: usize = 250_000;

/// A value and where its text stands; behind an alias, where the anchor's text stands.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) position: Position,
}

/// A place in the text, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Position {
    pub(super) line: u64,
    pub(super) column: u64,
}

/// A value as YAML types it.
#[derive(Debug)]
pub(super) enum Value {
    Nothing,
    Boolean(bool),
    Whole(i128),
    Fraction(f64),
    Text(String),
    List(Vec<Node>),
    /// Keys and values in the file's order, duplicates included.
    Map(Vec<(Node, Node)>),
}

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
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| syntax_problem(&error))
}

fn options() -> Options {
    serde_saphyr::options! {
        // Reported with the other problems of the file rather than as the only one.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        // `010` is 8 in YAML 1.1 and 10 in YAML 1.2: as text it is refused where a number belongs.
        leading_zero_numbers_as_strings: true,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_depth: 32,
            max_nodes: MAX_VALUES,
            // A map or a list has a beginning and an end.
            max_events: 2 * MAX_VALUES,
            max_total_scalar_bytes: 4 * MAX_TEXT_BYTES,
            // One list of layers may well serve a hundred components.
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_VALUES },
    }
}

fn syntax_problem(error: &Error) -> ConfigProblem {
    let line = error.location().map_or(1, |location| location.line());
    if is_limit(error.without_snippet()) {
        let message =
            format!("more than {MAX_VALUES} values with the aliases written out, or too deep");
        return problem_at(line, message);
    }
    let message = error.render_with_formatter(&UserMessageFormatter);
    // The line stands in front of every problem already.
    let message = message.split(" at line ").next().unwrap_or_default();
    problem_at(line, format!("not YAML: {message}"))
}

fn is_limit(error: &Error) -> bool {
    match error {
        Error::AliasError { error, .. } => is_limit(error.without_snippet()),
        Error::Budget { .. }
        | Error::AliasReplayCounterOverflow { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => true,
        _ => false,
    }
}

fn problem_at(line: u64, message: String) -> ConfigProblem {
    ConfigProblem {
        location: Location {
            line,
            path: String::new(),
        },
        message,
    }
}

impl Node {
    /// The map of a document, where it is one.
    pub(super) fn as_map(&self) -> Option<&[(Self, Self)]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The text, where it is one.
    pub(super) fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it holds other nodes.
    pub(super) fn is_collection(&self) -> bool {
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
pub(super) fn quoted(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}...", text.get(..end).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value, defined, .. } = Spanned::<Value>::deserialize(deserializer)?;
        let position = Position {
            line: defined.line().max(1),
            column: defined.column(),
        };
        Ok(Self { value, position })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_bool<E>(self, answer: bool) -> Result<Value, E> {
        Ok(Value::Boolean(answer))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Whole(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Whole(number.into()))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Value, E> {
        Ok(Value::Whole(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Fraction(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Value::Map(map))
    }
}
