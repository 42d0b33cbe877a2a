//! What the page and its web worker say to each other, as JSON.

use serde::{Deserialize, Serialize};
use trainscope_analysis::protocol::Event;

/// What the page asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    /// Fetch the demo run and do its analysis.
    Demo,
}

/// What the web worker answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// It is ready for requests.
    Ready,
    /// Bytes fetched so far.
    Fetched {
        /// So far.
        bytes: u64,
        /// Of so many.
        of: u64,
    },
    /// What the run is.
    Opened(RunSummary),
    /// What the analysis tells, in order.
    Events {
        /// At least one.
        events: Vec<Event>,
    },
    /// It could not be done.
    Failed {
        /// What failed, why, and what to try.
        message: String,
    },
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSummary {
    /// The run's name.
    pub name: String,
    /// Its steps, ascending.
    pub steps: Vec<u64>,
    /// Number of files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Number of layers, where a config says so.
    pub n_layers: Option<u64>,
    /// Number of attention heads.
    pub n_heads: Option<u64>,
    /// Number of key-value heads.
    pub n_kv_heads: Option<u64>,
    /// Width of the residual stream.
    pub d_model: Option<u64>,
}
