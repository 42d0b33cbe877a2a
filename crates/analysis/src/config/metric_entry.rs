//! One entry of `metrics`.

use ckptscope_checkpoint::Split;
use ckptscope_metrics::Metric;

use super::component_entry::{ResultKeys, component_entry};
use super::cursor::{At, Fields};
use super::keys::METRIC_ENTRY;
use super::name::check_entry_name;
use super::parameter::{Owner, check_keys, choice, parameters};
use super::problem::Problems;
use super::schema::{Context, entries};
use super::selection::target;
use super::value::name;
use super::{ComponentEntry, MetricEntry, Target};

const SPLITS: &[Split] = Split::ALL;

/// One entry of `metrics`; its label is given when all are read.
pub(super) fn metric_entry(at: &At<'_>, context: &mut Context<'_>) -> Option<MetricEntry> {
    let expected = "a metric entry, a map with a metric_name";
    let fields = Fields::of(at, expected, &mut context.problems)?;
    let metric = metric(&fields, context);
    let problems = &mut context.problems;
    let parameters = metric.and_then(|metric| parameters(&fields, metric.parameters(), problems));
    let target = metric.and_then(|metric| entry_target(&fields, metric, problems));
    let split = split(&fields, problems);
    let name = entry_name(&fields, split, context);
    let components = components(&fields, metric, context);
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
    let owner = |metric: &&'static dyn Metric| Owner {
        name: metric.name(),
        parameters: metric.parameters(),
    };
    let owners: Vec<_> = metrics.iter().map(owner).collect();
    let names: Vec<_> = owners.iter().map(|owner| owner.name).collect();
    let chosen = choice(fields, "metric_name", &names, &mut context.problems);
    check_keys(
        fields,
        &METRIC_ENTRY.names(),
        &owners,
        chosen,
        &mut context.problems,
    );
    metrics.get(chosen?).copied()
}

/// `Some(None)` where there is none, and rightly.
fn entry_target(
    fields: &Fields<'_>,
    metric: &dyn Metric,
    problems: &mut Problems,
) -> Option<Option<Target>> {
    const KEY: &str = "target_checkpoint";
    if metric.form().is_comparative() {
        let expected = format!("a step or last, because {} compares", metric.name());
        let at = fields.required(KEY, &expected, problems)?;
        return target(at, problems).map(Some);
    }
    let Some(at) = fields.get(KEY) else {
        return Some(None);
    };
    problems.add(
        at,
        format!(
            "{} compares with no checkpoint; leave {KEY} out",
            metric.name()
        ),
    );
    None
}

fn split(fields: &Fields<'_>, problems: &mut Problems) -> Option<Split> {
    let names: Vec<_> = SPLITS.iter().map(|split| split.name()).collect();
    let index = choice(fields, "data_split", &names, problems)?;
    SPLITS.get(index).copied()
}

/// `Some(None)` where the entry has none.
fn entry_name(
    fields: &Fields<'_>,
    split: Option<Split>,
    context: &mut Context<'_>,
) -> Option<Option<String>> {
    fields.optional("name", |at| {
        let name = name(at, check_entry_name, &mut context.problems)?;
        claim_name(&name, split?, at, context).then_some(name)
    })
}

/// Whether no other entry of the split has the name. Files whose names differ in case only are
/// one file on many systems.
fn claim_name(name: &str, split: Split, at: &At<'_>, context: &mut Context<'_>) -> bool {
    let key = (split, name.to_ascii_lowercase());
    let twin = context.names.insert(key, at.location());
    if let Some(twin) = &twin {
        let message = format!("{name:?} is the name of another {split} entry ({twin})");
        context.problems.add(at, message);
    }
    twin.is_none()
}

fn components(
    fields: &Fields<'_>,
    metric: Option<&'static dyn Metric>,
    context: &mut Context<'_>,
) -> Option<Vec<ComponentEntry>> {
    let expected = "a list of entries, each with a component_name";
    let at = fields.required("components", expected, &mut context.problems)?;
    let mut keys = ResultKeys::default();
    let read = entries(
        at,
        "a list of one or more component entries",
        context,
        |at, context| component_entry(at, metric, &mut keys, context),
    )?;
    Some(read.into_iter().flatten().collect())
}
