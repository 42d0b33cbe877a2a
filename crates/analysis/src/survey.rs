//! What a run's layers have, from the catalogs of one step per kind of data.
//!
//! The survey looks at the last step that has each kind of data. Where its files are broken it looks
//! at the one before: a run that was killed leaves half of a step behind.

use std::collections::{BTreeMap, BTreeSet};

use ckptscope_checkpoint::{DataKind, Obstacle, Part, Run, Split, Storage, Tree};

use crate::config::{shown, with_stack};
use crate::plan::{Catalogs, PartIndex, missing_layers, odd_files};

/// The tensors that layers have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// By kind, split and suffix. What a config would be refused for is not among them: names that
    /// several tensors have.
    pub suffixes: Vec<Suffix>,
    /// The weights outside of layers, by the names that configs give them.
    pub outside: BTreeSet<String>,
    /// The kinds and splits of data that some step has.
    pub data: BTreeSet<(DataKind, Option<Split>)>,
    /// Parts whose catalogs could not be read and suffixes that cannot be analysed, with reasons.
    pub warnings: Vec<String>,
    /// What is said of weights that have fewer layers than their model.
    pub missing_layers: Vec<String>,
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
    /// As a config names it: `attention.v_proj`, `encoder.layers.*.attn` where several stacks have
    /// it.
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
    /// Looks at the last step that has each kind of data, of those that can be read.
    pub async fn of(run: &Run, tree: &dyn Tree, catalogs: &Catalogs) -> Self {
        let mut survey = Self::default();
        let mut waiting = parts_by_kind(run);
        for _ in 0..STEPS_TRIED {
            let (steps, parts): (Vec<u64>, Vec<&Part>) = waiting
                .iter()
                .filter_map(|parts| parts.last().copied())
                .unzip();
            let read = catalogs.parts(&parts, tree).await;
            survey.warnings.extend(odd_files(read.iter().flatten()));
            let mut broken = BTreeSet::new();
            for ((step, part), read) in steps.into_iter().zip(parts).zip(read) {
                survey.data.insert((part.kind, part.split));
                match read {
                    Ok(read) => {
                        let missing = missing_layers(run, [(step, part, &*read)]);
                        survey.missing_layers.extend(missing);
                        if !survey.add(part, step, &read.index) {
                            broken.insert((part.kind, part.split));
                        }
                    }
                    Err(error) => {
                        let warning = format!("step {step} was passed over here: {error}");
                        survey.warnings.push(warning);
                        if error.is_of_file() {
                            broken.insert((part.kind, part.split));
                        }
                    }
                }
            }
            waiting.retain_mut(|parts| {
                let last = parts.pop().map(|(_, part)| (part.kind, part.split));
                last.is_some_and(|last| broken.contains(&last)) && !parts.is_empty()
            });
            if waiting.is_empty() {
                break;
            }
        }
        survey
    }

    /// Adds the suffixes of a part that mean one tensor in every layer of a stack. Returns false where
    /// there are layers, and none of their tensors can be read.
    fn add(&mut self, part: &Part, step: u64, index: &PartIndex) -> bool {
        if part.kind == DataKind::Weights {
            let outside = index.names_outside().into_iter();
            self.outside.extend(outside.map(str::to_owned));
        }
        let mut is_unreadable = false;
        let mut repeated = BTreeSet::new();
        let mut suffixes = BTreeMap::new();
        let mut obstructed: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for (stack, name) in index.suffixes() {
            match Suffix::of(part, step, index, stack, name) {
                Some(suffix) => {
                    let obstacle = obstacle_of(index, stack, name);
                    is_unreadable |= matches!(obstacle, Some(Obstacle::Unreadable { .. }));
                    let reason = obstacle.and_then(Obstacle::in_short);
                    if let Some(reason) = reason.filter(|_| suffix.shapes.is_empty()) {
                        obstructed.entry(reason).or_default().insert(name);
                    }
                    suffixes.insert((name, stack), suffix);
                }
                None => {
                    repeated.insert(name);
                }
            }
        }
        let known = self.suffixes.len();
        let seen = suffixes.into_values().filter(|it| !it.shapes.is_empty());
        self.suffixes.extend(seen);
        is_unreadable &= self.suffixes.len() == known;
        for (reason, names) in &obstructed {
            let (kind, names) = (part.kind, in_words(names));
            self.warnings.push(format!(
                "{kind} of step {step} that cannot be analysed, because {reason}: {names}"
            ));
        }
        if !repeated.is_empty() {
            let (kind, names) = (part.kind, in_words(&repeated));
            self.warnings.push(format!(
                "{kind} of step {step} that cannot be analysed, because a layer has several of one \
                 name: {names}"
            ));
        }
        !is_unreadable
    }

    /// The stacks of layers as configs name them, `encoder.block`, each with its number of layers.
    #[must_use]
    pub fn stacks(&self) -> BTreeMap<&str, usize> {
        let mut layers: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
        for suffix in &self.suffixes {
            let of_stack = layers.entry(shown(&suffix.stack)).or_default();
            of_stack.extend(suffix.shapes.keys());
        }
        let counted = layers.into_iter();
        counted
            .map(|(stack, layers)| (stack, layers.len()))
            .collect()
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
    /// A suffix of a stack; none where a layer has it more than once.
    fn of(part: &Part, step: u64, index: &PartIndex, stack: &str, name: &str) -> Option<Self> {
        let spelling = index.spelling(stack, name);
        let mut suffix = Self {
            kind: part.kind,
            split: part.split,
            stack: stack.to_owned(),
            is_only_stack: index.names().count() == 1,
            name: if index.with(name).len() > 1 {
                with_stack(stack, name)
            } else {
                name.to_owned()
            },
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
    match &index
        .of_layer(stack, layer, name, spelling)
        .first()?
        .storage
    {
        Storage::Obstructed(obstacle) => Some(obstacle),
        Storage::Values(_) | Storage::Integers(_) => None,
    }
}

/// So many steps are tried, from the last, until one can be read.
const STEPS_TRIED: usize = 4;

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

/// Parts, each with its step.
type PartsOfSteps<'a> = Vec<(u64, &'a Part)>;

/// The parts of each kind and split, with their steps, ascending.
fn parts_by_kind(run: &Run) -> Vec<PartsOfSteps<'_>> {
    let mut parts: BTreeMap<_, PartsOfSteps<'_>> = BTreeMap::new();
    for step in &run.steps {
        for part in &step.parts {
            let of_kind = parts.entry((part.kind, part.split)).or_default();
            of_kind.push((step.number, part));
        }
    }
    parts.into_values().collect()
}
