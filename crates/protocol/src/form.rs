//! A config as a form shows it.
//!
//! A form holds what a person typed, valid or not; whoever reads it as a config says what is wrong.

use serde::{Deserialize, Serialize};

/// A config of which every value is text that a person may edit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigForm {
    /// The analysis' name; empty for none.
    pub analysis_name: String,
    /// The entries of `metrics`, in order.
    pub metrics: Vec<MetricForm>,
    /// Names and values of the model's dimensions that are said.
    #[serde(default)]
    pub model: Vec<(String, String)>,
    /// `all`, steps as `0, 50, 100`, or a range as `0..1000 step 50`.
    pub steps: String,
    /// `skip` or `stop`; empty for the default.
    #[serde(default)]
    pub on_error: String,
    /// The folder of results.
    pub output_dir: String,
    /// Entity and project of Weights & Biases, where results go there.
    pub wandb: Option<(String, String)>,
    /// The experiment at Pico Labs, where results go there.
    #[serde(default)]
    pub pico_report: Option<PicoReportForm>,
}

/// An experiment at Pico Labs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PicoReportForm {
    /// The lab; empty for the environment's.
    pub lab_hash: String,
    /// The experiment; empty for the environment's, or the analysis' name.
    pub experiment_name: String,
    /// Whether pico-analyze would commit to the git repository around it. Nothing here does.
    pub auto_commit: bool,
}

/// One entry of `metrics`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricForm {
    /// The metric's name.
    pub metric: String,
    /// The entry's own name; empty for none.
    pub name: String,
    /// The label of its results. It follows from the rest and is not read.
    pub label: String,
    /// `last` or a step; empty for a metric that compares with nothing.
    pub target: String,
    /// `train` or `val`.
    pub split: String,
    /// Names and values of its parameters.
    pub parameters: Vec<(String, String)>,
    /// What it measures.
    pub components: Vec<ComponentForm>,
}

/// One entry of a metric's `components`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentForm {
    /// The component's name.
    pub component: String,
    /// `weights`, `gradients` or `activations`.
    pub data_type: String,
    /// Suffixes: in the order of the component's roles; where it has none, as many as are listed.
    pub suffixes: Vec<String>,
    /// Parts of the model in the place of suffixes, as many as are listed.
    #[serde(default)]
    pub parts: Vec<String>,
    /// The stack of layers; empty where none is named.
    #[serde(default)]
    pub stack: String,
    /// `all`, layers as `0, 2`, or a range as `0..11`.
    pub layers: String,
    /// Names and values of its parameters.
    pub parameters: Vec<(String, String)>,
}
