//! What numbers of several runs mean, so that only the same is subtracted.
//!
//! Two numbers are the same number only where metric, parameters, target, stack, and the component
//! with its parameters and tensors agree. That is asked in each layer by itself: one component may
//! be made otherwise in another layer or stack. What an entry is called does not count: `norm` of
//! one run meets `norm_frobenius` of another if both are the same norm. What has another meaning
//! under the same label stands beside it under a label of its own, and so does what results of an
//! older version do not say the meaning of.

use std::collections::BTreeSet;

use ckptscope_vocabulary::{Split, without_wrappers};
use serde_json::{Map, Value, json};

use crate::entry::AUTO;
use crate::{Entry, MeasuredComponent, SeriesId};

/// What a number of a component is, but for layer, expert, head, output and step.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Meaning {
    split: Split,
    /// What else it is made by, each with its name.
    parts: BTreeSet<(String, String)>,
    /// Whether the results say what its component is made of.
    pub(super) is_told: bool,
    stack: Stack,
}

/// The stack of layers, wrappers taken off.
#[derive(Clone, Debug, PartialEq)]
struct Stack {
    name: String,
    /// Whether it is one of several, so that its name tells something.
    is_one_of_several: bool,
}

impl Meaning {
    /// Of a series that is of a component of an entry.
    pub(super) fn of(entry: &Entry, component: &MeasuredComponent, id: &SeriesId) -> Self {
        let made_of = component.parameters.as_ref();
        let is_resolved = |name: &str| made_of.is_some_and(|it| it.contains_key(name));
        let of_metric = listed(&entry.parameters);
        let of_metric = of_metric.filter(|(name, value)| value != AUTO || !is_resolved(name));
        let target = entry
            .target
            .map(|step| ("target".to_owned(), step.to_string()));
        let mut parts: BTreeSet<_> = of_metric.chain(target).collect();
        parts.insert(("metric".to_owned(), entry.metric.clone()));
        parts.extend(made_of.into_iter().flat_map(listed));
        // Nobody says what was chosen.
        let is_open = parts.iter().any(|(_, value)| value == AUTO);
        Self {
            split: entry.split,
            parts,
            is_told: made_of.is_some() && !is_open,
            stack: Stack {
                name: without_wrappers(&id.stack).into_owned(),
                is_one_of_several: !component.stack.is_empty(),
            },
        }
    }

    /// Whether both are known to be the same.
    pub(super) fn is(&self, other: &Self) -> bool {
        let is_same = (self.split, &self.parts) == (other.split, &other.parts);
        self.is_told && other.is_told && is_same && self.stack.is(&other.stack)
    }

    /// What only one of the two says, each in words.
    pub(super) fn differences(&self, other: &Self) -> (String, String) {
        if !(self.is_told && other.is_told) {
            return (self.openness(), other.openness());
        }
        (self.only_here(other), other.only_here(self))
    }

    fn only_here(&self, other: &Self) -> String {
        let parts = self.parts.difference(&other.parts);
        let parts = parts.map(|(name, value)| format!("{name}: {value}"));
        let stack = (!self.stack.is(&other.stack))
            .then(|| format!("stack: {}", self.stack.name.trim_end_matches('.')));
        let words: Vec<String> = stack.into_iter().chain(parts).collect();
        match words.is_empty() {
            true => "nothing of it".to_owned(),
            false => words.join(", "),
        }
    }

    fn openness(&self) -> String {
        let told = if self.is_told { "told" } else { "not told" };
        format!("its tensors are {told}")
    }
}

impl Stack {
    /// Whether both may be the same stack: models call their only one differently, and the whole
    /// model's name may stand in front.
    fn is(&self, other: &Self) -> bool {
        let ends_with = |one: &str, other: &str| {
            let front = one.strip_suffix(other);
            front.is_some_and(|front| front.is_empty() || front.ends_with('.'))
        };
        !(self.is_one_of_several || other.is_one_of_several)
            || ends_with(&self.name, &other.name)
            || ends_with(&other.name, &self.name)
    }
}

/// Parameters as words.
fn listed(parameters: &Map<String, Value>) -> impl Iterator<Item = (String, String)> {
    let words = |value: &Value| {
        let word = value.as_str().map(str::to_owned);
        word.unwrap_or_else(|| json!(value).to_string())
    };
    parameters
        .iter()
        .map(move |(name, value)| (name.clone(), words(value)))
}
