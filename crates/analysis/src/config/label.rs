//! The labels of metric entries: unique within a split, and fit for a file name.

use std::collections::{HashMap, HashSet};

use ckptscope_checkpoint::Split;
use ckptscope_metrics::{AUTO, ParameterValue};

use super::name::is_label_character;
use super::{MetricEntry, Target};

/// Gives every entry its label: its name; else its metric's; where that collides within a split,
/// with what tells it from the others appended; where that collides still, with a number.
pub(super) fn assign(entries: &mut [MetricEntry]) {
    let proposals = proposals(entries);
    let mut labels = Labels::default();
    for entry in entries.iter() {
        if let Some(name) = &entry.name {
            labels.take(entry.split, name);
        }
    }
    for (entry, proposal) in entries.iter_mut().zip(proposals) {
        entry.label = match &entry.name {
            Some(name) => name.clone(),
            None => labels.unique(entry.split, proposal),
        };
    }
}

/// The labels given so far, in lower case: files whose names differ in case only are one file on
/// many systems.
#[derive(Default)]
struct Labels {
    taken: HashSet<(Split, String)>,
    /// The last number appended to a proposal.
    numbers: HashMap<(Split, String), u64>,
}

impl Labels {
    fn take(&mut self, split: Split, label: &str) -> bool {
        self.taken.insert((split, label.to_ascii_lowercase()))
    }

    /// `label` itself or, where it is taken, `label_2`, `label_3`, ...
    fn unique(&mut self, split: Split, label: String) -> String {
        if self.take(split, &label) {
            return label;
        }
        let key = (split, label.to_ascii_lowercase());
        let mut number = self.numbers.get(&key).copied().unwrap_or(1);
        loop {
            number += 1;
            let numbered = format!("{label}_{number}");
            if self.take(split, &numbered) {
                self.numbers.insert(key, number);
                return numbered;
            }
        }
    }
}

/// The metric's name and the traits in which an entry differs from its namesakes, the entries of
/// the same metric and split that have no name of their own.
fn proposals(entries: &[MetricEntry]) -> Vec<String> {
    let traits: Vec<_> = entries.iter().map(traits).collect();
    let mut seen: HashMap<_, Vec<HashSet<&str>>> = HashMap::new();
    for (entry, traits) in entries.iter().zip(&traits) {
        let values = seen.entry((entry.split, entry.metric.name())).or_default();
        values.resize(traits.len(), HashSet::new());
        if entry.name.is_none() {
            for (values, value) in values.iter_mut().zip(traits) {
                values.insert(value);
            }
        }
    }
    let proposal = |(entry, traits): (&MetricEntry, &Vec<String>)| {
        let values = seen.get(&(entry.split, entry.metric.name()));
        let values = values.into_iter().flatten().zip(traits);
        let differing = values.filter(|(values, value)| values.len() > 1 && !value.is_empty());
        let parts = differing.map(|(_, value)| value.as_str());
        let parts: Vec<_> = std::iter::once(entry.metric.name()).chain(parts).collect();
        parts.join("_").chars().map(label_character).collect()
    };
    entries.iter().zip(&traits).map(proposal).collect()
}

/// What tells an entry from another of its metric, as it stands in a label: the values of its
/// parameters in the order declared, then the target.
fn traits(entry: &MetricEntry) -> Vec<String> {
    let parameters = entry.parameters.iter().map(|(name, value)| match value {
        ParameterValue::Boolean(true) => name.to_owned(),
        ParameterValue::Boolean(false) | ParameterValue::Choice(AUTO) => String::new(),
        ParameterValue::Choice(_) | ParameterValue::Integer(_) | ParameterValue::Fraction(_) => {
            value.to_string()
        }
    });
    let target = entry.target.map(|target| match target {
        Target::Step(step) => step.to_string(),
        Target::Last => "last".to_owned(),
    });
    parameters.chain(target).collect()
}

fn label_character(character: char) -> char {
    if is_label_character(character) {
        character
    } else {
        '_'
    }
}
