//! A config as a form shows it, and the menus the form offers.
//!
//! A form holds what a person typed, valid or not; reading it as a config says what is wrong.

use serde::{Deserialize, Serialize};

/// A config of which every value is text that a person may edit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigForm {
    /// The analysis' name; empty for none.
    pub analysis_name: String,
    /// The entries of `metrics`, in order.
    pub metrics: Vec<MetricForm>,
    /// `all`, steps as `0, 50, 100`, or a range as `0..1000 step 50`.
    pub steps: String,
    /// The folder of results.
    pub output_dir: String,
    /// Entity and project of Weights & Biases, where results go there.
    pub wandb: Option<(String, String)>,
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
    /// Suffixes, in the order of the component's roles; one where it has none.
    pub suffixes: Vec<String>,
    /// `all`, layers as `0, 2`, or a range as `0..11`.
    pub layers: String,
    /// Names and values of its parameters.
    pub parameters: Vec<(String, String)>,
}

/// What a form can choose from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Menu {
    /// Every metric, in the order in which they are shown.
    pub metrics: Vec<MetricMenu>,
    /// Every component, in the order in which they are shown.
    pub components: Vec<ComponentMenu>,
}

/// One metric.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricMenu {
    /// Its name.
    pub name: String,
    /// One line on what it says.
    pub summary: String,
    /// Whether it compares with a target checkpoint.
    pub is_comparative: bool,
    /// The kinds of data it applies to.
    pub data_types: Vec<String>,
    /// The parameters it takes.
    pub parameters: Vec<ParameterMenu>,
}

/// One component.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentMenu {
    /// Its name.
    pub name: String,
    /// One line on what it is.
    pub summary: String,
    /// The kinds of data it can be made of.
    pub data_types: Vec<String>,
    /// The parts its suffixes name; empty where it takes one plain suffix.
    pub roles: Vec<String>,
    /// The parameters it takes.
    pub parameters: Vec<ParameterMenu>,
}

/// One parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterMenu {
    /// Its name.
    pub name: String,
    /// One line on what it does.
    pub summary: String,
    /// What values it takes.
    pub values: ParameterValues,
    /// The value where a config gives none.
    pub default: String,
}

/// The values a parameter takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterValues {
    /// One of these words.
    Choice(Vec<String>),
    /// A whole number between these, both included.
    Integer(i64, i64),
    /// `true` or `false`.
    Boolean,
}
