//! The menus that a form offers: metrics, components and their parameters.

use serde::{Deserialize, Serialize};

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
    /// Its name for people.
    pub title: String,
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
    /// The parts its suffixes name; empty where it takes plain suffixes.
    pub roles: Vec<String>,
    /// The parts of a model that it can be of, in the place of a suffix; none where it has roles.
    #[serde(default)]
    pub parts: Vec<String>,
    /// The parameters it takes.
    pub parameters: Vec<ParameterMenu>,
    /// The parameters it takes where its tensors need not be named, with their defaults there.
    #[serde(default)]
    pub parameters_by_role: Vec<ParameterMenu>,
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
    /// A number in this range, as in `(0, 1]`.
    Fraction(String),
    /// `true` or `false`.
    Boolean,
}
