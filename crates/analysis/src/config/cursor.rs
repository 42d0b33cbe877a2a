//! Walking the tree of a file: a node with its path, and a map with its keys checked.

use super::Location;
use super::problem::Problems;
use super::suggestion::nearest;
use super::tree::{Node, Position, Value, quoted};

/// Keys of a map that are looked at one by one; no map of a config has a tenth of it.
const MAX_KEYS: usize = 1000;

/// A node and where it stands.
#[derive(Clone, Debug)]
pub(super) struct At<'a> {
    pub(super) node: &'a Node,
    pub(super) position: Position,
    pub(super) path: String,
}

/// A map, its keys unique texts. Keys whose value is left out count as absent.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    /// The map itself.
    pub(super) at: At<'a>,
    entries: Vec<(&'a str, At<'a>)>,
}

impl<'a> At<'a> {
    /// The document itself; an empty one begins nowhere in particular.
    pub(super) fn root(node: &'a Node) -> Self {
        let first = Position { line: 1, column: 1 };
        Self {
            node,
            position: if matches!(node.value, Value::Nothing) {
                first
            } else {
                node.position
            },
            path: String::new(),
        }
    }

    /// Where this is, for messages.
    pub(super) fn location(&self) -> Location {
        Location {
            line: self.position.line,
            path: self.path.clone(),
        }
    }

    /// The items of a list; none where this is no list.
    pub(super) fn items(&self) -> Option<Vec<Self>> {
        let Value::List(items) = &self.node.value else {
            return None;
        };
        let item = |(index, node): (usize, &'a Node)| Self {
            node,
            position: node.position,
            path: format!("{}[{index}]", self.path),
        };
        Some(items.iter().enumerate().map(item).collect())
    }

    fn is_nothing(&self) -> bool {
        matches!(self.node.value, Value::Nothing)
    }

    fn field(&self, key: &Node, name: &str, value: &'a Node) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        // A collection begins at its first item; whoever looks for it looks for its key.
        let shown = if value.is_collection() { key } else { value };
        Self {
            node: value,
            position: shown.position,
            path: format!("{}{dot}{name}", self.path),
        }
    }
}

impl<'a> Fields<'a> {
    /// Takes a map apart; notes keys that are no text or stand there twice. `None` where it is no
    /// map, which is noted as `expected` says.
    pub(super) fn of(at: &At<'a>, expected: &str, problems: &mut Problems) -> Option<Self> {
        let Some(map) = at.node.as_map().filter(|map| map.len() <= MAX_KEYS) else {
            return problems.unexpected(at, expected);
        };
        let mut fields = Self {
            at: at.clone(),
            entries: Vec::with_capacity(map.len()),
        };
        for (key, value) in map {
            fields.insert(key, value, problems);
        }
        Some(fields)
    }

    fn insert(&mut self, key: &'a Node, value: &'a Node, problems: &mut Problems) {
        let at_key = At {
            position: key.position,
            ..self.at.clone()
        };
        let Some(name) = key.as_text() else {
            problems.add(&at_key, format!("a key must be a text, not {key}"));
            return;
        };
        match self.entries.iter().find(|(known, _)| *known == name) {
            None => self
                .entries
                .push((name, self.at.field(key, &path_segment(name), value))),
            Some((_, first)) => {
                let line = first.position.line;
                problems.add(
                    &at_key,
                    format!("duplicate key {}, first on line {line}", quoted(name)),
                );
            }
        }
    }

    /// The value of a key; `None` where it is absent or left out.
    pub(super) fn get(&self, key: &str) -> Option<&At<'a>> {
        let (_, at) = self.entries.iter().find(|(name, _)| *name == key)?;
        (!at.is_nothing()).then_some(at)
    }

    /// What `read` makes of the value of a key; `Some(None)` where it is absent or left out.
    pub(super) fn optional<T>(
        &self,
        key: &str,
        read: impl FnOnce(&At<'a>) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.get(key) {
            Some(at) => read(at).map(Some),
            None => Some(None),
        }
    }

    /// The value of a key that must be there; its absence is noted.
    pub(super) fn required(
        &self,
        key: &str,
        expected: &str,
        problems: &mut Problems,
    ) -> Option<&At<'a>> {
        let entry = self.entries.iter().find(|(name, _)| *name == key);
        match entry {
            Some((_, at)) if !at.is_nothing() => return Some(at),
            Some((_, at)) => problems.add(at, format!("found nothing; expected {expected}")),
            None => problems.add(&self.at, format!("{key:?} is missing; expected {expected}")),
        }
        None
    }

    /// Notes keys that are not among `allowed`; `advise` may know more of one. Keys that begin with
    /// [`OWN`] are the author's, as a place for anchors.
    pub(super) fn check_keys(
        &self,
        allowed: &[&str],
        problems: &mut Problems,
        advise: impl Fn(&str) -> Option<String>,
    ) {
        for (name, at) in &self.entries {
            if !allowed.contains(name) && !name.starts_with(OWN) {
                let advice = advise(name).unwrap_or_else(|| {
                    format!("{}allowed: {}", nearest(name, allowed), allowed.join(", "))
                });
                problems.add(at, format!("unknown key {}; {advice}", quoted(name)));
            }
        }
    }
}

/// What keys begin with that mean nothing to us.
const OWN: &str = "x-";

/// A key as it stands in a path: long ones shortened, odd ones quoted.
fn path_segment(name: &str) -> String {
    let plain = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-');
    if name.len() <= 64 && !name.is_empty() && name.chars().all(plain) {
        name.to_owned()
    } else {
        quoted(name)
    }
}
