//! What the engine tells whoever listens: page, terminal, HTTP client, result files.

use serde::{Deserialize, Serialize};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// What will be done and what it costs.
    Planned(Cost),
    /// A lane finished a step.
    Progress(Progress),
    /// A number, or why there is none.
    Record(Record),
    /// Something skipped or assumed.
    Warning {
        /// In words, with what and where.
        message: String,
    },
    /// Everything is done.
    Done,
}

/// What an analysis costs, known from the catalogs alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Lanes.
    pub lanes: u64,
    /// Units of progress: one lane at one step.
    pub units: u64,
    /// Records that will come.
    pub records: u64,
    /// Tensor bytes to read.
    pub read_bytes: u64,
    /// Floating-point operations.
    pub flops: f64,
    /// Memory of one lane at its widest.
    pub peak_bytes: u64,
}

/// How far one lane got since it last said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The layer.
    pub layer: u64,
    /// The step it finished.
    pub step: u64,
    /// Whether its records were asked for; a target outside the chosen steps is only read.
    pub recorded: bool,
    /// Tensor bytes it read for it.
    pub read_bytes: u64,
}

/// One number of one metric of one component at one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Record {
    /// The metric entry's label.
    pub label: String,
    /// `train` or `val`.
    pub split: String,
    /// The step.
    pub step: u64,
    /// The component's key, as the reference tool writes it:
    /// `{prefix}{layer}.{suffix}.{data_type}`, `{prefix}{layer}.ov_circuit.{data_type}.heads.{h}`.
    pub key: String,
    /// The component without prefix and layer: a suffix, or the component's name.
    pub component: String,
    /// The layer.
    pub layer: u64,
    /// The head; none for the layer's own.
    pub head: Option<u64>,
    /// `weights`, `gradients` or `activations`.
    pub data_type: String,
    /// Which of the metric's numbers, where it gives several (`top_k_mean`); else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output: String,
    /// The number; none where it is undefined.
    pub value: Option<f64>,
    /// Why there is none, or what to know of it.
    pub status: Option<String>,
}
