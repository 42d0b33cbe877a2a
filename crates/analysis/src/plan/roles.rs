//! Which tensors a component is made of where the config does not say it: those that the model's
//! architecture has for its parts, layer by layer.

use std::collections::{BTreeMap, BTreeSet};

use ckptscope_checkpoint::architecture::{
    Attention, AttentionKind, LayerTensors, Projection, Role, RoleError, Roles, View,
};
use ckptscope_checkpoint::{
    DataKind, HeadShape, HeldTensor, ModelConfig, Split, Storage, without_wrappers,
};

use super::dimensions::Dimensions;
use super::index::{PartIndex, RunIndex};
use super::problem::PlanProblem;
use crate::assembly::{AssembledInput, Assembly};
use crate::config::{ComponentEntry, meant, shown};

/// The tensors of a component in one layer, and how its matrices come about.
#[derive(Clone, Debug)]
pub(super) struct Assembled {
    pub(super) layer: u64,
    /// What stands before the layer's number; none where no step has another stack.
    pub(super) stack: Option<String>,
    /// Kinds and suffixes, as a config would name them.
    pub(super) tensors: Vec<(DataKind, String)>,
    pub(super) assembly: Assembly,
}

/// What a run has of a component's parts.
pub(super) struct OfComponent {
    /// By stack and layer.
    pub(super) layers: Vec<Assembled>,
    /// Why other layers do not have them.
    pub(super) without: BTreeMap<u64, RoleError>,
    /// What was assumed or left out.
    pub(super) notes: BTreeSet<String>,
}

/// Finds the tensors of components by their roles.
pub(super) struct RoleFinder<'a> {
    pub(super) index: &'a RunIndex,
    pub(super) config: Option<&'a ModelConfig>,
    pub(super) model: &'a Dimensions,
}

/// What layers of a stack have.
type OfLayers = BTreeMap<u64, Result<(Assembled, Vec<String>), RoleError>>;

impl RoleFinder<'_> {
    /// The tensors of a component at these steps.
    pub(super) fn find(
        &self,
        component: &ComponentEntry,
        split: Split,
        steps: &[u64],
    ) -> Result<OfComponent, PlanProblem> {
        let parts: Vec<&PartIndex> = steps
            .iter()
            .filter_map(|step| self.index.part(*step, DataKind::Weights, split))
            .collect();
        let is_alone = parts.iter().all(|part| part.names().count() == 1);
        let names: BTreeSet<&str> = parts.iter().flat_map(|part| part.names()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let stacks = match &component.stack {
            Some(named) => meant(named, names),
            None => names,
        };
        let mut found: BTreeMap<&str, OfLayers> = BTreeMap::new();
        for stack in stacks {
            // Layers whose stack has another name at another step are the same.
            let of_stack = found.entry(if is_alone { "" } else { stack }).or_default();
            for part in &parts {
                for layer in part.numbers(stack) {
                    let find = || self.in_layer(component, part, stack, layer, is_alone);
                    of_stack.entry(layer).or_insert_with(find);
                }
            }
        }
        self.settled(component, found, &parts)
    }

    fn in_layer(
        &self,
        component: &ComponentEntry,
        part: &PartIndex,
        stack: &str,
        layer: u64,
        is_alone: bool,
    ) -> Result<(Assembled, Vec<String>), RoleError> {
        let tensors = layer_tensors(part, stack, layer);
        let roles = Roles::of(self.config);
        let model = roles.in_stack(self.model.of_layer(stack, Some(layer)), stack);
        let attention = roles.attention(&model, &tensors, AttentionKind::Itself)?;
        let mut assembled = assembled(component, &attention, &tensors)?;
        assembled.layer = layer;
        assembled.stack = (!is_alone).then(|| stack.to_owned());
        Ok((assembled, attention.assumed))
    }

    /// What stacks have: of those that have the parts in some layers, these layers.
    fn settled(
        &self,
        component: &ComponentEntry,
        found: BTreeMap<&str, OfLayers>,
        parts: &[&PartIndex],
    ) -> Result<OfComponent, PlanProblem> {
        let label = component.label();
        let mut of_component = OfComponent {
            layers: Vec::new(),
            without: BTreeMap::new(),
            notes: BTreeSet::new(),
        };
        let mut left_out = Vec::new();
        for (stack, layers) in found {
            let misfit = layers.iter().find_map(|(layer, found)| {
                let error = found.as_ref().err().filter(|error| !is_absence(error))?;
                Some((*layer, error.clone()))
            });
            if !layers.values().any(Result::is_ok) {
                let first = || Some((0, layers.values().next()?.as_ref().err()?.clone()));
                left_out.extend(misfit.or_else(first).map(|(_, error)| (stack, error)));
                continue;
            }
            if let Some((layer, error)) = misfit {
                let reason = format!("layer {layer}: {error}");
                return Err(self.problem(component, reason, parts));
            }
            for (layer, found) in layers {
                match found {
                    Ok((assembled, assumed)) => {
                        let told = assumed.into_iter().map(|it| format!("{label}: {it}"));
                        of_component.notes.extend(told);
                        of_component.layers.push(assembled);
                    }
                    Err(error) => drop(of_component.without.insert(layer, error)),
                }
            }
        }
        if of_component.layers.is_empty() {
            return Err(self.nothing(component, &left_out, parts));
        }
        let left_out = left_out.iter().filter(|(_, error)| !is_absence(error));
        let told = left_out.map(|(stack, error)| {
            format!(
                "{label}: the layers of {} are left out: {error}",
                shown(stack)
            )
        });
        of_component.notes.extend(told);
        Ok(of_component)
    }

    fn nothing(
        &self,
        component: &ComponentEntry,
        reasons: &[(&str, RoleError)],
        parts: &[&PartIndex],
    ) -> PlanProblem {
        let told = reasons.iter().find(|(_, error)| !is_absence(error));
        match told.or(reasons.first()) {
            Some((stack, RoleError::HeadsUnknown)) => PlanProblem::HeadsUnknown {
                location: component.location.clone(),
                key: component.label().into_owned(),
                step: None,
                looked_for: self.model.why_unknown(stack),
            },
            Some((_, error)) => self.problem(component, error.to_string(), parts),
            None => self.problem(component, "there are no such layers".to_owned(), parts),
        }
    }

    pub(super) fn problem(
        &self,
        component: &ComponentEntry,
        reason: String,
        parts: &[&PartIndex],
    ) -> PlanProblem {
        let suffixes = parts.iter().flat_map(|part| part.suffixes());
        let suffixes: BTreeSet<&str> = suffixes.map(|(_, suffix)| suffix).collect();
        PlanProblem::NoParts {
            location: component.location.clone(),
            component: component.label().into_owned(),
            reason,
            existing: suffixes.into_iter().map(str::to_owned).collect(),
        }
    }
}

/// Whether it says no more than that a layer does not have such tensors.
const fn is_absence(error: &RoleError) -> bool {
    matches!(
        error,
        RoleError::Unrecognised | RoleError::NothingOf { .. } | RoleError::NoAttention { .. }
    )
}

fn layer_tensors(part: &PartIndex, stack: &str, layer: u64) -> LayerTensors {
    let shape = |held: &HeldTensor| match &held.storage {
        Storage::Values(tensor) | Storage::Integers(tensor) => tensor.shape().to_vec(),
        Storage::Obstructed(_) => Vec::new(),
    };
    let tensors = part.tensors(stack, layer);
    tensors
        .filter_map(|(name, held)| Some((name.to_owned(), shape(held.first()?))))
        .collect()
}

/// The tensors of a component's inputs, and what is cut out of them.
fn assembled(
    component: &ComponentEntry,
    attention: &Attention,
    layer: &LayerTensors,
) -> Result<Assembled, RoleError> {
    let parts = component.component.parts();
    let mut tensors: Vec<(DataKind, String)> = Vec::new();
    let (mut inputs, mut made_of) = (Vec::new(), Vec::new());
    for (kind, place) in component.component.inputs(component.kind) {
        let Some(role) = parts.get(place) else {
            continue;
        };
        let mut projection = attention.projection(*role)?.clone();
        if !component.parameters.boolean("gains") {
            projection = projection.without_norms();
        }
        if kind != DataKind::Weights && projection.latent.is_some() {
            return Err(RoleError::OfWeightsOnly { role: *role });
        }
        made_of.push(in_words(&projection, layer));
        inputs.push(AssembledInput {
            projection: placed(&projection, kind, layer, &mut tensors),
            writes_columns: kind == DataKind::Activations,
        });
    }
    let reads_queries = parts.contains(&Role::Query);
    let width = if reads_queries {
        attention.d_qk
    } else {
        attention.d_v
    };
    let heads = HeadShape {
        n_heads: Some(attention.n_heads),
        n_kv_heads: Some(attention.n_kv_heads),
        d_head: Some(width),
    };
    Ok(Assembled {
        layer: 0,
        stack: None,
        tensors,
        assembly: Assembly {
            inputs,
            made_of,
            heads,
        },
    })
}

/// The tensors of a map: `attention.v_proj`, `part of attn.c_attn`. Where a part begins and ends
/// is left out, because models of several sizes differ in it.
fn in_words(projection: &Projection<String>, layer: &LayerTensors) -> String {
    let view = |view: &View<String>| {
        let name = without_wrappers(as_suffix(&view.tensor, layer)).into_owned();
        match view.rows.is_some() || view.slice.is_some() {
            true => format!("part of {name}"),
            false => name,
        }
    };
    let mut words = view(&projection.view);
    if let Some(latent) = &projection.latent {
        words += &format!(" after {}", view(&latent.view));
        if let Some(shared) = &latent.shared {
            words += &format!(" and {}", view(shared));
        }
    }
    words
}

/// The projection with places among the tensors, to which those that are new are added.
fn placed(
    projection: &Projection<String>,
    kind: DataKind,
    layer: &LayerTensors,
    tensors: &mut Vec<(DataKind, String)>,
) -> Projection<usize> {
    projection.map(&mut |name| {
        let wanted = (kind, as_suffix(name, layer).to_owned());
        let known = tensors.iter().position(|tensor| *tensor == wanted);
        known.unwrap_or_else(|| {
            tensors.push(wanted);
            tensors.len() - 1
        })
    })
}

/// A name as a config spells it: without `.weight` where that is enough.
fn as_suffix<'a>(name: &'a str, layer: &LayerTensors) -> &'a str {
    match name.strip_suffix(".weight") {
        Some(short) if !layer.contains_key(short) => short,
        _ => name,
    }
}
