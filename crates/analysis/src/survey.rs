//! What a run's layers have, from the catalogs of one step per kind of data.
//!
//! The survey looks at the last step that has each kind of data.

use std::collections::{BTreeMap, BTreeSet};

use ckptscope_checkpoint::{DataKind, Obstacle, Part, Run, Split, Storage, Tree};

use crate::plan::{Catalogs, PartIndex};

/// The tensors that layers have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// By kind, split and suffix. What a config would be refused for is not among them: suffixes
    /// that several stacks have, and names that several tensors have.
    pub suffixes: Vec<Suffix>,
    /// The kinds and splits of data that some step has.
    pub data: BTreeSet<(DataKind, Option<Split>)>,
    /// Parts whose catalogs could not be read and suffixes that cannot be analysed, with reasons.
    pub warnings: Vec<String>,
}

/// A tensor that layers have, by its name within the layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suffix {
    /// What it is of.
    pub kind: DataKind,
    /// The split; none where it serves both.
    pub split: Option<Split>,
    /// What stands before the layer's number in their names: `model.layers.`.
    pub stack: String,
    /// Whether it is the only stack of its files.
    pub is_only_stack: bool,
    /// As a config names it: `attention.v_proj`.
    pub name: String,
    /// The step that was looked at: the last that has this kind of data and split.
    pub step: u64,
    /// Its shape in every layer where it can be read, by layer.
    pub shapes: BTreeMap<u64, Vec<u64>>,
    /// Whether it can be read in every layer that has it.
    pub is_readable: bool,
    /// Whether its elements are fractions: masks and indices are not.
    pub is_float: bool,
}

impl Survey {
    /// Looks at the last step that has each kind of data.
    pub async fn of(run: &Run, tree: &dyn Tree, catalogs: &Catalogs) -> Self {
        let mut survey = Self::default();
        let (steps, parts): (Vec<u64>, Vec<&Part>) = last_parts(run).into_iter().unzip();
        let read = catalogs.parts(&parts, tree).await;
        for ((step, part), read) in steps.into_iter().zip(parts).zip(read) {
            survey.data.insert((part.kind, part.split));
            match read {
                Ok(read) => survey.add(part, step, &read.index),
                Err(error) => survey
                    .warnings
                    .push(format!("step {step} was passed over here: {error}")),
            }
        }
        survey
    }

    /// Adds the suffixes of a part that mean one tensor in every layer.
    fn add(&mut self, part: &Part, step: u64, index: &PartIndex) {
        let mut shared: BTreeMap<Vec<&str>, BTreeSet<&str>> = BTreeMap::new();
        let mut repeated = BTreeSet::new();
        let mut suffixes = BTreeMap::new();
        let mut obstructed: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for (stack, name) in index.suffixes() {
            let stacks = index.with(name);
            if stacks.len() > 1 {
                shared.entry(stacks).or_default().insert(name);
            } else if let Some(suffix) = Suffix::of(part, step, index, stack, name) {
                let reason = obstacle_of(index, stack, name).and_then(Obstacle::in_short);
                if let Some(reason) = reason.filter(|_| suffix.shapes.is_empty()) {
                    obstructed.entry(reason).or_default().insert(name);
                }
                suffixes.insert(name, suffix);
            } else {
                repeated.insert(name);
            }
        }
        let of_one = suffixes.into_values().filter(|it| !it.shapes.is_empty());
        self.suffixes.extend(of_one);
        let mut warn = |names: &BTreeSet<&str>, reason: &str| {
            let (kind, names) = (part.kind, in_words(names));
            self.warnings.push(format!(
                "{kind} of step {step} that cannot be analysed, because {reason}: {names}"
            ));
        };
        for (stacks, names) in &shared {
            let stacks = stacks.join(" and ");
            warn(
                names,
                &format!("the layers of {stacks} have the same names"),
            );
        }
        for (reason, names) in &obstructed {
            warn(names, reason);
        }
        if !repeated.is_empty() {
            warn(&repeated, "a layer has several of one name");
        }
    }

    /// The tensors that a config of a split reaches, of one kind.
    pub(crate) fn of_split(
        &self,
        kind: DataKind,
        split: Split,
    ) -> impl Iterator<Item = &Suffix> + '_ {
        let has_own = self.data.contains(&(kind, Some(split)));
        let wanted = has_own.then_some(split);
        let suffixes = self.suffixes.iter();
        suffixes.filter(move |suffix| (suffix.kind, suffix.split) == (kind, wanted))
    }
}

impl Suffix {
    /// A suffix of the only stack that has it; none where a layer has it more than once.
    fn of(part: &Part, step: u64, index: &PartIndex, stack: &str, name: &str) -> Option<Self> {
        let spelling = index.spelling(stack, name);
        let mut suffix = Self {
            kind: part.kind,
            split: part.split,
            stack: stack.to_owned(),
            is_only_stack: index.names().count() == 1,
            name: name.to_owned(),
            step,
            shapes: BTreeMap::new(),
            is_readable: true,
            is_float: false,
        };
        for layer in index.layers_with(stack, name, spelling) {
            let [tensor] = index.of_layer(stack, layer, name, spelling) else {
                return None;
            };
            match &tensor.storage {
                Storage::Values(tensor) => {
                    suffix.is_float |= suffix.shapes.is_empty();
                    suffix.shapes.insert(layer, tensor.shape().to_vec());
                }
                Storage::Integers(tensor) => {
                    suffix.shapes.insert(layer, tensor.shape().to_vec());
                }
                Storage::Obstructed(_) => suffix.is_readable = false,
            }
        }
        Some(suffix)
    }
}

/// Why a suffix has no values in the first layer that has it.
fn obstacle_of<'a>(index: &'a PartIndex, stack: &str, name: &str) -> Option<&'a Obstacle> {
    let spelling = index.spelling(stack, name);
    let layer = index.layers_with(stack, name, spelling).next()?;
    match &index.of(stack, layer, name, spelling).first()?.storage {
        Storage::Obstructed(obstacle) => Some(obstacle),
        Storage::Values(_) | Storage::Integers(_) => None,
    }
}

/// So many suffixes a warning names.
const NAMED: usize = 6;

fn in_words(names: &BTreeSet<&str>) -> String {
    let named: Vec<&str> = names.iter().take(NAMED).copied().collect();
    let more = names.len() - named.len();
    match more {
        0 => named.join(", "),
        _ => format!("{} and {more} more", named.join(", ")),
    }
}

/// The last part of each kind and split, with its step.
fn last_parts(run: &Run) -> Vec<(u64, &Part)> {
    let mut parts: BTreeMap<(DataKind, Option<Split>), (u64, &Part)> = BTreeMap::new();
    for step in &run.steps {
        for part in &step.parts {
            parts.insert((part.kind, part.split), (step.number, part));
        }
    }
    parts.into_values().collect()
}
