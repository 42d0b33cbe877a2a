//! What numbers of several runs mean, so that only the same is subtracted.
//!
//! Two numbers are the same number only where metric, parameters, target, and the component with
//! its parameters and tensors agree. What an entry is called does not count: `norm` of one run
//! meets `norm_frobenius` of another if both are the same norm. What has another meaning under the
//! same label stands beside it under a label of its own, and so does what results of an older
//! version do not say the meaning of.

use std::collections::{HashMap, HashSet};

use ckptscope_vocabulary::{DataKind, Split};
use serde_json::{Map, Value, json};

use crate::{Entry, EntryId, MeasuredComponent, Results, SeriesId, Text};

/// What a number of a component is, but for layer, head, output and step.
#[derive(Clone, Debug, PartialEq)]
struct Meaning {
    split: Split,
    /// What else it is made by, each with its name.
    parts: Vec<(String, String)>,
    /// Whether the results say what its component is made of.
    is_told: bool,
}

/// One component of an entry of a run.
type Place = (EntryId, Text, DataKind);

/// A meaning, and what it is called in the comparison.
struct Known {
    meaning: Meaning,
    component: Text,
    kind: DataKind,
    label: String,
    /// The first run that has it.
    run: usize,
}

/// What the entries of the runs are called in the comparison.
pub(super) struct Labels {
    /// For each run, those that are not called as in the run itself.
    renamed: Vec<HashMap<Place, Text>>,
    /// What has several meanings under one label, as the comparison calls it.
    apart: HashSet<Place>,
    /// What is called otherwise, and what is not the same, in words.
    pub(super) warnings: Vec<String>,
}

impl Labels {
    pub(super) fn of(names: &[String], runs: &[Results]) -> Self {
        let mut known: Vec<Known> = Vec::new();
        let mut labels = Self {
            renamed: Vec::new(),
            apart: HashSet::new(),
            warnings: Vec::new(),
        };
        for (run, results) in runs.iter().enumerate() {
            let mut renamed = HashMap::new();
            let mut met = HashSet::new();
            for entry in &results.entries {
                for component in &entry.components {
                    let place = place(entry, component);
                    if renamed.contains_key(&place) {
                        continue;
                    }
                    let one = Known::of(entry, component, run);
                    let label = labels.label(&mut known, &mut met, one, names);
                    if label != entry.label {
                        renamed.insert(place, Text::from(&*label));
                    }
                }
            }
            labels.renamed.push(renamed);
        }
        labels
    }

    /// What one component of an entry is called: as the same of a run before, else by its own
    /// label unless something else has it.
    fn label(
        &mut self,
        known: &mut Vec<Known>,
        met: &mut HashSet<usize>,
        mut one: Known,
        names: &[String],
    ) -> String {
        let same = known.iter().enumerate().filter(|(at, it)| {
            it.run != one.run && !met.contains(at) && it.is_of(&one) && it.meaning.is(&one.meaning)
        });
        let same = same.map(|(at, it)| (at, it.label == one.label));
        if let Some((at, _)) = same.min_by_key(|(at, is_called_so)| (!is_called_so, *at)) {
            met.insert(at);
            let label = known[at].label.clone();
            if label != one.label {
                self.warn(format!(
                    "{} of {} is the same as {label}: it is called so here",
                    one.stem(),
                    name(names, one.run)
                ));
            }
            return label;
        }
        let other = known
            .iter()
            .find(|it| it.label == one.label && it.is_of(&one));
        if let Some(other) = other {
            let (theirs, own) = other.meaning.differences(&one.meaning);
            self.apart.insert(other.place());
            let is_not = match other.meaning.is_told && one.meaning.is_told {
                true => "is not",
                false => "may not be",
            };
            self.warn(format!(
                "{} of {} {is_not} the same in all: {theirs} in {}, {own} in {}; these stand side \
                 by side and are not subtracted",
                one.stem(),
                one.component,
                name(names, other.run),
                name(names, one.run)
            ));
            let wanted = format!("{} ({own})", one.label);
            let is_taken =
                |label: &String| known.iter().any(|it| it.label == *label && it.is_of(&one));
            let numbered = (2_u64..).map(|number| format!("{wanted} {number}"));
            let mut free = std::iter::once(wanted.clone()).chain(numbered);
            one.label = free.find(|label| !is_taken(label)).unwrap_or_default();
            self.apart.insert(one.place());
        }
        let label = one.label.clone();
        known.push(one);
        label
    }

    fn warn(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Whether something stands side by side because of its label, and is not subtracted.
    pub(super) fn some_stand_apart(&self) -> bool {
        !self.apart.is_empty()
    }

    /// Whether a series, as the comparison calls it, stands beside others of its label.
    pub(super) fn stands_apart(&self, id: &SeriesId) -> bool {
        let place = (id.entry.clone(), Text::clone(&id.component), id.kind);
        self.some_stand_apart() && self.apart.contains(&place)
    }

    /// A series' id as the comparison calls it.
    pub(super) fn renamed(&self, run: usize, mut id: SeriesId) -> SeriesId {
        let renamed = self.renamed.get(run).filter(|renamed| !renamed.is_empty());
        let place = renamed.map(|_| (id.entry.clone(), Text::clone(&id.component), id.kind));
        let label = renamed
            .zip(place)
            .and_then(|(renamed, place)| renamed.get(&place));
        if let Some(label) = label {
            id.entry.label = Text::clone(label);
        }
        id
    }

    /// A run's entries as the comparison calls them: one whose components are called differently
    /// becomes several.
    pub(super) fn entries(&self, run: usize, results: &Results) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        for entry in &results.entries {
            let first = entries.len();
            for component in &entry.components {
                let label = self.renamed.get(run);
                let label = label.and_then(|renamed| renamed.get(&place(entry, component)));
                let label = label.map_or(entry.label.as_str(), |label| label);
                let own = entries.iter().skip(first).position(|it| it.label == label);
                match own.and_then(|at| entries.get_mut(first + at)) {
                    Some(known) => known.components.push(component.clone()),
                    None => entries.push(Entry {
                        label: label.to_owned(),
                        components: vec![component.clone()],
                        ..entry.clone()
                    }),
                }
            }
            if entry.components.is_empty() {
                entries.push(entry.clone());
            }
        }
        entries
    }
}

impl Known {
    fn of(entry: &Entry, component: &MeasuredComponent, run: usize) -> Self {
        Self {
            meaning: Meaning::of(entry, component),
            component: Text::from(&*component.component),
            kind: component.kind,
            label: entry.label.clone(),
            run,
        }
    }

    fn is_of(&self, other: &Self) -> bool {
        let own = (&self.component, self.kind, self.meaning.split);
        own == (&other.component, other.kind, other.meaning.split)
    }

    fn entry(&self) -> EntryId {
        EntryId::new(&self.label, self.meaning.split)
    }

    fn place(&self) -> Place {
        (self.entry(), Text::clone(&self.component), self.kind)
    }

    fn stem(&self) -> String {
        self.entry().stem()
    }
}

impl Meaning {
    fn of(entry: &Entry, component: &MeasuredComponent) -> Self {
        let mut parts = vec![("metric".to_owned(), entry.metric.clone())];
        let target = entry.target.map(|step| step.to_string());
        parts.extend(target.map(|step| ("target".to_owned(), step)));
        parts.extend(listed(&entry.parameters));
        parts.extend(component.parameters.iter().flat_map(listed));
        Self {
            split: entry.split,
            parts,
            is_told: component.parameters.is_some(),
        }
    }

    /// Whether both are known to be the same.
    fn is(&self, other: &Self) -> bool {
        self.is_told && self == other
    }

    /// What only one of the two says, each in words.
    fn differences(&self, other: &Self) -> (String, String) {
        if !(self.is_told && other.is_told) {
            return (self.openness(), other.openness());
        }
        let only = |one: &Self, other: &Self| {
            let parts = one.parts.iter().filter(|part| !other.parts.contains(part));
            let words: Vec<String> = parts
                .map(|(name, value)| format!("{name}: {value}"))
                .collect();
            match words.is_empty() {
                true => "nothing of it".to_owned(),
                false => words.join(", "),
            }
        };
        (only(self, other), only(other, self))
    }

    fn openness(&self) -> String {
        let told = if self.is_told { "told" } else { "not told" };
        format!("its tensors are {told}")
    }
}

fn place(entry: &Entry, component: &MeasuredComponent) -> Place {
    let text = Text::from(&*component.component);
    (entry.id(), text, component.kind)
}

/// Parameters in the order of their names.
fn listed(parameters: &Map<String, Value>) -> Vec<(String, String)> {
    let words = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| json!(value).to_string(), str::to_owned)
    };
    let mut listed: Vec<_> = parameters
        .iter()
        .map(|(name, value)| (name.clone(), words(value)))
        .collect();
    listed.sort();
    listed
}

fn name(names: &[String], run: usize) -> &str {
    names.get(run).map_or("", String::as_str)
}
