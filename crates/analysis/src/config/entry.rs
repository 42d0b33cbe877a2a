//! The entries of `metrics` and of their `components`.

use trainscope_checkpoint::{DataKind, Split};
use trainscope_metrics::{Metric, Parameter, ParameterKind, ParameterValue, Parameters, Quantity};

use super::cursor::{At, Fields};
use super::name::check_entry_name;
use super::problem::Problems;
use super::schema::{Context, boolean, checked_name, entries, short_text, text};
use super::selection::{layers, target};
use super::suggestion::nearest;
use super::tree::Value;
use super::{ComponentEntry, MetricEntry, Target};
use crate::component::Component;

const METRIC_KEYS: &[&str] = &[
    "metric_name",
    "name",
    "target_checkpoint",
    "data_split",
    "components",
];
const COMPONENT_KEYS: &[&str] = &["component_name", "data_type", "layer_suffixes", "layers"];

const SPLITS: &[Split] = &[Split::Train, Split::Val];
const DATA_KINDS: &[DataKind] = &[
    DataKind::Weights,
    DataKind::Gradients,
    DataKind::Activations,
];

/// One entry of `metrics`; its label is given when all are read.
pub(super) fn metric_entry(at: &At<'_>, context: &mut Context<'_>) -> Option<MetricEntry> {
    let fields = Fields::of(
        at,
        "a metric entry, a map with a metric_name",
        &mut context.problems,
    )?;
    let metric = metric(&fields, context);
    check_metric_keys(&fields, metric, context);
    let parameters =
        metric.and_then(|metric| parameters(&fields, metric.parameters(), &mut context.problems));
    let target = metric.and_then(|metric| entry_target(&fields, metric, &mut context.problems));
    let split = split(&fields, &mut context.problems);
    let name = entry_name(&fields, split, context);
    let components = fields
        .required(
            "components",
            "a list of entries, each with a component_name",
            &mut context.problems,
        )
        .and_then(|at| {
            let read =
                |at: &At<'_>, context: &mut Context<'_>| component_entry(at, metric, context);
            entries(at, "a list of component entries", context, read)
        });
    Some(MetricEntry {
        metric: metric?,
        label: String::new(),
        name: name?,
        parameters: parameters?,
        target: target?,
        split: split?,
        components: components?,
        location: at.location(),
    })
}

fn metric(fields: &Fields<'_>, context: &mut Context<'_>) -> Option<&'static dyn Metric> {
    let metrics = context.registry.metrics();
    let names: Vec<_> = metrics.iter().map(|metric| metric.name()).collect();
    let index = choice(fields, "metric_name", &names, &mut context.problems)?;
    metrics.get(index).copied()
}

fn check_metric_keys(
    fields: &Fields<'_>,
    metric: Option<&'static dyn Metric>,
    context: &mut Context<'_>,
) {
    let metrics = context.registry.metrics();
    let known = metric.map_or_else(|| metrics.to_vec(), |metric| vec![metric]);
    let mut allowed = METRIC_KEYS.to_vec();
    allowed.extend(
        known
            .iter()
            .flat_map(|metric| metric.parameters())
            .map(|parameter| parameter.name),
    );
    let owners = |key: &str| {
        let owns = |metric: &&&'static dyn Metric| declares(metric.parameters(), key);
        metrics
            .iter()
            .filter(owns)
            .map(|metric| metric.name())
            .collect::<Vec<_>>()
    };
    let subject = metric.map_or("", |metric| metric.name());
    fields.check_keys(&allowed, &mut context.problems, |key| {
        foreign_parameter(key, &owners(key), subject, &allowed)
    });
}

fn declares(parameters: &[Parameter], key: &str) -> bool {
    parameters.iter().any(|parameter| parameter.name == key)
}

/// What to say of a key that is a parameter of others.
fn foreign_parameter(
    key: &str,
    owners: &[&str],
    subject: &str,
    allowed: &[&str],
) -> Option<String> {
    let advice = format!(
        "{key} is a parameter of {}, not of {subject}; allowed: {}",
        owners.join(", "),
        allowed.join(", ")
    );
    (!owners.is_empty()).then_some(advice)
}

/// `Some(None)` where there is none, and rightly.
#[expect(
    clippy::option_option,
    reason = "the outer one says whether it is right"
)]
fn entry_target(
    fields: &Fields<'_>,
    metric: &dyn Metric,
    problems: &mut Problems,
) -> Option<Option<Target>> {
    const KEY: &str = "target_checkpoint";
    if metric.form().is_comparative() {
        let expected = format!(
            "{} compares with a checkpoint, a step or last",
            metric.name()
        );
        return fields
            .required(KEY, &expected, problems)
            .cloned()
            .and_then(|at| target(&at, problems))
            .map(Some);
    }
    match fields.get(KEY) {
        None => Some(None),
        Some(at) => {
            problems.add(
                at,
                format!(
                    "{} compares with no checkpoint; leave {KEY} out",
                    metric.name()
                ),
            );
            None
        }
    }
}

/// `Some(None)` where the entry has none.
#[expect(
    clippy::option_option,
    reason = "the outer one says whether it is right"
)]
fn entry_name(
    fields: &Fields<'_>,
    split: Option<Split>,
    context: &mut Context<'_>,
) -> Option<Option<String>> {
    let Some(at) = fields.get("name") else {
        return Some(None);
    };
    let name = checked_name(at, check_entry_name, &mut context.problems)?;
    let Some(split) = split else {
        return Some(Some(name));
    };
    let twin = context
        .names
        .iter()
        .find(|(other, taken, _)| *other == split && taken.eq_ignore_ascii_case(&name));
    if let Some((_, _, line)) = twin {
        context.problems.add(
            at,
            format!("{name:?} is the name of another {split} entry already, on line {line}"),
        );
        return None;
    }
    context.names.push((split, name.clone(), at.position.line));
    Some(Some(name))
}

fn split(fields: &Fields<'_>, problems: &mut Problems) -> Option<Split> {
    let names: Vec<_> = SPLITS.iter().map(|split| split.name()).collect();
    choice(fields, "data_split", &names, problems).and_then(|index| SPLITS.get(index).copied())
}

fn component_entry(
    at: &At<'_>,
    metric: Option<&'static dyn Metric>,
    context: &mut Context<'_>,
) -> Option<ComponentEntry> {
    let fields = Fields::of(
        at,
        "a component entry, a map with a component_name",
        &mut context.problems,
    )?;
    let component = component(&fields, context);
    check_component_keys(&fields, component, context);
    let parameters = component
        .and_then(|component| parameters(&fields, component.parameters(), &mut context.problems));
    let kind = data_kind(&fields, component, metric, &mut context.problems);
    let suffixes = fields
        .required(
            "layer_suffixes",
            &expected_suffixes(component),
            &mut context.problems,
        )
        .cloned()
        .and_then(|at| suffixes(&at, component?, &mut context.problems));
    let layers = fields
        .required(
            "layers",
            "a list of layers, \"0..11\" or all",
            &mut context.problems,
        )
        .cloned()
        .and_then(|at| layers(&at, context));
    Some(ComponentEntry {
        component: component?,
        kind: kind?,
        suffixes: suffixes?,
        layers: layers?,
        parameters: parameters?,
        location: at.location(),
    })
}

fn component(fields: &Fields<'_>, context: &mut Context<'_>) -> Option<&'static dyn Component> {
    let components = context.registry.components();
    let names: Vec<_> = components
        .iter()
        .map(|component| component.name())
        .collect();
    let index = choice(fields, "component_name", &names, &mut context.problems)?;
    components.get(index).copied()
}

fn check_component_keys(
    fields: &Fields<'_>,
    component: Option<&'static dyn Component>,
    context: &mut Context<'_>,
) {
    let components = context.registry.components();
    let known = component.map_or_else(|| components.to_vec(), |component| vec![component]);
    let mut allowed = COMPONENT_KEYS.to_vec();
    allowed.extend(
        known
            .iter()
            .flat_map(|component| component.parameters())
            .map(|parameter| parameter.name),
    );
    let owners = |key: &str| {
        let owns = |component: &&&'static dyn Component| declares(component.parameters(), key);
        components
            .iter()
            .filter(owns)
            .map(|component| component.name())
            .collect::<Vec<_>>()
    };
    let subject = component.map_or("", |component| component.name());
    fields.check_keys(&allowed, &mut context.problems, |key| {
        foreign_parameter(key, &owners(key), subject, &allowed)
    });
}

/// The kind of data, which both the component and the metric must be able to serve.
fn data_kind(
    fields: &Fields<'_>,
    component: Option<&'static dyn Component>,
    metric: Option<&'static dyn Metric>,
    problems: &mut Problems,
) -> Option<DataKind> {
    let names: Vec<_> = DATA_KINDS.iter().map(|kind| kind.name()).collect();
    let index = choice(fields, "data_type", &names, problems)?;
    let (kind, at) = (*DATA_KINDS.get(index)?, fields.get("data_type")?);
    let made_of = component.map_or(DATA_KINDS, |component| component.data_kinds());
    if !made_of.contains(&kind) {
        let name = component.map_or("", |component| component.name());
        problems.add(
            at,
            format!("{name} is not made of {kind}; allowed: {}", join(made_of)),
        );
        return None;
    }
    let metric_takes = |kind: &DataKind| {
        metric.is_none_or(|metric| metric.applies_to().contains(&quantity(*kind)))
    };
    if !metric_takes(&kind) {
        let name = metric.map_or("", |metric| metric.name());
        let takes: Vec<_> = DATA_KINDS.iter().copied().filter(metric_takes).collect();
        problems.add(
            at,
            format!("{name} does not apply to {kind}; allowed: {}", join(&takes)),
        );
        return None;
    }
    Some(kind)
}

const fn quantity(kind: DataKind) -> Quantity {
    match kind {
        DataKind::Weights => Quantity::Weights,
        DataKind::Gradients => Quantity::Gradients,
        DataKind::Activations => Quantity::Activations,
    }
}

fn join(kinds: &[DataKind]) -> String {
    kinds
        .iter()
        .map(|kind| kind.name())
        .collect::<Vec<_>>()
        .join(", ")
}

/// One suffix for a component without roles; a map from every role to its suffix for others.
fn suffixes(
    at: &At<'_>,
    component: &'static dyn Component,
    problems: &mut Problems,
) -> Option<Vec<String>> {
    let roles = component.roles();
    if roles.is_empty() {
        if at.node.is_collection() {
            problems.add(
                at,
                format!(
                    "found {}; {} takes {}",
                    at.node,
                    component.name(),
                    expected_suffixes(Some(component))
                ),
            );
            return None;
        }
        return suffix(at, problems).map(|suffix| vec![suffix]);
    }
    let fields = Fields::of(at, &expected_suffixes(Some(component)), problems)?;
    fields.check_keys(roles, problems, |_| None);
    let read = |role: &&str| {
        let at = fields
            .required(role, "the suffix of a layer's tensor", problems)?
            .clone();
        suffix(&at, problems)
    };
    let suffixes: Vec<_> = roles.iter().map(read).collect();
    suffixes.into_iter().collect()
}

fn suffix(at: &At<'_>, problems: &mut Problems) -> Option<String> {
    let suffix = short_text(
        at,
        "the suffix of a layer's tensor, as in attention.o_proj",
        problems,
    )?;
    if suffix.trim().is_empty() {
        problems.add(
            at,
            "found nothing; expected the suffix of a layer's tensor, as in attention.o_proj",
        );
        return None;
    }
    Some(suffix)
}

fn expected_suffixes(component: Option<&'static dyn Component>) -> String {
    match component.map(|component| component.roles()) {
        Some(roles) if !roles.is_empty() => {
            let roles: Vec<_> = roles.iter().map(|role| format!("{role}: ...")).collect();
            format!("a map {{{}}}", roles.join(", "))
        }
        _ => "one suffix, as in attention.o_proj".to_owned(),
    }
}

/// The values of the declared parameters; those that are not given at their default.
fn parameters(
    fields: &Fields<'_>,
    declared: &[Parameter],
    problems: &mut Problems,
) -> Option<Parameters> {
    let given = declared
        .iter()
        .filter_map(|parameter| Some((parameter, fields.get(parameter.name)?)));
    let values: Vec<_> = given
        .map(|(parameter, at)| {
            (
                parameter.name,
                parameter_value(at, parameter.kind, problems),
            )
        })
        .collect();
    values
        .into_iter()
        .try_fold(Parameters::defaults(declared), |values, (name, value)| {
            Some(values.with(name, value?))
        })
}

fn parameter_value(
    at: &At<'_>,
    kind: ParameterKind,
    problems: &mut Problems,
) -> Option<ParameterValue> {
    match kind {
        ParameterKind::Choice(words) => {
            let index = choice_at(at, words, problems)?;
            words.get(index).copied().map(ParameterValue::Choice)
        }
        ParameterKind::Boolean => boolean(at, problems).map(ParameterValue::Boolean),
        ParameterKind::Integer { min, max } => {
            integer(at, min, max, problems).map(ParameterValue::Integer)
        }
    }
}

fn integer(at: &At<'_>, min: i64, max: i64, problems: &mut Problems) -> Option<i64> {
    let found = match at.node.value {
        Value::Whole(number) => i64::try_from(number)
            .ok()
            .filter(|number| (min..=max).contains(number)),
        _ => None,
    };
    if found.is_none() {
        problems.add(
            at,
            format!(
                "found {}; expected a whole number from {min} to {max}",
                at.node
            ),
        );
    }
    found
}

/// Which of the names a required key's value is.
fn choice(
    fields: &Fields<'_>,
    key: &str,
    names: &[&str],
    problems: &mut Problems,
) -> Option<usize> {
    let at = fields
        .required(key, &format!("one of {}", names.join(", ")), problems)?
        .clone();
    choice_at(&at, names, problems)
}

fn choice_at(at: &At<'_>, names: &[&str], problems: &mut Problems) -> Option<usize> {
    let allowed = || names.join(", ");
    let found = text(at, &format!("one of {}", allowed()), problems)?;
    let index = names.iter().position(|name| *name == found);
    if index.is_none() {
        problems.add(
            at,
            format!(
                "found {}; {}allowed: {}",
                at.node,
                nearest(found, names),
                allowed()
            ),
        );
    }
    index
}
