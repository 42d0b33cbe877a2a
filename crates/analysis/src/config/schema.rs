//! From the tree of a file to a [`Config`]: the document and its parts other than `metrics`.

use super::cursor::{At, Fields};
use super::entry::metric_entry;
use super::problem::Problems;
use super::selection::steps;
use super::tree::{Node, Value, quoted};
use super::{Config, ConfigErrors, MetricEntry, Monitoring, Wandb, label, name};
use crate::registry::Registry;

/// What an analysis config looks like, on one line; a config itself.
pub(super) const EXAMPLE: &str = "{metrics: [{metric_name: gini, data_split: val, components: \
     [{component_name: simple, data_type: weights, layer_suffixes: attention.o_proj, layers: all}]}], \
     steps: all}";

const CONFIG_KEYS: &[&str] = &["analysis_name", "metrics", "steps", "monitoring"];
const MONITORING_KEYS: &[&str] = &["output_dir", "save_to_wandb", "wandb"];
const WANDB_KEYS: &[&str] = &["entity", "project"];

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

/// Longest path or name of a destination.
const MAX_TEXT_BYTES: usize = 1024;

/// What reading a file needs at every place.
pub(super) struct Context<'a> {
    /// The names that exist.
    pub(super) registry: &'a Registry,
    /// What was wrong so far.
    pub(super) problems: Problems,
    /// Layers that components may still list: aliases repeat lists, and memory is finite.
    pub(super) layers_left: usize,
    /// The names given to entries so far, with their splits and lines.
    pub(super) names: Vec<(trainscope_checkpoint::Split, String, u64)>,
}

/// Layers that the components of a config may list, all together.
const MAX_LAYERS_LISTED: usize = 1_000_000;

/// Longest canonical text of a config: a small file can say a lot by aliases.
const MAX_CANONICAL_BYTES: usize = 2 << 20;

/// Checks the tree against the schema.
///
/// # Errors
/// Every problem of the file.
pub(super) fn read(root: &Node, text: &str, registry: &Registry) -> Result<Config, ConfigErrors> {
    let problems = Problems::default();
    let mut context = Context {
        registry,
        problems,
        layers_left: MAX_LAYERS_LISTED,
        names: Vec::new(),
    };
    let root = At::root(root);
    let config = document(&root, text, &mut context);
    if let Some(config) = &config {
        check_size(config, &root, &mut context.problems);
    }
    context.problems.settle(config)
}

fn document(at: &At<'_>, text: &str, context: &mut Context<'_>) -> Option<Config> {
    if let Some(message) = something_else(at.node) {
        context.problems.add(at, message);
        return None;
    }
    let fields = Fields::of(at, "an analysis config", &mut context.problems)?;
    fields.check_keys(CONFIG_KEYS, &mut context.problems, |_| None);
    let analysis_name = analysis_name(&fields, &mut context.problems);
    let metrics = metrics(&fields, context);
    let steps = fields
        .required(
            "steps",
            "a list, {start, end, step} or all",
            &mut context.problems,
        )
        .cloned()
        .and_then(|at| steps(&at, &mut context.problems));
    let monitoring = monitoring(&fields, &mut context.problems);
    Some(Config {
        analysis_name: analysis_name?,
        metrics: metrics?,
        steps: steps?,
        monitoring: monitoring?,
        text: text.to_owned(),
    })
}

/// Why the document is no analysis config at all.
fn something_else(root: &Node) -> Option<String> {
    let found = match &root.value {
        Value::Nothing => "the file is empty".to_owned(),
        Value::Map(entries) if entries.is_empty() => "the file is empty".to_owned(),
        Value::Map(entries) => {
            let keys: Vec<_> = entries
                .iter()
                .filter_map(|(key, _)| key.as_text())
                .collect();
            let foreign: Vec<_> = TRAINING_KEYS
                .iter()
                .filter(|key| keys.contains(*key))
                .map(|key| quoted(key))
                .collect();
            if foreign.is_empty() || keys.contains(&"metrics") {
                return None;
            }
            format!(
                "this looks like a training config (it has {}), not like an analysis config",
                foreign.join(", ")
            )
        }
        _ => format!("the file is {root}, not a map"),
    };
    Some(format!(
        "{found}; an analysis config looks like this: {EXAMPLE}"
    ))
}

/// `Some(None)` where the file gives none.
#[expect(
    clippy::option_option,
    reason = "the outer one says whether it is right"
)]
fn analysis_name(fields: &Fields<'_>, problems: &mut Problems) -> Option<Option<String>> {
    let Some(at) = fields.get("analysis_name") else {
        return Some(None);
    };
    checked_name(at, name::check_analysis_name, problems).map(Some)
}

/// A text that names a file or a folder.
pub(super) fn checked_name(
    at: &At<'_>,
    check: impl Fn(&str) -> Result<(), String>,
    problems: &mut Problems,
) -> Option<String> {
    let name = text(at, "a name", problems)?;
    match check(name) {
        Ok(()) => Some(name.to_owned()),
        Err(message) => {
            problems.add(at, format!("found {}: {message}", at.node));
            None
        }
    }
}

fn metrics(fields: &Fields<'_>, context: &mut Context<'_>) -> Option<Vec<MetricEntry>> {
    let at = fields.required(
        "metrics",
        "a list of entries, each with a metric_name",
        &mut context.problems,
    )?;
    let mut entries = entries(at, "a list of metric entries", context, metric_entry)?;
    label::assign(&mut entries);
    Some(entries)
}

/// The items of a list that must not be empty, each read by `read`; `None` where one is wrong.
pub(super) fn entries<T>(
    at: &At<'_>,
    expected: &str,
    context: &mut Context<'_>,
    read: impl Fn(&At<'_>, &mut Context<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let items = at.items().filter(|items| !items.is_empty());
    let Some(items) = items else {
        context
            .problems
            .add(at, format!("found {}; expected {expected}", at.node));
        return None;
    };
    // All of them are read before one that is wrong counts: all problems are reported together.
    let read: Vec<_> = items.iter().map(|item| read(item, context)).collect();
    read.into_iter().collect()
}

fn monitoring(fields: &Fields<'_>, problems: &mut Problems) -> Option<Monitoring> {
    let Some(at) = fields.get("monitoring") else {
        return Some(Monitoring::default());
    };
    let fields = Fields::of(at, "a map", problems)?;
    fields.check_keys(MONITORING_KEYS, problems, |_| None);
    let output_dir = match fields.get("output_dir") {
        Some(at) => path(at, problems),
        None => Some(Monitoring::default().output_dir),
    };
    let saves = fields
        .get("save_to_wandb")
        .map_or(Some(false), |at| boolean(at, problems));
    let wandb = fields
        .get("wandb")
        .map_or_else(|| Some(Wandb::default()), |at| wandb(at, problems));
    let (output_dir, saves, wandb) = (output_dir?, saves?, wandb?);
    if saves && wandb.project.is_empty() {
        let at = fields
            .get("wandb")
            .or_else(|| fields.get("save_to_wandb"))
            .unwrap_or(at);
        problems.add(
            at,
            "save_to_wandb needs a project: wandb: {entity: ..., project: ...}",
        );
        return None;
    }
    Some(Monitoring {
        output_dir,
        wandb: saves.then_some(wandb),
    })
}

fn wandb(at: &At<'_>, problems: &mut Problems) -> Option<Wandb> {
    let fields = Fields::of(at, "a map with entity and project", problems)?;
    fields.check_keys(WANDB_KEYS, problems, |_| None);
    let mut part = |key| {
        fields
            .get(key)
            .map_or(Some(String::new()), |at| short_text(at, "a name", problems))
    };
    let (entity, project) = (part("entity"), part("project"));
    Some(Wandb {
        entity: entity?,
        project: project?,
    })
}

fn path(at: &At<'_>, problems: &mut Problems) -> Option<String> {
    let path = short_text(at, "a folder", problems)?;
    if path.is_empty() {
        problems.add(at, "found nothing; expected a folder");
        return None;
    }
    Some(path)
}

/// A text of printable characters, not overlong.
pub(super) fn short_text(at: &At<'_>, expected: &str, problems: &mut Problems) -> Option<String> {
    let text = text(at, expected, problems)?;
    if text.len() > MAX_TEXT_BYTES || text.contains(char::is_control) {
        problems.add(at, format!("found {}; expected {expected} of printable characters, at most {MAX_TEXT_BYTES} bytes", at.node));
        return None;
    }
    Some(text.to_owned())
}

/// A text; what YAML takes for a number or an answer needs quotes.
pub(super) fn text<'a>(at: &At<'a>, expected: &str, problems: &mut Problems) -> Option<&'a str> {
    let found = at.node.as_text();
    if found.is_none() {
        let advice = if at.node.is_collection() {
            ""
        } else {
            " (in quotes, to make it a text)"
        };
        problems.add(
            at,
            format!("found {}; expected {expected}{advice}", at.node),
        );
    }
    found
}

/// `true` or `false`.
pub(super) fn boolean(at: &At<'_>, problems: &mut Problems) -> Option<bool> {
    if let Value::Boolean(answer) = at.node.value {
        return Some(answer);
    }
    problems.add(at, format!("found {}; expected true or false", at.node));
    None
}

fn check_size(config: &Config, root: &At<'_>, problems: &mut Problems) {
    let bytes = config.to_yaml().len();
    if bytes > MAX_CANONICAL_BYTES {
        let message = format!(
            "the config is {bytes} bytes long with its aliases written out; at most {MAX_CANONICAL_BYTES}"
        );
        problems.add(root, message);
    }
}
