//! The order in which results list series: along the entries, and along what they measure.

use std::collections::HashMap;

use ckptscope_vocabulary::{DataKind, Split};

use crate::{Entry, SeriesId};

/// Where everything stands.
pub(crate) struct Order<'a> {
    entries: HashMap<(&'a str, Split), usize>,
    components: HashMap<(&'a str, DataKind), usize>,
    stacks: HashMap<&'a str, usize>,
    runs: HashMap<&'a str, usize>,
}

/// What series are sorted by.
pub(crate) type Key = (usize, usize, usize, usize, [Option<u64>; 3], String);

impl<'a> Order<'a> {
    pub(crate) fn of(entries: &'a [Entry], runs: &'a [String]) -> Self {
        let measured = entries.iter().flat_map(|entry| &entry.components);
        let named = entries.iter().map(|one| (one.label.as_str(), one.split));
        Self {
            entries: places(named),
            components: places(
                measured
                    .clone()
                    .map(|one| (one.component.as_str(), one.kind)),
            ),
            stacks: places(measured.map(|one| one.stack.as_str())),
            runs: places(runs.iter().map(String::as_str)),
        }
    }

    /// Entry, component, run, stack, layer, expert, head, and the key, which has the output. What no entry
    /// lists comes last.
    pub(crate) fn key(&self, id: &SeriesId) -> Key {
        let component = self.components.get(&(&*id.component, id.kind));
        let run = id.run.as_ref().and_then(|run| self.runs.get(&**run));
        (
            self.entry(id).unwrap_or(usize::MAX),
            component.copied().unwrap_or(usize::MAX),
            run.copied().unwrap_or(usize::MAX),
            self.stacks.get(&*id.stack).copied().unwrap_or(usize::MAX),
            [id.layer, id.expert, id.head],
            id.key(),
        )
    }

    /// The place of its entry.
    pub(crate) fn entry(&self, id: &SeriesId) -> Option<usize> {
        let named = (&*id.entry.label, id.entry.split);
        self.entries.get(&named).copied()
    }
}

/// Where each name occurs first.
fn places<K: Eq + std::hash::Hash>(names: impl Iterator<Item = K>) -> HashMap<K, usize> {
    let mut places = HashMap::new();
    for (place, name) in names.enumerate() {
        places.entry(name).or_insert(place);
    }
    places
}
