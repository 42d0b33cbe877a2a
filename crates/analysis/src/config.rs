//! The config file: what to compute.
//!
//! [`Config::parse`] reads the text into a tree that knows its lines (`tree`), walks it along the
//! schema (`schema`, `metric_entry`, `component_entry`) with every problem noted and none fatal, and labels the
//! entries (`label`). [`Config::to_yaml`] is the way back, and [`Config::written_into`] the way back into a
//! text that somebody wrote.

mod component_entry;
mod cursor;
mod form;
mod in_place;
pub mod keys;
mod label;
mod metric_entry;
mod model;
mod monitoring;
mod name;
mod odd_space;
mod parameter;
mod problem;
mod reading;
mod schema;
mod selection;
mod stack;
mod suggestion;
mod tree;
mod value;
mod yaml;

use std::fmt;

use ckptscope_checkpoint::architecture::Role;
use ckptscope_checkpoint::{DataKind, Split};
use ckptscope_metrics::{Metric, Parameters};

use crate::component::Component;
use crate::registry::Registry;

pub use ckptscope_protocol::{ConfigProblem, Location};
pub use model::ModelEntry;
pub use problem::ConfigErrors;
pub(crate) use stack::{LayerSuffix, meant, shown, with_stack};
pub use suggestion::suggest;
pub(crate) use yaml::commented;

/// A checked config: every name resolved against a [`Registry`].
#[derive(Clone)]
pub struct Config {
    /// The analysis' name; `None` where the file gives none.
    pub analysis_name: Option<String>,
    /// The entries of `metrics`, in order.
    pub metrics: Vec<MetricEntry>,
    /// The model's dimensions, where its own files do not say them or say them wrongly.
    pub model: ModelEntry,
    /// Which steps.
    pub steps: StepSelection,
    /// What happens where a step cannot be read.
    pub on_error: OnError,
    /// Where results go.
    pub monitoring: Monitoring,
    /// The text it was read from, for the copy beside the results.
    pub text: String,
}

/// One entry of `metrics`.
#[derive(Clone)]
pub struct MetricEntry {
    /// The metric.
    pub metric: &'static dyn Metric,
    /// Its label, unique within its split: `name`, else the metric's name, with the parameters
    /// that differ appended where that collides.
    pub label: String,
    /// The `name` the file gives it.
    pub name: Option<String>,
    /// The values of its parameters.
    pub parameters: Parameters,
    /// The checkpoint to compare with; `Some` for comparative metrics only.
    pub target: Option<Target>,
    /// The split.
    pub split: Split,
    /// What to measure.
    pub components: Vec<ComponentEntry>,
    /// Where it stands in the file.
    pub location: Location,
}

/// One component that a metric measures: an entry of `components`, or one suffix or part of an
/// entry that lists several.
#[derive(Clone)]
pub struct ComponentEntry {
    /// The component.
    pub component: &'static dyn Component,
    /// The kind of data.
    pub kind: DataKind,
    /// The suffixes, in the order of [`Component::roles`] (one where it has no roles).
    pub suffixes: Vec<String>,
    /// The part of the model, where the file names one in the place of suffixes.
    pub part: Option<Role>,
    /// The stack of layers, where the file names one with the key `stack`.
    pub stack: Option<String>,
    /// Whether the file lists its suffix or part in one entry with that of the component before it.
    pub continues_list: bool,
    /// Which layers.
    pub layers: LayerSelection,
    /// The values of its parameters.
    pub parameters: Parameters,
    /// Where it stands in the file: its entry, or its item of a list.
    pub location: Location,
}

/// An entry of `components` as a file has it.
struct WrittenComponent<'a> {
    /// Its first component; the others differ in their suffix or part alone.
    entry: &'a ComponentEntry,
    /// The suffixes, in the order of the component's roles or of the list.
    suffixes: Vec<&'a str>,
    /// The parts, in the order of the list.
    parts: Vec<Role>,
}

/// The checkpoint that comparative metrics compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// This step.
    Step(u64),
    /// The run's last step.
    Last,
}

/// Which layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LayerSelection {
    /// All there are.
    All,
    /// These.
    List(Vec<u64>),
    /// None: its suffixes are whole names of tensors outside of layers.
    Outside,
}

/// Which steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepSelection {
    /// All there are.
    All,
    /// These, in ascending order (a range is expanded on reading).
    List(Vec<u64>),
}

ckptscope_vocabulary::words! {
    /// What happens where a step of those asked for cannot be read, as it lies there.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum OnError {
        /// It is left out, with a warning; the results list it.
        #[default]
        Skip = "skip",
        /// The analysis is refused.
        Stop = "stop",
    }
}

/// Where results go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Monitoring {
    /// The folder of results.
    pub output_dir: String,
    /// Weights & Biases, where the file asks for it.
    pub wandb: Option<Wandb>,
    /// Pico Labs, where the file asks for it.
    pub pico_report: Option<PicoReport>,
}

/// A Weights & Biases destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wandb {
    /// The entity; empty for the key's own.
    pub entity: String,
    /// The project.
    pub project: String,
}

/// An experiment at Pico Labs, as pico-analyze's configs name it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PicoReport {
    /// The lab; empty for the environment's.
    pub lab_hash: String,
    /// The experiment; empty for the environment's, or the analysis' name.
    pub experiment_name: String,
    /// Whether pico-analyze would commit to the git repository around it. Nothing here does.
    pub auto_commit: bool,
}

impl Config {
    /// Reads and checks a config. The schema is pico-analyze's; what is added to it stands in
    /// `configs/every-metric.yaml`.
    ///
    /// # Errors
    /// [`ConfigErrors`] with every problem of the file.
    ///
    /// # Example
    /// ```
    /// use ckptscope_analysis::{Config, Registry};
    ///
    /// let text = "
    /// metrics:
    ///   - metric_name: gini
    ///     data_split: val
    ///     components:
    ///       - component_name: simple
    ///         data_type: weights
    ///         layer_suffixes: attention.o_proj
    ///         layers: 0..11
    /// steps: {start: 0, end: 50_000, step: 5_000}
    /// ";
    /// let config = Config::parse(text, &Registry::default())?;
    /// assert_eq!(config.metrics[0].label, "gini");
    ///
    /// let misspelt = text.replace("gini", "gimi").replace("val", "value");
    /// let errors = Config::parse(&misspelt, &Registry::default()).unwrap_err();
    /// assert_eq!(errors.0.len(), 2);
    /// assert_eq!(errors.0[0].location.path, "metrics[0].metric_name");
    /// # Ok::<(), ckptscope_analysis::ConfigErrors>(())
    /// ```
    pub fn parse(text: &str, registry: &Registry) -> Result<Self, ConfigErrors> {
        let root = tree::read(text).map_err(|problem| ConfigErrors(vec![problem]));
        let config = root.and_then(|root| schema::read(&root, text, registry));
        config.map_err(|ConfigErrors(problems)| {
            // What looks like a space is behind all else that is said of such a text.
            let odd_space = odd_space::find(text);
            ConfigErrors(odd_space.into_iter().chain(problems).collect())
        })
    }
}

impl MetricEntry {
    /// The entries of `components` as a file has them, lists of suffixes as one.
    fn written(&self) -> impl Iterator<Item = WrittenComponent<'_>> {
        let lists = self.components.chunk_by(|_, next| next.continues_list);
        lists.filter_map(|list| {
            let suffixes = list.iter().flat_map(|entry| &entry.suffixes);
            Some(WrittenComponent {
                entry: list.first()?,
                suffixes: suffixes.map(String::as_str).collect(),
                parts: list.iter().filter_map(|entry| entry.part).collect(),
            })
        })
    }
}

impl Default for Monitoring {
    fn default() -> Self {
        Self {
            output_dir: "analysis_results".to_owned(),
            wandb: None,
            pico_report: None,
        }
    }
}

impl Config {
    /// The keys by which two configs may give other numbers; where these go is none of them.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        let pairs = [
            ("analysis_name", self.analysis_name != other.analysis_name),
            ("metrics", self.metrics != other.metrics),
            ("model", self.model != other.model),
            ("steps", self.steps != other.steps),
            ("on_error", self.on_error != other.on_error),
        ];
        let differing = pairs.into_iter().filter(|(_, differs)| *differs);
        differing.map(|(key, _)| key).collect()
    }
}

/// Equal where they ask for the same; text and lines do not count.
impl PartialEq for Config {
    fn eq(&self, other: &Self) -> bool {
        self.differences(other).is_empty() && self.monitoring == other.monitoring
    }
}

/// Equal where they ask for the same; lines do not count.
impl PartialEq for MetricEntry {
    fn eq(&self, other: &Self) -> bool {
        self.metric.name() == other.metric.name()
            && self.label == other.label
            && self.name == other.name
            && self.parameters == other.parameters
            && self.target == other.target
            && self.split == other.split
            && self.components == other.components
    }
}

/// Equal where they ask for the same; neither lines nor lists of suffixes count.
impl PartialEq for ComponentEntry {
    fn eq(&self, other: &Self) -> bool {
        self.component.name() == other.component.name()
            && self.kind == other.kind
            && self.suffixes == other.suffixes
            && self.part == other.part
            && self.stack == other.stack
            && self.layers == other.layers
            && self.parameters == other.parameters
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_yaml())
    }
}

impl fmt::Debug for MetricEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricEntry")
            .field("metric", &self.metric.name())
            .field("label", &self.label)
            .field("name", &self.name)
            .field("parameters", &self.parameters)
            .field("target", &self.target)
            .field("split", &self.split)
            .field("components", &self.components)
            .field("location", &self.location)
            .finish()
    }
}

impl fmt::Debug for ComponentEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ComponentEntry")
            .field("component", &self.component.name())
            .field("kind", &self.kind)
            .field("suffixes", &self.suffixes)
            .field("part", &self.part)
            .field("stack", &self.stack)
            .field("continues_list", &self.continues_list)
            .field("layers", &self.layers)
            .field("parameters", &self.parameters)
            .field("location", &self.location)
            .finish()
    }
}
