//! One entry of a metric's `components`.

use std::collections::HashMap;

use ckptscope_checkpoint::DataKind;
use ckptscope_checkpoint::architecture::Role;
use ckptscope_metrics::{Metric, Parameter};

use super::cursor::{At, Fields};
use super::keys::COMPONENT_ENTRY;
use super::parameter::{Owner, check_keys, choice, choice_at, parameters};
use super::problem::Problems;
use super::schema::{Context, entries};
use super::selection::layers;
use super::tree::quoted;
use super::value::filled_text;
use super::{ComponentEntry, LayerSelection, LayerSuffix, Location, shown};
use crate::component::Component;

const KINDS: &[DataKind] = DataKind::ALL;
const SUFFIX: &str = "the suffix of a layer's tensor, as in attention.o_proj";

const STACK: &str = "the name of a stack of layers, as in encoder.block";

const LIST: &str = "a list of one or more suffixes";

const PART: &str = "a part of the model, or a list of them";

/// What one component of an entry is made of.
struct MadeOf<'a> {
    /// Where it stands.
    at: At<'a>,
    suffixes: Vec<String>,
    /// The part of the model, in the place of suffixes.
    part: Option<Role>,
}

impl<'a> MadeOf<'a> {
    const fn suffixes(at: At<'a>, suffixes: Vec<String>) -> Self {
        let part = None;
        Self { at, suffixes, part }
    }
}

/// One entry of the components of `metric`, whose result keys so far are `keys`: one component, or
/// one for each suffix that it lists.
pub(super) fn component_entry(
    at: &At<'_>,
    metric: Option<&'static dyn Metric>,
    keys: &mut ResultKeys,
    context: &mut Context<'_>,
) -> Option<Vec<ComponentEntry>> {
    let expected = "a component entry, a map with a component_name";
    let fields = Fields::of(at, expected, &mut context.problems)?;
    let component = component(&fields, context);
    let problems = &mut context.problems;
    let is_by_role = fields.get("layer_suffixes").is_none();
    let parameters = component.and_then(|component| {
        let declared = declared(component, is_by_role);
        parameters(&fields, declared, problems)
    });
    let kind = data_kind(&fields, component, metric, problems);
    let made_of = made_of(&fields, component, context);
    let stack = stack(&fields, made_of.as_deref(), &mut context.problems);
    let count = made_of.as_ref().map_or(1, Vec::len);
    let has_stack = matches!(stack, Some(Some(_)));
    let expected = "a list of layers, \"0..11\", all, or none of tensors outside of layers";
    let layers = fields
        .required("layers", expected, &mut context.problems)
        .and_then(|at| {
            let layers = layers(at, count, context)?;
            let refusal = match layers {
                LayerSelection::Outside => {
                    outside_refusal(component?, made_of.as_deref(), has_stack)
                }
                LayerSelection::All | LayerSelection::List(_) => layers_refusal(made_of.as_deref()),
            };
            if let Some(message) = refusal {
                context.problems.add(at, message);
                return None;
            }
            Some(layers)
        });
    let first = ComponentEntry {
        component: component?,
        kind: kind?,
        suffixes: Vec::new(),
        part: None,
        stack: stack?,
        continues_list: false,
        layers: layers?,
        parameters: parameters?,
        location: at.location(),
    };
    let claimed = |(index, made_of): (usize, MadeOf<'_>)| {
        let MadeOf { at, suffixes, part } = made_of;
        let entry = ComponentEntry {
            suffixes,
            part,
            continues_list: index > 0,
            location: at.location(),
            ..first.clone()
        };
        match keys.claim(&entry) {
            Ok(()) => Some(entry),
            Err(message) => {
                context.problems.add(&at, message);
                None
            }
        }
    };
    // All of them claim their keys before one that is taken counts: all problems are reported
    // together.
    let read: Vec<_> = made_of?.into_iter().enumerate().map(claimed).collect();
    read.into_iter().collect()
}

fn component(fields: &Fields<'_>, context: &mut Context<'_>) -> Option<&'static dyn Component> {
    let components = context.registry.components();
    let is_by_role = fields.get("layer_suffixes").is_none();
    let owner = |component: &&'static dyn Component| Owner {
        name: component.name(),
        parameters: declared(*component, is_by_role),
    };
    let owners: Vec<_> = components.iter().map(owner).collect();
    let names: Vec<_> = owners.iter().map(|owner| owner.name).collect();
    let chosen = choice(fields, "component_name", &names, &mut context.problems);
    check_keys(
        fields,
        &COMPONENT_ENTRY.names(),
        &owners,
        chosen,
        &mut context.problems,
    );
    components.get(chosen?).copied()
}

/// The parameters that its entry may give.
fn declared(component: &dyn Component, is_by_role: bool) -> &'static [Parameter] {
    if is_by_role && !component.roles().is_empty() {
        component.parameters_by_role()
    } else {
        component.parameters()
    }
}

/// The kind of data, which both the component and the metric must be able to serve.
fn data_kind(
    fields: &Fields<'_>,
    component: Option<&'static dyn Component>,
    metric: Option<&'static dyn Metric>,
    problems: &mut Problems,
) -> Option<DataKind> {
    let names: Vec<_> = KINDS.iter().map(|kind| kind.name()).collect();
    let kind = *KINDS.get(choice(fields, "data_type", &names, problems)?)?;
    let refusal = component
        .and_then(|component| component_refusal(component, kind))
        .or_else(|| metric.and_then(|metric| metric_refusal(metric, kind)));
    match refusal {
        None => Some(kind),
        Some(message) => {
            problems.add(fields.get("data_type")?, message);
            None
        }
    }
}

fn component_refusal(component: &dyn Component, kind: DataKind) -> Option<String> {
    let made_of = component.data_kinds();
    let refused = !made_of.contains(&kind);
    refused.then(|| {
        format!(
            "{} is not made of {kind}; allowed: {}",
            component.name(),
            join(made_of)
        )
    })
}

fn metric_refusal(metric: &dyn Metric, kind: DataKind) -> Option<String> {
    let takes = |kind: &DataKind| metric.applies_to().contains(kind);
    let taken: Vec<_> = KINDS.iter().copied().filter(takes).collect();
    let refused = !taken.contains(&kind);
    refused.then(|| {
        format!(
            "{} does not apply to {kind}; allowed: {}",
            metric.name(),
            join(&taken)
        )
    })
}

fn join(kinds: &[DataKind]) -> String {
    let names: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
    names.join(", ")
}

/// For a component without roles its suffix or part, or each of a list; for others the one map from
/// every role to its suffix.
fn made_of<'a>(
    fields: &Fields<'a>,
    component: Option<&'static dyn Component>,
    context: &mut Context<'_>,
) -> Option<Vec<MadeOf<'a>>> {
    if let Some(at) = fields.get("part") {
        if let Some(message) = part_refusal(fields, component?) {
            context.problems.add(at, message);
            return None;
        }
        return parts(at, context);
    }
    let roles = component.map_or(&[][..], |component| component.suffix_names());
    let expected = expected_suffixes(roles);
    let problems = &mut context.problems;
    let is_by_role = component.is_some_and(|component| !component.roles().is_empty());
    if is_by_role && fields.get("layer_suffixes").is_none() {
        return Some(vec![MadeOf::suffixes(fields.at.clone(), Vec::new())]);
    }
    let at = fields.required("layer_suffixes", &expected, problems)?;
    component?;
    if roles.is_empty() && at.items().is_some() {
        return listed(at, context);
    }
    let suffixes = if roles.is_empty() {
        vec![suffix(at, &expected, problems)?]
    } else {
        of_roles(at, roles, &expected, problems)?
    };
    Some(vec![MadeOf::suffixes(fields.at.clone(), suffixes)])
}

/// Why a component cannot be of a part of the model; none where it can.
fn part_refusal(fields: &Fields<'_>, component: &dyn Component) -> Option<String> {
    if fields.get("layer_suffixes").is_some() {
        return Some(
            "`layer_suffixes` says already what it is made of: give one of them".to_owned(),
        );
    }
    let roles = component.suffix_names();
    (!roles.is_empty()).then(|| {
        let name = component.name();
        format!("{name} is made of several parts, which it knows itself: leave `part` out")
    })
}

/// The part, or each part of a list.
fn parts<'a>(at: &At<'a>, context: &mut Context<'_>) -> Option<Vec<MadeOf<'a>>> {
    if at.items().is_none() {
        return Some(vec![part(at, context)?]);
    }
    let mut lines: HashMap<Role, u64> = HashMap::new();
    entries(at, PART, context, |at, context| {
        let made_of = part(at, context)?;
        if let Some(line) = lines.insert(made_of.part?, at.position.line) {
            let message = format!("duplicate part {}, first on line {line}", at.node);
            context.problems.add(at, message);
            return None;
        }
        Some(made_of)
    })
}

fn part<'a>(at: &At<'a>, context: &mut Context<'_>) -> Option<MadeOf<'a>> {
    let place = choice_at(at, Role::NAMES, &mut context.problems)?;
    Some(MadeOf {
        at: at.clone(),
        suffixes: Vec::new(),
        part: Some(*Role::ALL.get(place)?),
    })
}

/// The stack of layers; none where the file has no such key. What suffixes say it does not say
/// again.
fn stack(
    fields: &Fields<'_>,
    made_of: Option<&[MadeOf<'_>]>,
    problems: &mut Problems,
) -> Option<Option<String>> {
    let suffixes = made_of.into_iter().flatten().flat_map(|it| &it.suffixes);
    let mut named = suffixes.filter(|suffix| LayerSuffix::of(suffix).stack.is_some());
    let named = named.next();
    fields.optional("stack", |at| {
        let stack = filled_text(at, STACK, problems)?;
        if let Some(suffix) = named {
            let message = format!("the suffix {} names a stack already", quoted(suffix));
            problems.add(at, message);
            return None;
        }
        Some(stack)
    })
}

/// Why a component cannot be outside of layers; none where it can.
fn outside_refusal(
    component: &dyn Component,
    made_of: Option<&[MadeOf<'_>]>,
    has_stack: bool,
) -> Option<String> {
    if !component.suffix_names().is_empty() {
        let name = component.name();
        return Some(format!(
            "{name} is made of tensors of a layer; none is for single tensors outside of layers"
        ));
    }
    let made_of = made_of.into_iter().flatten();
    let mut parts = made_of.clone().filter_map(|it| it.part);
    if let Some(part) = parts.find(|part| !part.is_outside_layers()) {
        return Some(format!(
            "`{part}` is a part of layers; allowed: all, or a list of layers"
        ));
    }
    let mut suffixes = made_of.flat_map(|it| &it.suffixes);
    let is_of_stack = has_stack || suffixes.any(|suffix| LayerSuffix::of(suffix).stack.is_some());
    is_of_stack.then(|| "a tensor outside of layers is of no stack".to_owned())
}

/// Why a component cannot be of layers; none where it can.
fn layers_refusal(made_of: Option<&[MadeOf<'_>]>) -> Option<String> {
    let made_of = made_of.into_iter().flatten();
    let mut parts = made_of.filter_map(|it| it.part);
    let outside = parts.find(|part| part.is_outside_layers())?;
    Some(format!(
        "`{outside}` is a part outside of layers; allowed: none"
    ))
}

/// A suffix, with or without its stack.
fn suffix(at: &At<'_>, expected: &str, problems: &mut Problems) -> Option<String> {
    let suffix = filled_text(at, expected, problems)?;
    if let Some(problem) = LayerSuffix::of(&suffix).problem() {
        problems.add(at, format!("found {}; {problem}", quoted(&suffix)));
        return None;
    }
    Some(suffix)
}

/// The suffixes of a list, each once.
fn listed<'a>(at: &At<'a>, context: &mut Context<'_>) -> Option<Vec<MadeOf<'a>>> {
    let mut lines: HashMap<String, u64> = HashMap::new();
    entries(at, LIST, context, |at, context| {
        let suffix = suffix(at, SUFFIX, &mut context.problems)?;
        if let Some(line) = lines.insert(suffix.clone(), at.position.line) {
            let message = format!("duplicate suffix {}, first on line {line}", quoted(&suffix));
            context.problems.add(at, message);
            return None;
        }
        Some(MadeOf::suffixes(at.clone(), vec![suffix]))
    })
}

fn of_roles(
    at: &At<'_>,
    roles: &[&str],
    expected: &str,
    problems: &mut Problems,
) -> Option<Vec<String>> {
    let fields = Fields::of(at, expected, problems)?;
    fields.check_keys(roles, problems, |_| None);
    let read = |role: &&str| suffix(fields.required(role, SUFFIX, problems)?, SUFFIX, problems);
    let suffixes: Vec<_> = roles.iter().map(read).collect();
    suffixes.into_iter().collect()
}

fn expected_suffixes(roles: &[&str]) -> String {
    if roles.is_empty() {
        return format!("{SUFFIX}, or a list of them");
    }
    let roles: Vec<_> = roles.iter().map(|role| format!("{role}: ...")).collect();
    format!("a map {{{}}}", roles.join(", "))
}

/// The keys under which the results of one metric entry stand, and whose they are.
///
/// A key names the tensor or, where several make one matrix, the component; never the parameters.
/// Two components with the same key would overwrite each other's results.
#[derive(Default)]
pub(super) struct ResultKeys(HashMap<Claimed, Claims>);

/// The stack, where one is named, the component and its kind of data.
type Claimed = (Option<String>, String, DataKind);

#[derive(Default)]
struct Claims {
    outside: Option<Location>,
    every_layer: Option<Location>,
    layers: HashMap<u64, Location>,
}

impl ResultKeys {
    fn claim(&mut self, entry: &ComponentEntry) -> Result<(), String> {
        let name = entry.label();
        let stack = entry.named_stack().map(|stack| shown(stack).to_owned());
        let claimed = (stack, name.to_string(), entry.kind);
        let claims = self.0.entry(claimed).or_default();
        let place = match entry.layers {
            LayerSelection::Outside => "outside of layers",
            LayerSelection::All | LayerSelection::List(_) => "of the same layer",
        };
        match claims.add(&entry.layers, &entry.location) {
            None => Ok(()),
            Some(owner) => Err(format!(
                "its results would overwrite those of another ({owner}): both are {name}.{} {place}; \
                 put one of them into a metric entry of its own",
                entry.kind
            )),
        }
    }
}

impl Claims {
    /// Whose the layers are already, where one of them is.
    fn add(&mut self, layers: &LayerSelection, location: &Location) -> Option<Location> {
        let owner = match layers {
            LayerSelection::Outside => self.outside.as_ref(),
            LayerSelection::All => self.layers.values().min().or(self.every_layer.as_ref()),
            LayerSelection::List(layers) => {
                let claimed = layers.iter().find_map(|layer| self.layers.get(layer));
                self.every_layer.as_ref().or(claimed)
            }
        };
        if let Some(owner) = owner {
            return Some(owner.clone());
        }
        match layers {
            LayerSelection::Outside => self.outside = Some(location.clone()),
            LayerSelection::All => self.every_layer = Some(location.clone()),
            LayerSelection::List(layers) => {
                self.layers
                    .extend(layers.iter().map(|layer| (*layer, location.clone())));
            }
        }
        None
    }
}
