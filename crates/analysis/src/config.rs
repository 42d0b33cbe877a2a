//! The config file: what to compute.

use trainscope_checkpoint::{DataKind, Split};
use trainscope_metrics::{Metric, Parameters};

use crate::component::Component;
use crate::registry::Registry;

/// A checked config: every name resolved against a [`Registry`].
#[derive(Clone)]
pub struct Config {
    /// The analysis' name; `None` where the file gives none.
    pub analysis_name: Option<String>,
    /// The entries of `metrics`, in order.
    pub metrics: Vec<MetricEntry>,
    /// Which steps.
    pub steps: StepSelection,
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

/// One entry of a metric's `components`.
#[derive(Clone)]
pub struct ComponentEntry {
    /// The component.
    pub component: &'static dyn Component,
    /// The kind of data.
    pub kind: DataKind,
    /// The suffixes, in the order of [`Component::roles`] (one where it has no roles).
    pub suffixes: Vec<String>,
    /// Which layers.
    pub layers: LayerSelection,
    /// The values of its parameters.
    pub parameters: Parameters,
    /// Where it stands in the file.
    pub location: Location,
}

/// Where something stands in a config file.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// Line, counted from 1.
    pub line: u64,
    /// Path, as in `metrics[0].components[1].layers`.
    pub path: String,
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
}

/// Which steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepSelection {
    /// All there are.
    All,
    /// These, in ascending order (a range is expanded on reading).
    List(Vec<u64>),
}

/// Where results go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Monitoring {
    /// The folder of results.
    pub output_dir: String,
    /// Weights & Biases, where the file asks for it.
    pub wandb: Option<Wandb>,
}

/// A Weights & Biases destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wandb {
    /// The entity; empty for the key's own.
    pub entity: String,
    /// The project.
    pub project: String,
}

/// One thing wrong with a config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// Where.
    pub location: Location,
    /// What was found and what is allowed, with the nearest valid name.
    pub message: String,
}

/// Everything wrong with a config, in the order of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigProblem>);

impl Config {
    /// Reads and checks a config.
    ///
    /// # Errors
    /// [`ConfigErrors`] with every problem of the file.
    pub fn parse(text: &str, registry: &Registry) -> Result<Self, ConfigErrors> {
        let _ = (text, registry);
        unimplemented!()
    }
}
