//! Changing a config's text where a form changed it, and nowhere else.
//!
//! Two canonical texts say what has changed: that of the config before, and that of the config that
//! is wanted. Where they differ, what stands at the same path of the written text is replaced, and
//! everything else stays: comments, order, spaces, defaults that somebody wrote out. The text that
//! comes of it must read as the config that is wanted. Where it does not, aliases are written out;
//! where that does not help either, the canonical text takes its place.

mod edits;

use super::Config;
use super::tree::{self, Node, Value};
use crate::registry::Registry;
use edits::{Edits, is_alias, is_block};

impl Config {
    /// The same config with its text written into another: one that differs only where it asks for
    /// something else. With its own text where that cannot be done.
    #[must_use]
    pub fn written_into(self, text: &str, registry: &Registry) -> Self {
        let kept = changed(text, &self, registry);
        kept.unwrap_or(self)
    }
}

fn changed(text: &str, wanted: &Config, registry: &Registry) -> Option<Config> {
    let before = Config::parse(text, registry).ok()?.to_yaml();
    let after = wanted.to_yaml();
    [Aliases::Kept, Aliases::WrittenOut]
        .into_iter()
        .filter_map(|aliases| rewritten(text, &before, &after, aliases))
        .filter_map(|text| Config::parse(&text, registry).ok())
        .find(|config| config.to_yaml() == after)
}

/// What becomes of aliases that stand for what has not changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aliases {
    Kept,
    WrittenOut,
}

/// A text with the changes from one canonical text to another.
fn rewritten(text: &str, before: &str, after: &str, aliases: Aliases) -> Option<String> {
    let written = tree::read(text).ok()?;
    let (old, new) = (tree::read(before).ok()?, tree::read(after).ok()?);
    let mut comparison = Comparison {
        before,
        aliases,
        edits: Edits::new(text, after),
    };
    comparison.compare(&written, &old, &new)?;
    comparison.edits.applied()
}

type Entry = (Node, Node);

/// A walk through three trees at once: the written one, the canonical one before, and the one that
/// is wanted. Nothing comes of it where they do not go together.
struct Comparison<'a> {
    before: &'a str,
    aliases: Aliases,
    edits: Edits<'a>,
}

impl Comparison<'_> {
    fn compare(&mut self, written: &Node, old: &Node, new: &Node) -> Option<()> {
        if self.stays(written, old, new) {
            return Some(());
        }
        match (&written.value, &old.value, &new.value) {
            _ if is_alias(self.edits.text, written) => None,
            (Value::Map(written_entries), Value::Map(old), Value::Map(new)) => {
                self.compare_maps(written, written_entries, old, new)
            }
            (Value::List(items), Value::List(old), Value::List(new)) if are_entries(new) => {
                self.compare_lists(items, old, new)
            }
            _ => None,
        }
    }

    /// Whether nothing has to be done: it asks for the same, and has no alias to be written out.
    fn stays(&self, written: &Node, old: &Node, new: &Node) -> bool {
        let is_same = self.is_same(old, new);
        is_same && (self.aliases == Aliases::Kept || !self.has_alias(written))
    }

    /// Canonical texts are the same where they ask for the same.
    fn is_same(&self, old: &Node, new: &Node) -> bool {
        self.before.get(old.span.clone()) == self.edits.source.get(new.span.clone())
    }

    fn has_alias(&self, node: &Node) -> bool {
        is_alias(self.edits.text, node)
            || match &node.value {
                Value::List(items) => items.iter().any(|item| self.has_alias(item)),
                Value::Map(entries) => entries.iter().any(|(_, value)| self.has_alias(value)),
                _ => false,
            }
    }

    fn compare_maps(
        &mut self,
        map: &Node,
        written: &[Entry],
        old: &[Entry],
        new: &[Entry],
    ) -> Option<()> {
        let mut previous = None;
        for entry in new {
            let (place, known) = (find(written, &entry.0), find(old, &entry.0));
            match (place, known) {
                (Some(place), Some(known)) => self.compare_entries(place, known, entry)?,
                (Some(place), None) => self.edits.replace(place, entry)?,
                // It is a default, or written in another way.
                (None, Some(known)) if self.is_same(&known.1, &entry.1) => {}
                (None, _) => self.edits.insert(map, written, previous, entry)?,
            }
            previous = place.or(previous);
        }
        let is_gone = |(key, _): &&Entry| find(new, key).is_none();
        for (key, _) in old.iter().filter(is_gone) {
            if let Some(index) = written.iter().position(|(it, _)| it.value == key.value) {
                self.edits.remove(map, written, index)?;
            }
        }
        Some(())
    }

    fn compare_entries(&mut self, written: &Entry, old: &Entry, new: &Entry) -> Option<()> {
        if self.stays(&written.1, &old.1, &new.1) {
            return Some(());
        }
        let (is_within, text) = (self.goes_within(&written.1, &new.1), self.edits.text);
        if is_within && !is_alias(text, &written.1) {
            return self.compare(&written.1, &old.1, &new.1);
        }
        self.edits.replace(written, new)
    }

    /// Whether values are compared entry by entry, and not replaced as a whole.
    fn goes_within(&self, written: &Node, new: &Node) -> bool {
        match (&written.value, &new.value) {
            (Value::Map(_), Value::Map(_)) => true,
            (Value::List(_), Value::List(new)) => {
                are_entries(new) && is_block(self.edits.text, written)
            }
            _ => false,
        }
    }

    /// Items that are entries of their own: those that stay the same at both ends stay, but for
    /// aliases of what goes.
    fn compare_lists(&mut self, written: &[Node], old: &[Node], new: &[Node]) -> Option<()> {
        if written.len() != old.len() {
            return None;
        }
        if old.len() == new.len() {
            let mut items = written.iter().zip(old).zip(new);
            return items
                .try_for_each(|((written, old), new)| self.compare_items(written, old, new));
        }
        let most = old.len().min(new.len());
        let pairs = old.iter().zip(new);
        let first = pairs
            .take_while(|(old, new)| self.is_same(old, new))
            .count();
        let pairs = old.iter().rev().zip(new.iter().rev()).take(most - first);
        let last = pairs
            .take_while(|(old, new)| self.is_same(old, new))
            .count();
        let behind = |place: usize| (old.len() - 1 - place, new.len() - 1 - place);
        let kept = (0..first).map(|place| (place, place));
        for (was, is) in kept.chain((0..last).map(behind)) {
            self.compare_items(written.get(was)?, old.get(was)?, new.get(is)?)?;
        }
        for item in written.get(first..old.len() - last)? {
            self.edits.remove_item(item)?;
        }
        for item in new.get(first..new.len() - last)? {
            self.edits.insert_item(written, first, item)?;
        }
        Some(())
    }

    fn compare_items(&mut self, written: &Node, old: &Node, new: &Node) -> Option<()> {
        if self.stays(written, old, new) {
            return Some(());
        }
        match is_alias(self.edits.text, written) {
            true => self.edits.replace_item(written, new),
            false => self.compare(written, old, new),
        }
    }
}

fn are_entries(items: &[Node]) -> bool {
    items.iter().all(|item| matches!(item.value, Value::Map(_)))
}

fn find<'a>(entries: &'a [Entry], key: &Node) -> Option<&'a Entry> {
    entries.iter().find(|(known, _)| known.value == key.value)
}
