//! What a run's model is made of, as its architecture says.
//!
//! Proposals, `worker inspect` and the page ask here. A plan asks the same resolver
//! ([`Roles`]) of each of its steps.

use std::collections::{BTreeMap, BTreeSet};

use ckptscope_checkpoint::architecture::{
    Attention, AttentionKind, FoundParts, LayerTensors, Role, RoleError, Roles,
};
use ckptscope_checkpoint::{DataKind, ModelConfig, Run, Split};

use crate::config::LayerSuffix;
use crate::plan::Dimensions;
use crate::survey::{Suffix, Survey};

/// The parts of a model, from its weights at the last step that has them.
#[derive(Clone, Debug, Default)]
pub struct Anatomy {
    /// The type of the model, as its config says it.
    pub model_type: Option<String>,
    /// The architecture that is of; none where it is not known.
    pub architecture: Option<&'static str>,
    /// What layers have, by stack: `model.layers.`.
    pub stacks: BTreeMap<String, StackAnatomy>,
    /// The parts outside of layers, or why they cannot be told.
    pub outside: BTreeMap<Role, Result<OutsideAnatomy, RoleError>>,
}

/// A part of a model outside of its layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutsideAnatomy {
    /// Its tensor.
    pub name: String,
    /// Whether it is the embedding that serves as the unembedding too.
    pub is_tied: bool,
    /// What was assumed, in words.
    pub assumed: Vec<String>,
}

/// The parts of one stack of layers.
#[derive(Clone, Debug, Default)]
pub struct StackAnatomy {
    /// Layers that have weights.
    pub layers: BTreeSet<u64>,
    /// The attention of each, or why it cannot be told.
    pub attention: BTreeMap<u64, Result<Attention, RoleError>>,
    /// What each layer has of each role, or why it cannot be told.
    pub parts: BTreeMap<Role, BTreeMap<u64, Result<FoundParts, RoleError>>>,
    /// What was assumed, in words.
    pub assumed: BTreeSet<String>,
}

impl Anatomy {
    /// Of the weights of the run that a survey was made of; where only splits have some, of those
    /// of all splits.
    #[must_use]
    pub fn of(run: &Run, survey: &Survey) -> Self {
        let is_whole = |suffix: &&Suffix| suffix.split.is_none();
        let has_whole = weights(survey.suffixes.iter()).any(|suffix| is_whole(&suffix));
        let suffixes = survey.suffixes.iter();
        let suffixes = suffixes.filter(|suffix| !has_whole || is_whole(suffix));
        let mut anatomy = Self::of_suffixes(run, suffixes);
        let roles = Roles::of(run.config.as_ref());
        let names: Vec<&str> = survey.outside.iter().map(String::as_str).collect();
        for role in Role::ALL.iter().filter(|role| role.is_outside_layers()) {
            let found = roles.outside(*role, &names);
            let found = found.map(|part| OutsideAnatomy {
                name: part.name.to_owned(),
                is_tied: part.is_tied,
                assumed: part.assumed,
            });
            anatomy.outside.insert(*role, found);
        }
        anatomy
    }

    /// The roles of which the model has tensors that can be told, in their usual order.
    pub fn roles(&self) -> impl Iterator<Item = Role> {
        let in_layers = |role: &Role| {
            let layers = self
                .stacks
                .values()
                .filter_map(|stack| stack.parts.get(role));
            layers.flat_map(BTreeMap::values).any(Result::is_ok)
        };
        let is_outside = |role: &Role| self.outside.get(role).is_some_and(Result::is_ok);
        let all = Role::ALL.iter().copied();
        all.filter(move |role| in_layers(role) || is_outside(role))
    }

    /// How many experts a layer has, at most; none where no layer has any.
    #[must_use]
    pub fn experts(&self) -> Option<usize> {
        let parts = self
            .stacks
            .values()
            .filter_map(|stack| stack.parts.get(&Role::Down));
        let found = parts.flat_map(BTreeMap::values).flatten();
        let counts = found.map(|it| it.parts.iter().filter(|part| part.expert.is_some()).count());
        counts.max().filter(|count| *count > 0)
    }

    /// Whether the embedding serves as the unembedding too.
    #[must_use]
    pub fn is_tied(&self) -> bool {
        let unembedding = self.outside.get(&Role::Unembedding);
        unembedding.is_some_and(|found| found.as_ref().is_ok_and(|part| part.is_tied))
    }

    /// Of the weights that a config of a split reaches.
    pub(crate) fn of_split(run: &Run, survey: &Survey, split: Split) -> Self {
        Self::of_suffixes(run, survey.of_split(DataKind::Weights, split))
    }

    fn of_suffixes<'a>(run: &Run, suffixes: impl Iterator<Item = &'a Suffix>) -> Self {
        let roles = Roles::of(run.config.as_ref());
        let model = Dimensions::of(run.model.as_ref());
        let mut stacks: BTreeMap<String, StackAnatomy> = BTreeMap::new();
        for ((stack, layer), tensors) in layers_of(suffixes) {
            let of_layer = roles.in_stack(model.of_layer(stack, Some(layer)), stack);
            let anatomy = stacks.entry(stack.to_owned()).or_default();
            anatomy.layers.insert(layer);
            let attention = roles.attention(&of_layer, &tensors, AttentionKind::Itself);
            anatomy.attention.insert(layer, attention);
            for role in Role::ALL.iter().filter(|role| !role.is_outside_layers()) {
                let parts = roles.parts(*role, &of_layer, &tensors);
                anatomy.parts.entry(*role).or_default().insert(layer, parts);
            }
        }
        for anatomy in stacks.values_mut() {
            anatomy.gather_assumed();
        }
        let model_type = |config: &ModelConfig| config.model_type.clone();
        Self {
            model_type: run.config.as_ref().and_then(model_type),
            architecture: roles.architecture().map(|it| it.name),
            stacks,
            outside: BTreeMap::new(),
        }
    }
}

fn weights<'a>(suffixes: impl Iterator<Item = &'a Suffix>) -> impl Iterator<Item = &'a Suffix> {
    suffixes.filter(|suffix| suffix.kind == DataKind::Weights && suffix.is_float)
}

/// Weights by stack and layer.
fn layers_of<'a>(
    suffixes: impl Iterator<Item = &'a Suffix>,
) -> BTreeMap<(&'a str, u64), LayerTensors> {
    let mut layers: BTreeMap<(&str, u64), LayerTensors> = BTreeMap::new();
    for suffix in weights(suffixes) {
        let within = LayerSuffix::of(&suffix.name).within;
        for (layer, shape) in &suffix.shapes {
            let tensors = layers.entry((&suffix.stack, *layer)).or_default();
            tensors.insert(within.to_owned(), shape.clone());
        }
    }
    layers
}

impl StackAnatomy {
    /// The layers that have a role and what they have; none where no layer has it, or where some
    /// layer has tensors of it that do not fit.
    #[must_use]
    pub fn part(&self, role: Role) -> Option<BTreeMap<u64, &FoundParts>> {
        found(self.parts.get(&role)?)
    }

    /// The same of attention.
    #[must_use]
    pub fn heads(&self) -> Option<BTreeMap<u64, &Attention>> {
        found(&self.attention)
    }

    /// Why a role cannot be told, where a layer has tensors of it that do not fit.
    pub fn misfits(&self) -> impl Iterator<Item = (u64, &RoleError)> {
        let of_attention = self.attention.iter();
        let of_attention =
            of_attention.filter_map(|(layer, it)| Some((*layer, it.as_ref().err()?)));
        let of_parts = self
            .parts
            .iter()
            .filter(|(role, _)| !role.is_of_attention());
        let of_parts = of_parts.flat_map(|(_, layers)| layers);
        let of_parts = of_parts.filter_map(|(layer, it)| Some((*layer, it.as_ref().err()?)));
        let all = of_attention.chain(of_parts);
        all.filter(|(_, error)| !error.is_absence())
    }

    fn gather_assumed(&mut self) {
        let of_attention = self.attention.values().flatten();
        let of_attention = of_attention.flat_map(|it| &it.assumed);
        let of_parts = self.parts.values().flat_map(BTreeMap::values).flatten();
        let of_parts = of_parts.flat_map(|it| &it.assumed);
        self.assumed = of_attention.chain(of_parts).cloned().collect();
    }
}

fn found<T>(layers: &BTreeMap<u64, Result<T, RoleError>>) -> Option<BTreeMap<u64, &T>> {
    let mut found = BTreeMap::new();
    for (layer, part) in layers {
        match part {
            Ok(part) => drop(found.insert(*layer, part)),
            Err(error) if error.is_absence() => {}
            Err(_) => return None,
        }
    }
    (!found.is_empty()).then_some(found)
}
