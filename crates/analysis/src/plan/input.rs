//! What a component reads: a suffix of the config, and the tensors that it means at every step.
//!
//! A suffix that means several tensors is refused: the plan names the stacks that have it, or the
//! files. A step whose only stack has another name may use that one, and the plan warns.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use ckptscope_checkpoint::{DataKind, HeldTensor, Spelling, Split, without_wrappers};

use super::index::{PartIndex, RunIndex};
use crate::config::{LayerSuffix, meant, shown};

/// What a config says of tensors: a suffix, and the stack where it names one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wanted {
    /// The kind of data.
    pub(super) kind: DataKind,
    /// The split.
    pub(super) split: Split,
    /// What stands behind the layer's number, as the config spells it.
    pub(super) suffix: String,
    /// The stack, as the config names it.
    pub(super) stack: Option<String>,
    /// Whether it is the whole name of a tensor outside of layers.
    pub(super) is_outside: bool,
}

/// A suffix of the config, looked up in every step that has its kind of data.
#[derive(Debug)]
pub(super) struct Input {
    /// What the config says of it.
    pub(super) wanted: Wanted,
    /// Its suffix without wrappers: as stacks have it.
    plain: String,
    spelling: Spelling,
    steps: BTreeMap<u64, AtStep>,
}

/// The data of one step that has the suffix.
#[derive(Debug)]
struct AtStep {
    part: Rc<PartIndex>,
    /// The stacks that have it, of those that the config means; of several none is taken. None of a
    /// tensor outside of layers.
    stacks: Vec<String>,
}

impl AtStep {
    fn of(part: &Rc<PartIndex>, suffix: &str, stack: Option<&str>) -> Option<Self> {
        let with = part.with(suffix);
        let stacks = match stack {
            Some(stack) => meant(stack, with),
            None => with,
        };
        let stacks: Vec<String> = stacks.into_iter().map(str::to_owned).collect();
        let part = Rc::clone(part);
        (!stacks.is_empty()).then_some(Self { part, stacks })
    }

    /// The stacks that have the suffix beside the one that is meant.
    fn others(&self, suffix: &str) -> Vec<String> {
        let Some(own) = self.stack() else {
            return Vec::new();
        };
        let with = self.part.with(suffix).into_iter();
        with.filter(|it| *it != own).map(str::to_owned).collect()
    }

    /// Takes none of these stacks; whether any is left.
    fn leave_out(&mut self, others: &BTreeSet<String>) -> bool {
        self.stacks.retain(|stack| !others.contains(stack));
        !self.stacks.is_empty()
    }

    fn outside(part: &Rc<PartIndex>, name: &str) -> Option<Self> {
        let found = part.of_no_layer(name, Spelling::WeightMayLack);
        let part = Rc::clone(part);
        (!found.is_empty()).then_some(Self {
            part,
            stacks: Vec::new(),
        })
    }

    fn stack(&self) -> Option<&str> {
        match self.stacks.as_slice() {
            [stack] => Some(stack),
            _ => None,
        }
    }

    fn is_whole(&self, suffix: &str, is_outside: bool) -> bool {
        if is_outside {
            return self.part.spelling_outside(suffix) == Spelling::Whole;
        }
        let mut stacks = self.stacks.iter();
        stacks.any(|stack| self.part.spelling(stack, suffix) == Spelling::Whole)
    }
}

impl Wanted {
    /// Of a suffix as it is written, and the stack that its component names.
    pub(super) fn of(kind: DataKind, split: Split, written: &str, stack: Option<&str>) -> Self {
        let suffix = LayerSuffix::of(written);
        Self {
            kind,
            split,
            suffix: suffix.within.to_owned(),
            stack: suffix.stack.or(stack).map(str::to_owned),
            is_outside: false,
        }
    }

    /// Of a tensor outside of layers, by its whole name.
    pub(super) fn outside(kind: DataKind, split: Split, name: &str) -> Self {
        Self {
            kind,
            split,
            suffix: name.to_owned(),
            stack: None,
            is_outside: true,
        }
    }

    /// The suffix, with the stack in front where the config names one.
    pub(super) fn tensors(&self) -> String {
        let suffix = &self.suffix;
        match &self.stack {
            Some(stack) => format!("{}.*.{suffix}", shown(stack)),
            None => suffix.clone(),
        }
    }
}

impl Input {
    /// Looks a suffix up in the data of its kind and split.
    pub(super) fn of(index: &RunIndex, wanted: Wanted) -> Self {
        let plain = without_wrappers(&wanted.suffix).into_owned();
        let stack = wanted.stack.as_deref();
        let at_step = |part| match wanted.is_outside {
            true => AtStep::outside(part, &plain),
            false => AtStep::of(part, &plain, stack),
        };
        let mut steps: BTreeMap<u64, AtStep> = index
            .of(wanted.kind, wanted.split)
            .filter_map(|(step, part)| Some((step, at_step(part)?)))
            .collect();
        // What stands beside the chosen stack at one step is no other name of it at another.
        let of_others = |at: &AtStep| at.others(&plain);
        let others: BTreeSet<String> = steps.values().flat_map(of_others).collect();
        steps.retain(|_, at| at.stacks.is_empty() || at.leave_out(&others));
        // At no step may it mean another tensor than at the next.
        let is_outside = wanted.is_outside;
        let is_whole = steps.values().any(|at| at.is_whole(&plain, is_outside));
        Self {
            wanted,
            plain,
            spelling: if is_whole {
                Spelling::Whole
            } else {
                Spelling::WeightMayLack
            },
            steps,
        }
    }

    /// Whether some layer has another tensor besides, whose name goes on with `.weight`.
    pub(super) const fn is_whole(&self) -> bool {
        matches!(self.spelling, Spelling::Whole)
    }

    /// Its suffix as stacks have it.
    pub(super) fn plain(&self) -> &str {
        &self.plain
    }

    /// Whether some of these steps has it.
    pub(super) fn is_at(&self, steps: &[u64]) -> bool {
        self.at(steps).next().is_some()
    }

    /// The layers that have it at some of these steps.
    pub(super) fn layers(&self, steps: &[u64]) -> BTreeSet<u64> {
        let of_step = |at: &AtStep| -> Vec<u64> {
            let stacks = at.stacks.iter();
            let layers =
                stacks.flat_map(|stack| at.part.layers_with(stack, &self.plain, self.spelling));
            layers.collect()
        };
        self.at(steps).flat_map(of_step).collect()
    }

    /// The tensors of these steps whose names begin with its own and a dot, each with its layer, but
    /// for biases and for the layers that have it.
    pub(super) fn other_forms(
        &self,
        steps: &[u64],
        available: &BTreeSet<u64>,
    ) -> BTreeSet<(u64, String)> {
        let is_form = |name: &str| {
            let rest = name.strip_prefix(self.plain.as_str());
            rest.is_some_and(|rest| rest.starts_with('.') && !rest.ends_with("bias"))
        };
        let mut forms = BTreeSet::new();
        for at in self.at(steps) {
            for stack in &at.stacks {
                let layers = at.part.numbers(stack);
                for layer in layers.filter(|it| !available.contains(it)) {
                    let names = at.part.tensors(stack, layer).map(|(name, _)| name);
                    let own = names.filter(|name| is_form(name));
                    forms.extend(own.map(|name| (layer, name.to_owned())));
                }
            }
        }
        forms
    }

    /// The tensors that it means in a layer, or outside of layers, at a step: one, or what cannot be
    /// told apart.
    pub(super) fn tensors(&self, step: u64, layer: Option<u64>) -> &[HeldTensor] {
        let at = self.steps.get(&step);
        let Some(layer) = layer else {
            return at.map_or(&[], |at| at.part.of_no_layer(&self.plain, self.spelling));
        };
        let found = at.and_then(|at| Some((&at.part, at.stack()?)));
        found.map_or(&[], |(part, stack)| {
            part.of_layer(stack, layer, &self.plain, self.spelling)
        })
    }

    /// The stack of a layer at a step.
    pub(super) fn stack(&self, step: u64, layer: u64) -> Option<&str> {
        let has_layer = !self.tensors(step, Some(layer)).is_empty();
        self.steps.get(&step)?.stack().filter(|_| has_layer)
    }

    /// The same as its names have it, wrappers included.
    pub(super) fn written_stack(&self, step: u64, layer: u64) -> Option<&str> {
        let stack = self.stack(step, layer)?;
        self.steps.get(&step)?.part.written(stack).next()
    }

    fn at(&self, steps: &[u64]) -> impl Iterator<Item = &AtStep> {
        steps.iter().filter_map(|step| self.steps.get(step))
    }
}

/// The stacks that inputs of one component take tensors of at these steps.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum StacksOf {
    /// They are one, or the config names the one of each input.
    One,
    /// Every checkpoint has one that is meant, which lies deeper in some than in others.
    Renamed(BTreeSet<String>),
    /// Some checkpoint has several, or checkpoints have different ones.
    Several(BTreeSet<String>),
}

impl StacksOf {
    pub(super) fn inputs<'a>(inputs: impl IntoIterator<Item = &'a Input>, steps: &[u64]) -> Self {
        let mut stacks = BTreeSet::new();
        let (mut is_alone, mut is_chosen, mut is_renamed) = (true, true, false);
        for input in inputs {
            let mut own = BTreeSet::new();
            let is_named = input.wanted.stack.is_some();
            for at in input.at(steps) {
                own.extend(at.stacks.iter().cloned());
                let is_meant = is_named && at.stack().is_some();
                is_alone &= is_meant || at.part.names().count() == 1;
            }
            is_chosen &= is_named;
            is_renamed |= own.len() > 1;
            is_alone &= may_be_one(&own);
            stacks.extend(own);
        }
        match stacks.len() {
            0 | 1 => Self::One,
            _ if !is_alone => Self::Several(stacks),
            // The config names a stack for every input.
            _ if is_chosen && !is_renamed => Self::One,
            _ if is_chosen || may_be_one(&stacks) => Self::Renamed(stacks),
            _ => Self::Several(stacks),
        }
    }
}

/// Segments that say what a file or a trainer holds a model in, and not which model it is.
const CONTAINERS: &[&str] = &["state_dict", "model_state_dict", "model", "network", "net"];

/// Whether names may be those of one stack that lies deeper at some steps than at others: of any
/// two, one ends in the other, or they are the same but for what the model is held in.
fn may_be_one(stacks: &BTreeSet<String>) -> bool {
    let ends_in = |long: &str, short: &str| {
        let before = long.strip_suffix(short);
        before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
    };
    stacks.iter().all(|one| {
        let mut others = stacks.iter();
        others.all(|other| {
            let is_deeper = ends_in(one, other) || ends_in(other, one);
            is_deeper || without_containers(one) == without_containers(other)
        })
    })
}

fn without_containers(stack: &str) -> &str {
    match stack.split_once('.') {
        Some((first, rest)) if CONTAINERS.contains(&first) => without_containers(rest),
        _ => stack,
    }
}
