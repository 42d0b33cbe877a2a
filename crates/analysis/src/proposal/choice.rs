//! Which of a run's tensors the proposals are about.

use std::collections::{BTreeMap, BTreeSet};

use ckptscope_checkpoint::architecture::{
    Attention, FoundParts, Projection, Role as Part, RoleError,
};
use ckptscope_checkpoint::{DataKind, ModelShape, Run, Split};
use ckptscope_metrics::{Metric, ParameterValue, Parameters};
use ckptscope_vocabulary::sort::sort_by_key;

use super::Extent;
use super::role::{Role, is_matrix, is_numbered};
use crate::anatomy::{Anatomy, StackAnatomy};
use crate::component::{Component, Request};
use crate::config::{ComponentEntry, LayerSelection, LayerSuffix, Location, Target, shown};
use crate::plan::matrix_shape;
use crate::registry::Registry;
use crate::survey::{Suffix, Survey};

/// What attention and MLP write with.
const WRITTEN_WITH: &[Part] = &[Part::Value, Part::Output, Part::Down, Part::SharedDown];

/// What all tokens go through.
const EVERYTHING: &[Part] = &[
    Part::Query,
    Part::Key,
    Part::Value,
    Part::Output,
    Part::Gate,
    Part::Up,
    Part::Down,
    Part::SharedDown,
];

/// Matrices of one kind that a proposal has at most, where names alone say what they are.
const MOST: usize = 6;

/// What the proposals are about.
pub(super) struct Choice<'a> {
    /// The split of all of them.
    pub(super) split: Split,
    /// The step that activations are compared with; none where there is nothing to compare.
    pub(super) target: Option<Target>,
    /// Whether there is but one step.
    pub(super) is_one_step: bool,
    /// The stack of layers, where the run has several.
    pub(super) stack: Option<&'a str>,
    /// The steps and layers of all of them.
    pub(super) extent: &'a Extent,
    /// The parts of its layers, where their stack is known.
    anatomy: Option<StackAnatomy>,
    registry: &'a Registry,
    model: ModelShape,
    /// The matrices of each kind, the most telling first.
    matrices: Vec<(DataKind, Vec<&'a Suffix>)>,
}

impl<'a> Choice<'a> {
    /// Of each stack of a run's layers; none where no layer has a matrix.
    pub(super) fn of_each_stack(
        run: &Run,
        survey: &'a Survey,
        registry: &'a Registry,
        extent: &'a Extent,
    ) -> Vec<Self> {
        let stacks = stacks(survey).into_iter();
        stacks
            .filter_map(|stack| Self::of(run, survey, registry, extent, stack))
            .collect()
    }

    fn of(
        run: &Run,
        survey: &'a Survey,
        registry: &'a Registry,
        extent: &'a Extent,
        stack: Option<&'a str>,
    ) -> Option<Self> {
        let matrices = |split| -> Vec<_> {
            let of_kind = |kind: &DataKind| (*kind, in_order(survey, *kind, split, stack));
            let kinds = DataKind::ALL.iter().map(of_kind);
            kinds.filter(|(_, matrices)| !matrices.is_empty()).collect()
        };
        // Validation data tells of the model, training data of what it has seen.
        let (val, train) = (matrices(Split::Val), matrices(Split::Train));
        let (split, matrices) = if train.len() > val.len() {
            (Split::Train, train)
        } else {
            (Split::Val, val)
        };
        if matrices.is_empty() {
            return None;
        }
        let mut choice = Self {
            split,
            target: None,
            is_one_step: run.steps.len() == 1,
            stack,
            extent,
            anatomy: anatomy_of(Anatomy::of_split(run, survey, split), stack),
            registry,
            model: run.model.clone().unwrap_or_default(),
            matrices,
        };
        choice.target = choice.find_target(run);
        Some(choice)
    }

    /// What stands for the parameters: weights, else gradients, else activations.
    pub(super) fn main_kind(&self) -> DataKind {
        self.matrices
            .first()
            .map_or(DataKind::Weights, |(kind, _)| *kind)
    }

    /// What attention and MLP write with; the first matrices where none is known by its name.
    pub(super) fn few(&self, kind: DataKind) -> Vec<ComponentEntry> {
        let parts = self.parts(kind, WRITTEN_WITH);
        if !parts.is_empty() {
            return parts;
        }
        let of_role = |role| self.of_role(kind, role);
        let value = of_role(Role::Value).or_else(|| of_role(Role::Fused));
        let known = [value, of_role(Role::Output), of_role(Role::Down)];
        let known: Vec<_> = known.into_iter().flatten().collect();
        if known.is_empty() {
            self.all(kind)
        } else {
            self.plain(kind, &known)
        }
    }

    /// The matrices of a kind, not too many.
    pub(super) fn all(&self, kind: DataKind) -> Vec<ComponentEntry> {
        let parts = self.parts(kind, EVERYTHING);
        if !parts.is_empty() {
            return parts;
        }
        let matrices = self.of_kind(kind);
        self.plain(kind, matrices.get(..MOST).unwrap_or(matrices))
    }

    /// Tensors by themselves, those of the same layers in one list.
    fn plain(&self, kind: DataKind, suffixes: &[&Suffix]) -> Vec<ComponentEntry> {
        let Some(simple) = self.component("simple") else {
            return Vec::new();
        };
        let named = suffixes.iter().filter_map(|suffix| {
            let layers = suffix.shapes.keys().copied().collect();
            let names = vec![suffix.name.clone()];
            Some(entry(simple, kind, names, self.layers_of(&layers)?))
        });
        listed(named.collect())
    }

    /// Parts of the model that all tokens go through, as far as layers have them; none where the
    /// architecture does not say which tensors they are.
    fn parts(&self, kind: DataKind, roles: &[Part]) -> Vec<ComponentEntry> {
        let known = self.anatomy.as_ref();
        let Some(anatomy) = known.filter(|it| it.misfits().next().is_none()) else {
            return Vec::new();
        };
        let found = roles.iter().filter_map(|role| {
            let layers = anatomy.part(*role)?;
            let of_experts = layers.values().flat_map(|found| &found.parts);
            let of_experts = of_experts.filter(|part| part.expert.is_some()).count();
            (of_experts == 0).then(|| self.part(*role, kind, &layers))?
        });
        listed(found.collect())
    }

    /// What every expert writes with, where there are some.
    pub(super) fn written_by_experts(&self, kind: DataKind) -> Option<ComponentEntry> {
        let layers = self.anatomy.as_ref()?.part(Part::Down)?;
        let mut parts = layers.values().flat_map(|found| &found.parts);
        parts.any(|part| part.expert.is_some()).then_some(())?;
        self.part(Part::Down, kind, &layers)
    }

    /// Whether layers have experts.
    pub(super) fn has_experts(&self) -> bool {
        self.written_by_experts(DataKind::Weights).is_some()
    }

    /// A part of the model; none where data lack some of it.
    fn part(
        &self,
        role: Part,
        kind: DataKind,
        layers: &BTreeMap<u64, &FoundParts>,
    ) -> Option<ComponentEntry> {
        let simple = self.component("simple")?;
        let has_all = |(layer, found): (&u64, &&FoundParts)| {
            let mut parts = found.parts.iter();
            parts.all(|part| self.has(kind, *layer, &part.projection))
        };
        layers.iter().all(has_all).then_some(())?;
        let layers = self.layers_of(&layers.keys().copied().collect())?;
        Some(ComponentEntry {
            part: Some(role),
            stack: self.stack.map(|stack| shown(stack).to_owned()),
            ..entry(simple, kind, Vec::new(), layers)
        })
    }

    /// Whether the architecture says what tensors are.
    pub(super) fn knows_parts(&self) -> bool {
        !self.parts(DataKind::Weights, EVERYTHING).is_empty()
    }

    /// Every circuit of heads that some layers have.
    pub(super) fn circuits(&self, kind: DataKind) -> Vec<ComponentEntry> {
        let components = self.registry.components().iter().copied();
        let circuits = components.filter(|component| component.roles().len() > 1);
        circuits.filter_map(|it| self.circuit(it, kind)).collect()
    }

    /// A circuit of heads of the tensors that the architecture says; where it does not say them,
    /// of those that are called as is usual.
    pub(super) fn circuit(
        &self,
        component: &'static dyn Component,
        kind: DataKind,
    ) -> Option<ComponentEntry> {
        if !component.data_kinds().contains(&kind) || self.has_no_circuits() {
            return None;
        }
        let by_role = self.circuit_by_role(component, kind);
        by_role.or_else(|| self.circuit_of_usual_names(component, kind))
    }

    /// Whether heads do not act as circuits say.
    fn has_no_circuits(&self) -> bool {
        let layers = self.anatomy.iter().flat_map(|it| it.attention.values());
        let mut layers = layers.map(|found| match found {
            Ok(attention) => attention.no_circuits.is_some(),
            Err(error) => matches!(error, RoleError::NoCircuits { .. }),
        });
        layers.any(|it| it)
    }

    fn circuit_by_role(
        &self,
        component: &'static dyn Component,
        kind: DataKind,
    ) -> Option<ComponentEntry> {
        let heads = self.anatomy.as_ref()?.heads()?;
        let has_all = |(layer, attention): &(&u64, &&Attention)| {
            let inputs = component.inputs(kind).into_iter();
            let mut roles =
                inputs.filter_map(|(kind, place)| Some((kind, component.roles().get(place)?)));
            roles.all(|(kind, role)| {
                let projection = attention.projection(*role);
                projection.is_ok_and(|it| self.has(kind, **layer, it))
            })
        };
        let layers = heads.iter().filter(has_all).map(|(layer, _)| *layer);
        let layers: BTreeSet<u64> = layers.collect();
        // A plan wants data of every layer that has the weights.
        let has_weights = |attention: &&Attention| {
            let mut parts = component.roles().iter();
            parts.all(|role| attention.projection(*role).is_ok())
        };
        if layers.is_empty() || layers.len() != heads.values().filter(|it| has_weights(it)).count()
        {
            return None;
        }
        let mut entry = entry(component, kind, Vec::new(), self.layers_of(&layers)?);
        entry.parameters = Parameters::defaults(component.parameters_by_role());
        entry.stack = self.stack.map(|stack| shown(stack).to_owned());
        Some(entry)
    }

    /// Whether a layer has what a map is made of, of a kind of data: gradients of the weights'
    /// shapes, activations as wide as what is written.
    fn has(&self, kind: DataKind, layer: u64, projection: &Projection<String>) -> bool {
        let shape = |kind, name: &str| {
            let name = name.strip_suffix(".weight").unwrap_or(name);
            let found = self.named(kind, name)?.shapes.get(&layer);
            found.map(Vec::as_slice)
        };
        if kind == DataKind::Weights {
            // They are what told that it is there.
            return true;
        }
        let name = &projection.view.tensor;
        let Some(weights) = shape(DataKind::Weights, name) else {
            return false;
        };
        match kind {
            DataKind::Weights | DataKind::Gradients => {
                projection.latent.is_none() && shape(kind, name) == Some(weights)
            }
            DataKind::Activations => {
                let is_plain = projection.latent.is_none() && projection.view.slice.is_none();
                let (rows, columns) = match weights {
                    [rows, columns] if projection.view.transposed => (*columns, *rows),
                    [rows, columns] => (*rows, *columns),
                    _ => return false,
                };
                let found = shape(kind, name);
                is_plain && columns > 0 && matches!(found, Some([_, width]) if *width == rows)
            }
        }
    }

    fn circuit_of_usual_names(
        &self,
        component: &'static dyn Component,
        kind: DataKind,
    ) -> Option<ComponentEntry> {
        let named = component.roles().iter();
        let named = named.map(|part| self.of_role(DataKind::Weights, Role::usual(*part)?));
        let suffixes: Vec<&Suffix> = named.collect::<Option<_>>()?;
        let within = |suffix: &'a Suffix| LayerSuffix::of(&suffix.name).within;
        let tensors: Option<Vec<&Suffix>> = component
            .inputs(kind)
            .into_iter()
            .map(|(kind, role)| self.named(kind, within(suffixes.get(role)?)))
            .collect();
        let tensors = tensors?;
        if !self.fits(component, kind, &tensors) {
            return None;
        }
        let layers = tensors.iter().map(|it| it.shapes.keys().copied().collect());
        let layers = layers.reduce(|one: BTreeSet<u64>, other| &one & &other)?;
        let names = suffixes.iter().map(|suffix| suffix.name.clone()).collect();
        let mut entry = entry(component, kind, names, self.layers_of(&layers)?);
        if kind == DataKind::Weights {
            let proper = ParameterValue::Choice("circuit");
            entry.parameters = entry.parameters.with("form", proper);
        }
        Some(entry)
    }

    /// Of the layers that have something those of all proposals; none where that is no layer.
    fn layers_of(&self, existing: &BTreeSet<u64>) -> Option<LayerSelection> {
        let Some(wanted) = &self.extent.layers else {
            return Some(LayerSelection::All);
        };
        let both: Vec<u64> = wanted.intersection(existing).copied().collect();
        (!both.is_empty()).then_some(LayerSelection::List(both))
    }

    /// Whether a metric means something for a kind of data.
    pub(super) fn applies(metric: &dyn Metric, kind: DataKind) -> bool {
        metric.applies_to().contains(&kind)
    }

    /// The metric of that name.
    pub(super) fn metric(&self, name: &str) -> Option<&'static dyn Metric> {
        let mut metrics = self.registry.metrics().iter().copied();
        metrics.find(|metric| metric.name() == name)
    }

    fn component(&self, name: &str) -> Option<&'static dyn Component> {
        let mut components = self.registry.components().iter().copied();
        components.find(|component| component.name() == name)
    }

    /// Whether the tensors make the component in every layer that has them.
    fn fits(&self, component: &dyn Component, kind: DataKind, tensors: &[&Suffix]) -> bool {
        let Some((first, rest)) = tensors.split_first() else {
            return false;
        };
        let is_of_one_stack = tensors.iter().all(|suffix| suffix.stack == first.stack)
            || tensors.iter().all(|suffix| suffix.is_only_stack);
        if !is_of_one_stack {
            return false;
        }
        let in_all = |layer: &&u64| rest.iter().all(|suffix| suffix.shapes.contains_key(layer));
        let mut layers = first.shapes.keys().filter(in_all).peekable();
        let fits = |layer: &u64| {
            let shapes = tensors.iter().filter_map(|suffix| suffix.shapes.get(layer));
            let shapes: Vec<_> = shapes.map(|shape| matrix_shape(shape)).collect();
            let request = Request {
                kind,
                parameters: &Parameters::defaults(component.parameters()),
                model: &self.model,
                tensors: &shapes,
            };
            component.outline(&request).is_ok()
        };
        layers.peek().is_some() && layers.all(fits)
    }

    /// The step that activations are compared with: the last one, or the last that has them.
    fn find_target(&self, run: &Run) -> Option<Target> {
        let step = self.of_kind(DataKind::Activations).first()?.step;
        let last = run.steps.last()?.number;
        let has_others = run.steps.iter().any(|other| {
            other.number != step && other.part(DataKind::Activations, self.split).is_some()
        });
        let target = if step == last {
            Target::Last
        } else {
            Target::Step(step)
        };
        has_others.then_some(target)
    }

    fn of_role(&self, kind: DataKind, role: Role) -> Option<&'a Suffix> {
        self.of_kind(kind)
            .iter()
            .copied()
            .find(|suffix| Role::of(&suffix.name) == Some(role))
    }

    fn named(&self, kind: DataKind, within: &str) -> Option<&'a Suffix> {
        self.of_kind(kind)
            .iter()
            .copied()
            .find(|suffix| LayerSuffix::of(&suffix.name).within == within)
    }

    fn of_kind(&self, kind: DataKind) -> &[&'a Suffix] {
        self.matrices
            .iter()
            .find(|(known, _)| *known == kind)
            .map_or(&[], |(_, matrices)| matrices)
    }
}

/// The same, each in one list with the one before it where layers are the same.
fn listed(mut entries: Vec<ComponentEntry>) -> Vec<ComponentEntry> {
    for place in 1..entries.len() {
        entries[place].continues_list = entries[place].layers == entries[place - 1].layers;
    }
    entries
}

/// A component of some layers, its parameters at their defaults.
fn entry(
    component: &'static dyn Component,
    kind: DataKind,
    suffixes: Vec<String>,
    layers: LayerSelection,
) -> ComponentEntry {
    ComponentEntry {
        component,
        kind,
        suffixes,
        part: None,
        stack: None,
        continues_list: false,
        layers,
        parameters: Parameters::defaults(component.parameters()),
        location: Location::default(),
    }
}

/// The parts of a stack; of the only one that has any where it needs no name.
fn anatomy_of(mut anatomy: Anatomy, stack: Option<&str>) -> Option<StackAnatomy> {
    match stack {
        Some(stack) => anatomy.stacks.remove(stack),
        None => {
            let mut stacks = anatomy.stacks.into_values();
            stacks.next().filter(|_| stacks.next().is_none())
        }
    }
}

/// Stacks that have proposals, at most.
const MOST_STACKS: usize = 3;

/// The stacks whose layers have matrices, that of most elements first; one that has no name where
/// no file has several.
fn stacks(survey: &Survey) -> Vec<Option<&str>> {
    let matrices = survey.suffixes.iter().filter(|suffix| is_matrix(suffix));
    if matrices.clone().all(|suffix| suffix.is_only_stack) {
        return vec![None];
    }
    let mut elements: BTreeMap<&str, u64> = BTreeMap::new();
    for suffix in matrices {
        let shapes = suffix.shapes.values();
        let all = shapes.map(|shape| shape.iter().fold(1, |all: u64, it| all.saturating_mul(*it)));
        let total = elements.entry(&suffix.stack).or_default();
        *total = all.fold(*total, u64::saturating_add);
    }
    let mut stacks: Vec<(&str, u64)> = elements.into_iter().collect();
    sort_by_key(&mut stacks, |(_, elements)| std::cmp::Reverse(*elements));
    match stacks.as_slice() {
        [_] => vec![None],
        _ => {
            let largest = stacks.into_iter().take(MOST_STACKS);
            largest.map(|(stack, _)| Some(stack)).collect()
        }
    }
}

/// The matrices of a kind: those that most layers have first, experts' last.
fn in_order<'a>(
    survey: &'a Survey,
    kind: DataKind,
    split: Split,
    stack: Option<&str>,
) -> Vec<&'a Suffix> {
    let is_of_stack =
        |suffix: &&Suffix| suffix.is_only_stack || stack.is_none_or(|it| suffix.stack == it);
    let mut matrices: Vec<&Suffix> = survey
        .of_split(kind, split)
        .filter(|suffix| is_matrix(suffix))
        .filter(is_of_stack)
        .collect();
    sort_by_key(&mut matrices, |suffix| {
        (
            is_numbered(suffix),
            std::cmp::Reverse(suffix.shapes.len()),
            Role::of(&suffix.name).is_none(),
        )
    });
    matrices
}
