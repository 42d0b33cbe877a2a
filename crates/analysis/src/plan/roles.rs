//! Which tensors a component is made of where the config does not say it: those that the model's
//! architecture has for its parts, layer by layer.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use ckptscope_checkpoint::architecture::{
    Attention, AttentionKind, FoundParts, LayerTensors, Projection, Role, RoleError, Roles, View,
};
use ckptscope_checkpoint::{
    DataKind, HeadShape, HeldTensor, ModelConfig, Split, Storage, without_wrappers,
};

use super::dimensions::Dimensions;
use super::index::{PartIndex, RunIndex};
use super::lanes::matrix_shape;
use super::problem::PlanProblem;
use crate::assembly::{AssembledInput, Assembly, StoredShape};
use crate::config::{ComponentEntry, meant, shown};

/// The tensors of a component in one layer, and how its matrices come about.
#[derive(Clone, Debug)]
pub(super) struct Assembled {
    pub(super) layer: u64,
    /// What stands before the layer's number; none where no step has another stack.
    pub(super) stack: Option<String>,
    /// The expert, where it is of one.
    pub(super) expert: Option<u64>,
    /// Kinds and suffixes, as a config would name them.
    pub(super) tensors: Vec<(DataKind, String)>,
    pub(super) assembly: Assembly,
    /// The steps that store it otherwise.
    pub(super) otherwise_at: BTreeSet<u64>,
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
type OfLayers = BTreeMap<u64, OfLayer>;

/// What a layer has, as its steps show it.
struct OfLayer {
    /// Its tensors at the step that was looked at first.
    tensors: LayerTensors,
    /// Whether one of them has no values, and so no shape.
    is_obstructed: bool,
    found: Found,
}

/// The tensors of a component, of each expert by itself, and what was assumed.
type Found = Result<(Vec<Assembled>, Vec<String>), RoleError>;

impl RoleFinder<'_> {
    /// The tensors of a component at these steps.
    pub(super) fn find(
        &self,
        component: &ComponentEntry,
        split: Split,
        steps: &[u64],
    ) -> Result<OfComponent, PlanProblem> {
        let at = |step: &u64| Some((*step, self.index.part(*step, DataKind::Weights, split)?));
        let by_step: Vec<(u64, &PartIndex)> = steps.iter().filter_map(at).collect();
        let parts: Vec<&PartIndex> = by_step.iter().map(|(_, part)| *part).collect();
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
            for (step, part) in &by_step {
                for layer in part.numbers(stack) {
                    let find = || {
                        let tensors = layer_tensors(part, stack, layer);
                        let mut found = self.in_layer(component, &tensors, stack, layer);
                        if let (Ok((assembled, _)), false) = (&mut found, is_alone) {
                            let name = |one: &mut Assembled| one.stack = Some(stack.to_owned());
                            assembled.iter_mut().for_each(name);
                        }
                        let is_obstructed = is_obstructed(part, stack, layer);
                        OfLayer {
                            tensors,
                            is_obstructed,
                            found,
                        }
                    };
                    match of_stack.entry(layer) {
                        Entry::Vacant(place) => drop(place.insert(find())),
                        Entry::Occupied(mut known) => {
                            if !known.get().is_stored_so(part, stack, layer) {
                                known.get_mut().compare(*step, find());
                            }
                        }
                    }
                }
            }
        }
        self.settled(component, found, &parts)
    }

    fn in_layer(
        &self,
        component: &ComponentEntry,
        tensors: &LayerTensors,
        stack: &str,
        layer: u64,
    ) -> Found {
        let roles = Roles::of(self.config);
        let model = roles.in_stack(self.model.of_layer(stack, Some(layer)), stack);
        let (mut found, told) = match component.part {
            Some(role) => {
                let parts = roles.parts(role, &model, tensors)?;
                of_part(component.kind, role, &parts, tensors)?
            }
            None => {
                let attention = roles.attention(&model, tensors, AttentionKind::Itself)?;
                let circuit = assembled(component, &attention, tensors)?;
                let mut told = attention.assumed.clone();
                let remark = component.component.remark(&attention);
                let told_of = [told_of_norms(component, &attention), remark];
                told.extend(told_of.into_iter().flatten().map(str::to_owned));
                (vec![circuit], told)
            }
        };
        found.iter_mut().for_each(|one| one.layer = layer);
        Ok((found, told))
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
            let misfit = layers.iter().find_map(|(layer, of_layer)| {
                let error = of_layer.found.as_ref().err();
                let error = error.filter(|error| !error.is_absence())?;
                Some((*layer, error.clone()))
            });
            if !layers.values().any(|of_layer| of_layer.found.is_ok()) {
                let first = || Some((0, layers.values().next()?.found.as_ref().err()?.clone()));
                left_out.extend(misfit.or_else(first).map(|(_, error)| (stack, error)));
                continue;
            }
            if let Some((layer, error)) = misfit {
                let reason = format!("layer {layer}: {error}");
                return Err(self.problem(component, reason, parts));
            }
            for (layer, of_layer) in layers {
                match of_layer.found {
                    Ok((assembled, assumed)) => {
                        let told = assumed.into_iter().map(|it| format!("{label}: {it}"));
                        of_component.notes.extend(told);
                        of_component.layers.extend(assembled);
                    }
                    Err(error) => drop(of_component.without.insert(layer, error)),
                }
            }
        }
        if of_component.layers.is_empty() {
            return Err(self.nothing(component, &left_out, parts));
        }
        let left_out = left_out.iter().filter(|(_, error)| !error.is_absence());
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
        let told = reasons.iter().find(|(_, error)| !error.is_absence());
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

impl OfLayer {
    /// Whether a step has the same tensors of the layer.
    fn is_stored_so(&self, part: &PartIndex, stack: &str, layer: u64) -> bool {
        let tensors = part.tensors(stack, layer);
        let tensors = tensors.filter_map(|(name, held)| Some((name, shape_of(held.first()?))));
        let known = self.tensors.iter();
        tensors.eq(known.map(|(name, shape)| (name.as_str(), shape.as_slice())))
    }

    /// Looks at what another step has. It gives no numbers where it stores the layer otherwise;
    /// what does not fit at one step is refused at all.
    fn compare(&mut self, step: u64, other: Self) {
        let lacks_some = self.lacks_some();
        match (&mut self.found, &other.found) {
            (Ok((known, _)), Ok((other, _))) => {
                for other in other {
                    match known.iter_mut().find(|one| one.expert == other.expert) {
                        None => known.push(other.clone()),
                        Some(one) if one.reads_the_same(other) => {}
                        Some(one) => drop(one.otherwise_at.insert(step)),
                    }
                }
            }
            // What the step lacks is said of the tensors themselves.
            _ if other.lacks_some() => {}
            (Err(_), Ok(_)) if !lacks_some => {}
            _ => *self = other,
        }
    }

    /// Whether a step has nothing of it because it lacks tensors, or their values.
    fn lacks_some(&self) -> bool {
        let error = self.found.as_ref().err();
        error.is_some_and(|error| self.is_obstructed || error.is_absence())
    }
}

impl Assembled {
    fn reads_the_same(&self, other: &Self) -> bool {
        (&self.tensors, &self.assembly) == (&other.tensors, &other.assembly)
    }
}

/// What is said of norms, where there are any between the projections of a component.
fn told_of_norms(component: &ComponentEntry, attention: &Attention) -> Option<&'static str> {
    let parts = component.component.roles().iter();
    let maps = parts.filter_map(|role| attention.projection(*role).ok());
    let has_norms = maps.flat_map(Projection::norms).next().is_some();
    has_norms.then(|| match component.parameters.boolean("gains") {
        true => "norms between projections are part of it (`gains: true`)",
        false => "norms between projections are left out (`gains: false`)",
    })
}

fn layer_tensors(part: &PartIndex, stack: &str, layer: u64) -> LayerTensors {
    let tensors = part.tensors(stack, layer);
    tensors
        .filter_map(|(name, held)| Some((name.to_owned(), shape_of(held.first()?).to_vec())))
        .collect()
}

fn is_obstructed(part: &PartIndex, stack: &str, layer: u64) -> bool {
    let mut held = part.tensors(stack, layer).flat_map(|(_, held)| held);
    held.any(|held| matches!(held.storage, Storage::Obstructed(_)))
}

/// The extents of a tensor; none of one without values.
fn shape_of(held: &HeldTensor) -> &[u64] {
    match &held.storage {
        Storage::Values(tensor) | Storage::Integers(tensor) => tensor.shape(),
        Storage::Obstructed(_) => &[],
    }
}

/// The tensors of a component's inputs, and what is cut out of them.
fn assembled(
    component: &ComponentEntry,
    attention: &Attention,
    layer: &LayerTensors,
) -> Result<Assembled, RoleError> {
    if let Some(reason) = attention.no_circuits {
        return Err(RoleError::NoCircuits {
            architecture: attention.architecture,
            reason,
        });
    }
    let parts = component.component.roles();
    let mut tensors: Vec<(DataKind, String)> = Vec::new();
    let mut stored = Vec::new();
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
        inputs.push(input(projection, kind, layer, (&mut tensors, &mut stored)));
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
        expert: None,
        tensors,
        assembly: Assembly {
            inputs,
            stored,
            made_of,
            heads,
        },
        otherwise_at: BTreeSet::new(),
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

/// The tensors of an expert as those of all experts are called: `experts.*.w2`.
fn of_any_expert(words: &str, expert: Option<u64>) -> String {
    let expert = expert.map(|expert| expert.to_string());
    let segments = words.split('.').map(|segment| match &expert {
        Some(expert) if expert == segment => "*",
        _ => segment,
    });
    segments.collect::<Vec<_>>().join(".")
}

/// A part of a layer, each expert by itself.
fn of_part(kind: DataKind, role: Role, found: &FoundParts, layer: &LayerTensors) -> Found {
    let mut told = found.assumed.clone();
    let mut all = Vec::new();
    for part in &found.parts {
        let projection = part.projection.clone();
        if projection.latent.is_some() {
            if kind != DataKind::Weights {
                return Err(RoleError::OfWeightsOnly { role });
            }
            told.push("the product of the maps to and from a latent, without its norm".to_owned());
        }
        if kind == DataKind::Activations && projection.view.slice.is_some() {
            return Err(RoleError::Stacked { role });
        }
        let (mut tensors, mut stored) = (Vec::new(), Vec::new());
        let made_of = vec![of_any_expert(&in_words(&projection, layer), part.expert)];
        let inputs = vec![input(projection, kind, layer, (&mut tensors, &mut stored))];
        all.push(Assembled {
            layer: 0,
            stack: None,
            expert: part.expert,
            tensors,
            assembly: Assembly {
                inputs,
                stored,
                made_of,
                heads: HeadShape::default(),
            },
            otherwise_at: BTreeSet::new(),
        });
    }
    Ok((all, told))
}

/// A map as a component's input. Its tensors, and the shapes that they must have, are added to
/// those that are there.
fn input(
    mut projection: Projection<String>,
    kind: DataKind,
    layer: &LayerTensors,
    (tensors, stored): (&mut Vec<(DataKind, String)>, &mut Vec<StoredShape>),
) -> AssembledInput {
    let is_turned = projection.view.transposed;
    if kind == DataKind::Activations {
        // They are [samples, features] whichever way the weights are stored.
        projection.view = projection.view.turned(false);
    }
    let projection = placed(&projection, kind, layer, tensors);
    let new = tensors.iter().skip(stored.len());
    stored.extend(new.map(|(kind, suffix)| stored_shape(*kind, suffix, layer, is_turned)));
    AssembledInput {
        projection,
        writes_columns: kind == DataKind::Activations,
    }
}

/// The shape that a tensor must have at every step: of activations as many features as the weights
/// of that name write.
fn stored_shape(
    kind: DataKind,
    suffix: &str,
    layer: &LayerTensors,
    is_turned: bool,
) -> StoredShape {
    let with_weight = || layer.get(&format!("{suffix}.weight"));
    let shape = layer.get(suffix).or_else(with_weight);
    let shape = matrix_shape(shape.map_or(&[], Vec::as_slice));
    match kind {
        DataKind::Weights | DataKind::Gradients => StoredShape {
            rows: Some(shape.rows),
            columns: shape.columns,
        },
        DataKind::Activations => StoredShape {
            rows: None,
            columns: if is_turned { shape.columns } else { shape.rows },
        },
    }
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
