//! From the tree of a file to a [`Config`].

use std::collections::HashMap;

use ckptscope_checkpoint::Split;

use super::cursor::{At, Fields};
use super::keys::CONFIG;
use super::metric_entry::metric_entry;
use super::model::model;
use super::monitoring::monitoring;
use super::name::check_analysis_name;
use super::problem::Problems;
use super::selection::steps;
use super::suggestion::suggest;
use super::tree::{Node, Value, quoted};
use super::value::name;
use super::{Config, ConfigErrors, Location, MetricEntry, OnError, label};
use crate::registry::Registry;

/// What an analysis config looks like, on one line; a config itself.
const EXAMPLE: &str = "{metrics: [{metric_name: gini, data_split: val, components: \
     [{component_name: simple, data_type: weights, layer_suffixes: attention.o_proj, layers: all}]}], \
     steps: all}";

/// Keys of training configs, pico-train's and others', that no analysis config has.
const TRAINING_KEYS: &[&str] = &[
    "training",
    "model",
    "data",
    "checkpointing",
    "optimizer",
    "trainer",
    "model_type",
];

/// Entries that a config may have, those of metrics and of components together.
const MAX_ENTRIES: usize = 10_000;

/// Layers that the components of a config may list, all together.
const MAX_LAYERS_LISTED: usize = 200_000;

/// Longest canonical text of a config.
///
/// It is read back, so it stays below the limits of reading.
const MAX_CANONICAL_BYTES: usize = 512 << 10;

/// What reading a file needs at every place.
///
/// A small file can ask for a lot by way of aliases and ranges, so what it asks for is counted.
pub(super) struct Context<'a> {
    /// The names that exist.
    pub(super) registry: &'a Registry,
    /// What was wrong so far.
    pub(super) problems: Problems,
    /// Entries that may still come.
    pub(super) entries_left: usize,
    /// Layers that components may still list.
    pub(super) layers_left: usize,
    /// The names that entries gave themselves, in lower case, and where.
    pub(super) names: HashMap<(Split, String), Location>,
}

/// Checks the tree against the schema.
///
/// # Errors
/// Every problem of the file.
pub(super) fn read(root: &Node, text: &str, registry: &Registry) -> Result<Config, ConfigErrors> {
    let mut context = Context {
        registry,
        problems: Problems::default(),
        entries_left: MAX_ENTRIES,
        layers_left: MAX_LAYERS_LISTED,
        names: HashMap::new(),
    };
    let root = At::root(root);
    let config = document(&root, text, &mut context);
    if let Some(config) = &config {
        check_size(config, &root, &mut context.problems);
    }
    context.problems.settle(config)
}

fn document(at: &At<'_>, text: &str, context: &mut Context<'_>) -> Option<Config> {
    if let Some(found) = something_else(at.node) {
        let message = format!("{found}; an analysis config looks like this: {EXAMPLE}");
        context.problems.add(at, message);
        return None;
    }
    let fields = Fields::of(at, "an analysis config", &mut context.problems)?;
    fields.check_keys(&CONFIG.names(), &mut context.problems, |_| None);
    let metrics = metrics(&fields, context);
    let problems = &mut context.problems;
    let analysis_name = fields.optional("analysis_name", |at| {
        name(at, check_analysis_name, problems)
    });
    let model = fields.optional("model", |at| model(at, problems));
    let steps = fields
        .required("steps", "a list, {start, end, step} or all", problems)
        .and_then(|at| steps(at, problems));
    let on_error = fields.optional("on_error", |at| on_error(at, problems));
    let monitoring = monitoring(&fields, problems);
    Some(Config {
        analysis_name: analysis_name?,
        metrics: metrics?,
        model: model?.unwrap_or_default(),
        steps: steps?,
        on_error: on_error?.unwrap_or_default(),
        monitoring: monitoring?,
        text: text.to_owned(),
    })
}

fn on_error(at: &At<'_>, problems: &mut Problems) -> Option<OnError> {
    match at.node.as_text().map(str::parse) {
        Some(Ok(on_error)) => Some(on_error),
        _ => problems.unexpected(at, "skip or stop"),
    }
}

/// What the document is, where it is no analysis config at all.
fn something_else(root: &Node) -> Option<String> {
    match &root.value {
        Value::Nothing => Some("the file is empty".to_owned()),
        Value::Map(entries) if entries.is_empty() => Some("the file is empty".to_owned()),
        Value::Map(entries) => {
            let keys: Vec<_> = entries
                .iter()
                .filter_map(|(key, _)| key.as_text())
                .collect();
            training_config(&keys).or_else(|| foreign_config(&keys))
        }
        _ => Some(format!("the file is {root}, not a map")),
    }
}

fn training_config(keys: &[&str]) -> Option<String> {
    let foreign = TRAINING_KEYS
        .iter()
        .copied()
        .filter(|key| keys.contains(key));
    let foreign = foreign.collect::<Vec<_>>().join(", ");
    let told = !foreign.is_empty() && !keys.contains(&"metrics");
    told.then(|| format!("this looks like a training config (it has {foreign})"))
}

/// A file in which not one key is, or is nearly, one of ours.
fn foreign_config(keys: &[&str]) -> Option<String> {
    let known = CONFIG.names();
    let ours = |key: &&str| suggest(key, &known).is_some();
    let shown: Vec<_> = keys.iter().take(3).map(|key| quoted(key)).collect();
    (!keys.iter().any(ours))
        .then(|| format!("this is no analysis config (it has {})", shown.join(", ")))
}

fn metrics(fields: &Fields<'_>, context: &mut Context<'_>) -> Option<Vec<MetricEntry>> {
    let expected = "a list of entries, each with a metric_name";
    let at = fields.required("metrics", expected, &mut context.problems)?;
    let mut entries = entries(
        at,
        "a list of one or more metric entries",
        context,
        metric_entry,
    )?;
    label::assign(&mut entries);
    Some(entries)
}

/// The items of a list that must not be empty, each read by `read`; `None` where one is wrong.
pub(super) fn entries<'a, T>(
    at: &At<'a>,
    expected: &str,
    context: &mut Context<'_>,
    mut read: impl FnMut(&At<'a>, &mut Context<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let Some(items) = at.items().filter(|items| !items.is_empty()) else {
        return context.problems.unexpected(at, expected);
    };
    let Some(left) = context.entries_left.checked_sub(items.len()) else {
        context
            .problems
            .add(at, format!("more than {MAX_ENTRIES} entries in the file"));
        return None;
    };
    context.entries_left = left;
    // All of them are read before one that is wrong counts: all problems are reported together.
    let read: Vec<_> = items.iter().map(|item| read(item, context)).collect();
    read.into_iter().collect()
}

fn check_size(config: &Config, root: &At<'_>, problems: &mut Problems) {
    let bytes = config.to_yaml().len();
    if bytes > MAX_CANONICAL_BYTES {
        let message =
            format!("{bytes} bytes with the aliases written out; at most {MAX_CANONICAL_BYTES}");
        problems.add(root, message);
    }
}
