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
    /// The document itself.
    pub(super) fn root(node: &'a Node) -> Self {
        Self {
            node,
            position: node.position,
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
        let Some(map) = at.node.as_map() else {
            problems.add(at, format!("found {}; expected {expected}", at.node));
            return None;
        };
        if map.len() > MAX_KEYS {
            problems.add(at, format!("{} keys; expected {expected}", map.len()));
            return None;
        }
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
        let Some(name) = key.as_text() else {
            let place = self.at.field(key, &key.to_string(), key);
            problems.add(&place, format!("a key must be a text, not {key}"));
            return;
        };
        let field = self.at.field(key, &path_segment(name), value);
        match self.entries.iter().find(|(known, _)| *known == name) {
            None => self.entries.push((name, field)),
            Some((_, first)) => {
                let message = format!(
                    "duplicate key {}, first on line {}",
                    quoted(name),
                    first.position.line
                );
                problems.add(
                    &At {
                        position: key.position,
                        ..field
                    },
                    message,
                );
            }
        }
    }

    /// The value of a key; `None` where it is absent or left out.
    pub(super) fn get(&self, key: &str) -> Option<&At<'a>> {
        let (_, at) = self.entries.iter().find(|(name, _)| *name == key)?;
        (!matches!(at.node.value, Value::Nothing)).then_some(at)
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
        let found = self.get(key);
        if found.is_none() {
            problems.add(&self.at, format!("{key:?} is missing: {expected}"));
        }
        found
    }

    /// Notes keys that are not among `allowed`; `advise` may know more of one.
    pub(super) fn check_keys(
        &self,
        allowed: &[&str],
        problems: &mut Problems,
        advise: impl Fn(&str) -> Option<String>,
    ) {
        for (name, at) in &self.entries {
            if !allowed.contains(name) {
                let advice = advise(name).unwrap_or_else(|| {
                    format!("{}allowed: {}", nearest(name, allowed), allowed.join(", "))
                });
                problems.add(at, format!("unknown key {}; {advice}", quoted(name)));
            }
        }
    }
}

/// A key as it stands in a path: long ones shortened, odd ones quoted.
fn path_segment(name: &str) -> String {
    let plain = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-');
    if name.len() <= 64 && !name.is_empty() && name.chars().all(plain) {
        name.to_owned()
    } else {
        quoted(name)
    }
}
