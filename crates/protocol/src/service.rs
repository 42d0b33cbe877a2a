//! What a page and `worker serve` say to each other over HTTP, as JSON.
//!
//! | method and path | asks | answers |
//! |---|---|---|
//! | `GET api/health` | | [`Health`] |
//! | `GET api/runs` | | list of [`RunFound`] |
//! | `GET api/runs/{id}` | | [`RunFiles`] |
//! | `GET api/runs/{id}/files/{path}` | | the file; ranges |
//! | `POST api/matches` | [`Sampled`] | [`Matched`] |
//! | `POST api/uploads` | [`NewUpload`] | 201, [`Upload`] |
//! | `GET api/uploads/{id}` | | [`Upload`] |
//! | `PUT api/uploads/{id}/{path}?offset=N` | bytes that follow the first N | [`UploadFile`] |
//! | `DELETE api/uploads/{id}` | | 204 |
//! | `POST api/singular-values` | a file of safetensors with one tensor | `SpectrumView` |
//! | `GET api/analyses` | | list of [`AnalysisInfo`], the newest first |
//! | `POST api/analyses` | [`NewAnalysis`] | 201, [`AnalysisInfo`] |
//! | `GET api/analyses/{id}` | | [`AnalysisInfo`] |
//! | `PATCH api/analyses/{id}` | [`Rename`] | [`AnalysisInfo`] |
//! | `POST api/analyses/{id}/resume` | | [`AnalysisInfo`], queued again |
//! | `DELETE api/analyses/{id}` | | [`AnalysisInfo`], cancelled; `?remove=true`: 204, gone |
//! | `GET api/analyses/{id}/events` | `Last-Event-ID` | server-sent events, see [`Told`] |
//! | `GET api/analyses/{id}/results.json`, `results.csv`, `results.parquet`, `report.html` | | the file |
//! | `GET s/{id}` | | 303, to the page that shows the analysis |
//!
//! Where a token is needed it comes as `Authorization: Bearer TOKEN`; `api/health` needs none. What
//! is refused comes with a 4xx or 5xx and a [`Refusal`].

use ckptscope_results::{Numbers, Results};
use serde::{Deserialize, Serialize};

use crate::{ConfigProblem, Cost, Crew, Progress, Rates};

/// The version of this interface.
pub const API: u32 = 3;

/// Who answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// `ckptscope`.
    pub name: String,
    /// The program's version.
    pub version: String,
    /// [`API`] of the program.
    pub api: u32,
    /// Whether everything else needs a token.
    pub needs_token: bool,
    /// What it can do; none for whoever shows no token where one is needed.
    pub machine: Option<Machine>,
}

/// What a worker's machine can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Threads that compute lanes of one analysis.
    pub threads: u64,
    /// How fast one thread is, measured as the page measures its own.
    #[serde(default)]
    pub rates: Rates,
    /// Memory that analyses may use.
    pub memory_bytes: u64,
    /// Analyses under way at the same time, at most.
    pub analyses_at_once: u64,
    /// Analyses that may wait, at most.
    pub queue_length: u64,
    /// Bytes of one upload, at most.
    pub upload_bytes: u64,
    /// Whether it computes singular values of tensors that it is sent: not where a scheduler
    /// computes for it.
    #[serde(default)]
    pub takes_tensors: bool,
}

impl Machine {
    /// Who computes an analysis on it.
    #[must_use]
    pub const fn crew(&self) -> Crew {
        Crew {
            threads: self.threads,
            cores: self.threads,
            shares_products: true,
            rates: self.rates,
        }
    }
}

/// A run in a folder that the worker was started with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFound {
    /// What [`RunSource::Root`] names; it stays the same while the folder does.
    pub id: String,
    /// The folder's name.
    pub name: String,
    /// Where it is, for people.
    pub path: String,
    /// Its files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Why there is no run, though there are checkpoints: it is told, and cannot be opened.
    #[serde(default)]
    pub trouble: Option<String>,
}

/// The files of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFiles {
    /// The run's name, as its results say.
    pub name: String,
    /// Its files.
    pub files: Vec<RunFile>,
}

/// One file of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFile {
    /// Below the run's folder, separated by `/`.
    pub path: String,
    /// Its length.
    pub bytes: u64,
}

/// Where a worker reads a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunSource {
    /// A run under one of its folders, by [`RunFound::id`].
    Root(String),
    /// `owner/name` or `owner/name@revision` of the Hub that the worker's environment names.
    Hub(String),
    /// What was uploaded, by [`Upload::id`].
    Upload(String),
}

/// Files that somebody has, and some of their bytes: does the worker see the same ones?
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sampled {
    /// All files of a run.
    pub files: Vec<SampledFile>,
}

/// One of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampledFile {
    /// Below the run's folder, separated by `/`.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// Some of its bytes: offset, and the bytes in base64.
    pub samples: Vec<(u64, String)>,
}

/// Where the worker sees them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matched {
    /// The run that has all of them; none where there is none.
    pub source: Option<RunSource>,
    /// Where it is, for people; empty where there is none.
    pub path: String,
}

/// Files that will be uploaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewUpload {
    /// The run's name.
    pub name: String,
    /// All files of it.
    pub files: Vec<RunFile>,
}

/// Files that are being uploaded, or were.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// What [`RunSource::Upload`] names.
    pub id: String,
    /// The run's name.
    pub name: String,
    /// How much there is of each.
    pub files: Vec<UploadFile>,
}

/// One of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadFile {
    /// Below the run's folder, separated by `/`.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// So many of its first bytes have arrived; what comes next begins there.
    pub arrived_bytes: u64,
}

/// An analysis to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAnalysis {
    /// The run.
    pub source: RunSource,
    /// The config, as YAML.
    pub config: String,
}

/// Another name for an analysis, in lists. Its results keep the name that its config gives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rename {
    /// The name.
    pub name: String,
}

/// How far an analysis is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It waits for its turn.
    #[default]
    Queued,
    /// Directories are read.
    Planning,
    /// Numbers are on their way.
    Running,
    /// All are there.
    Done,
    /// It could not be done; what is done is kept.
    Failed,
    /// Somebody stopped it; what is done is kept.
    Cancelled,
}

impl Phase {
    /// Whether nothing more will happen to it by itself.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

/// An analysis of a worker's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnalysisInfo {
    /// Its own, for ever.
    pub id: String,
    /// The config's name for it, else the run's; or what a person called it.
    pub name: String,
    /// What is analysed.
    pub source: RunSource,
    /// The same for people.
    pub source_name: String,
    /// How far it is.
    pub phase: Phase,
    /// Why it failed, and what to do. Of one that is done: what came of its Weights & Biases run,
    /// where it was to have one. Of one under way: what may hold it up.
    pub message: Option<String>,
    /// Analyses before it in the queue.
    pub ahead: u64,
    /// What it costs; none before it is planned.
    pub cost: Option<Cost>,
    /// Layer-steps that are finished.
    pub units: u64,
    /// Layer-steps that there are; 0 before it is planned.
    pub of_units: u64,
    /// When it was asked for: milliseconds since 1970.
    pub asked: u64,
    /// When it began to compute, last.
    pub began: Option<u64>,
    /// When it was over.
    pub ended: Option<u64>,
}

/// What server-sent events say: the event's name is the variant's in lower case, its data the
/// JSON of what the variant holds.
///
/// First comes `state`, then `planned` if there is a plan, then every `unit` after the one that
/// `Last-Event-ID` names, and `state` when that has changed; news within moments of each other come
/// together. The stream ends after a `state` whose phase is over. Only `unit` has an id;
/// `{generation}-{number}`, counted from 1. Where the id that was shown is of another generation,
/// because files of the run changed and numbers were computed again, `again` comes before the
/// units, which begin with the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// How far it is.
    State(Box<AnalysisInfo>),
    /// What will come.
    Planned(Box<Planned>),
    /// A layer at a step is finished.
    Unit(Box<FinishedUnit>),
    /// All units that were told before count no more.
    Again {},
}

/// An analysis that is about to be computed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// What it costs.
    pub cost: Cost,
    /// Layer-steps that give numbers.
    pub units: u64,
    /// Its results, with everything but the numbers.
    pub results: Results,
}

/// A layer at a step, finished.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FinishedUnit {
    /// What the numbers are made of; where that has changed, they no longer hold.
    pub made_of: String,
    /// Which layer and step, and the tensor bytes that were read.
    pub progress: Progress,
    /// Its numbers: a list of what differs in heads only. Each has `id` (what it is of), `step`,
    /// `heads` (null for the layer's own), as many `values`, and `statuses` by place among them.
    pub numbers: Numbers,
}

/// Why something was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What is wrong, and what to do.
    pub message: String,
    /// What is wrong with a config, with lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<ConfigProblem>,
}
