//! The labels of metric entries: unique within a split, and fit for a file name.

use std::collections::{HashMap, HashSet};

use trainscope_metrics::ParameterValue;

use super::name::is_label_character;
use super::{MetricEntry, Target};

/// Gives every entry its label: its name; else its metric's; where that collides within a split,
/// with what tells it from the others appended; where that collides still, with a number.
pub(super) fn assign(entries: &mut [MetricEntry]) {
    // Files of labels that differ in case only are one file on many systems.
    let mut taken: HashSet<_> = entries
        .iter()
        .filter_map(|entry| Some((entry.split, entry.name.as_deref()?.to_ascii_lowercase())))
        .collect();
    let labels: Vec<String> = proposals(entries);
    for (entry, proposal) in entries.iter_mut().zip(labels) {
        entry.label = match &entry.name {
            Some(name) => name.clone(),
            None => numbered(&proposal, |label| {
                taken.insert((entry.split, label.to_ascii_lowercase()))
            }),
        };
    }
}

/// `label` itself or, where it is taken, `label_2`, `label_3`, ...
fn numbered(label: &str, mut take: impl FnMut(&str) -> bool) -> String {
    let candidates = (2_u64..).map(|number| format!("{label}_{number}"));
    std::iter::once(label.to_owned())
        .chain(candidates)
        .find(|candidate| take(candidate))
        .unwrap_or_default()
}

fn proposals(entries: &[MetricEntry]) -> Vec<String> {
    let mut namesakes: HashMap<_, Vec<&MetricEntry>> = HashMap::new();
    for entry in entries.iter().filter(|entry| entry.name.is_none()) {
        namesakes
            .entry((entry.split, entry.metric.name()))
            .or_default()
            .push(entry);
    }
    entries
        .iter()
        .map(
            |entry| match namesakes.get(&(entry.split, entry.metric.name())) {
                Some(others) => distinct(entry, others),
                None => entry.metric.name().to_owned(),
            },
        )
        .map(|label| label.chars().map(file_character).collect())
        .collect()
}

/// The metric's name, and the traits in which the entry and its namesakes differ.
fn distinct(entry: &MetricEntry, namesakes: &[&MetricEntry]) -> String {
    let mut label = entry.metric.name().to_owned();
    for (index, value) in traits(entry).into_iter().enumerate() {
        let differs = namesakes
            .iter()
            .any(|other| traits(other).get(index) != Some(&value));
        if differs && !value.is_empty() {
            label.push('_');
            label.push_str(&value);
        }
    }
    label
}

/// What tells an entry from another of its metric, as it stands in a label: the values of its
/// parameters in the order declared, then the target.
fn traits(entry: &MetricEntry) -> Vec<String> {
    let parameters = entry.parameters.iter().map(|(name, value)| match value {
        ParameterValue::Boolean(true) => name.to_owned(),
        ParameterValue::Boolean(false) => String::new(),
        ParameterValue::Choice(_) | ParameterValue::Integer(_) => value.to_string(),
    });
    let target = entry.target.map(|target| match target {
        Target::Step(step) => step.to_string(),
        Target::Last => "last".to_owned(),
    });
    parameters.chain(target).collect()
}

fn file_character(character: char) -> char {
    if is_label_character(character) {
        character
    } else {
        '_'
    }
}
