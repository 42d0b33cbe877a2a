//! What the page and its web workers say to each other.
//!
//! A message is an array of two: a [`Question`] or a [`Reply`] as JSON text, and the `File`s that
//! belong to it. Files are handles: posting one copies no content.
//!
//! One worker opens runs, checks configs and plans; another looks at single tensors;
//! the others compute lanes. All run the same program.

use std::fmt;

use ckptscope_results::{Results, Series};
use serde::{Deserialize, Serialize};

use crate::service::RunFiles;
use crate::{ConfigForm, ConfigProblem, Cost, LaneUpdate, Menu};

/// A request, and the number that its replies repeat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// Counted up by the page.
    pub number: u64,
    /// What is asked.
    pub request: Request,
}

/// An answer, and the number of its question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The number of the question; 0 for [`Answer::Ready`].
    pub number: u64,
    /// What is answered.
    pub answer: Answer,
}

/// What the page asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Reads from these files from now on; their handles come with the message, in this order.
    /// Not answered.
    Files {
        /// What messages call them together.
        name: String,
        /// Their paths, separated by `/`.
        paths: Vec<String>,
    },
    /// Reads from there from now on. Not answered.
    Remote(Box<Remote>),
    /// Which run the files are. Answered by [`Answer::Opened`].
    Open,
    /// Whether a config is right, and what it would cost. Answered by [`Answer::Checked`].
    Check {
        /// The YAML.
        text: String,
    },
    /// The same of a form, which is written as YAML first. Answered by [`Answer::Checked`].
    Compose {
        /// The form.
        form: ConfigForm,
    },
    /// What there is to compute. Answered by [`Answer::Planned`].
    Plan {
        /// The YAML.
        text: String,
        /// How many workers will take lanes.
        workers: usize,
    },
    /// Computes one lane. Answered by [`Answer::Update`], several times, and [`Answer::LaneDone`].
    Lane {
        /// As the plan gave it.
        lane: String,
    },
    /// The tensors of one part of a step. Answered by [`Answer::Tensors`].
    Tensors {
        /// The part.
        part: PartName,
    },
    /// What one tensor looks like. Answered by [`Answer::Tensor`].
    Tensor {
        /// Where it is.
        part: PartName,
        /// The file it is in.
        path: String,
        /// Its full name.
        name: String,
    },
    /// Writes a report of results. Answered by [`Answer::Report`].
    Report {
        /// With their numbers.
        results: Box<Results>,
    },
    /// Which files a copy of the run needs. Answered by [`Answer::Needed`].
    Needed,
    /// Reads a results file. Answered by [`Answer::Series`], several times, and
    /// [`Answer::Results`].
    Results {
        /// Its text.
        text: String,
    },
    /// The same of the file whose handle comes with the message: the page never holds its text.
    ResultsFile,
}

/// What a web worker answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is ready for requests.
    Ready,
    /// What the files are.
    Opened(Box<Opened>),
    /// What is right and wrong with a config.
    Checked(Box<Checked>),
    /// What there is to compute.
    Planned(Box<Planned>),
    /// What a lane told since the last such answer.
    Update(LaneUpdate),
    /// A lane has told everything.
    LaneDone,
    /// The tensors of a part.
    Tensors(TensorList),
    /// What a tensor looks like.
    Tensor(Box<TensorView>),
    /// The files that a copy of the run needs.
    Needed {
        /// Their paths, in order.
        paths: Vec<String>,
    },
    /// Some of the numbers of a results file; the rest and [`Answer::Results`] are still to come.
    Series {
        /// As many as the page can take in without a pause that a person feels.
        series: Vec<Series>,
    },
    /// What a results file holds, but for the numbers, which came before.
    Results(Box<Results>),
    /// A report.
    Report {
        /// An HTML document that needs nothing else.
        html: String,
    },
    /// How reading over the network goes; the answer itself is still to come.
    Network(NetworkNews),
    /// It could not be done.
    Failed {
        /// What failed, why, and what to try.
        message: String,
    },
}

/// A run that is not on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remote {
    /// What a person gave: a repository, with a revision or without, or an address.
    pub place: String,
    /// The hub.
    pub endpoint: String,
    /// What to show the hub, and nobody else.
    pub token: Secret,
    /// So many requests are under way at once, at most.
    pub requests_at_once: usize,
    /// What another worker listed, as [`Found::listed`]; none where nobody has.
    pub listed: Option<String>,
    /// The run in a folder of a native worker's, where it is one. Then the place is its name.
    pub run: Option<WorkerRun>,
}

/// A run in a folder of a native worker's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerRun {
    /// The worker, with a slash at the end.
    pub address: String,
    /// What to show it, and nobody else.
    pub token: Secret,
    /// What it calls the run.
    pub id: String,
    /// The run's files.
    pub files: RunFiles,
}

/// A text that is shown nowhere; empty where there is none.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What was found of a run that is not on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Its files; text that only [`Remote::listed`] reads.
    pub listed: String,
    /// What leads to the same files again, as [`Remote::place`]: the commit that was listed, where
    /// it is one, and no query, which may be a signature.
    pub place: String,
}

/// How reading over the network goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkNews {
    /// Requests sent since this was last told, redirects counted.
    pub requests: u64,
    /// Bytes of bodies received since then.
    pub bytes: u64,
    /// Commits that were listed so far.
    pub commits: u64,
    /// Files that were listed so far.
    pub files: u64,
    /// Seconds until the server takes requests again.
    pub wait_seconds: u64,
}

impl NetworkNews {
    /// What came after an earlier sum.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(earlier.requests),
            bytes: self.bytes.saturating_sub(earlier.bytes),
            ..self
        }
    }
}

/// A run, and what can be asked of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// What was found.
    pub run: RunSummary,
    /// Where, unless the files are on this machine.
    pub found: Option<Found>,
    /// Analyses worth doing, the default one first.
    pub proposals: Vec<Proposal>,
    /// What a config can name.
    pub menu: Menu,
    /// How fast this machine computes in one worker, measured: floating-point operations per
    /// second.
    pub flops_per_second: f64,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSummary {
    /// The run's name.
    pub name: String,
    /// How its files are laid out, in words.
    pub layout: String,
    /// Number of files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Its steps, ascending.
    pub steps: Vec<StepSummary>,
    /// Number of layers, where a config says so.
    pub n_layers: Option<u64>,
    /// Number of attention heads.
    pub n_heads: Option<u64>,
    /// Number of key-value heads.
    pub n_kv_heads: Option<u64>,
    /// Width of the residual stream.
    pub d_model: Option<u64>,
    /// The tensors that layers have, from the last step.
    pub suffixes: Vec<SuffixSummary>,
    /// What was assumed or passed over.
    pub warnings: Vec<String>,
}

/// One step of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepSummary {
    /// The optimiser step.
    pub number: u64,
    /// What it has.
    pub parts: Vec<PartSummary>,
}

/// One kind of data of one step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartSummary {
    /// `weights`, `gradients` or `activations`.
    pub data_type: String,
    /// `train` or `val`; none where it serves both.
    pub split: Option<String>,
    /// Its files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A tensor that layers have, by its name within the layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuffixSummary {
    /// `weights`, `gradients` or `activations`.
    pub data_type: String,
    /// `train` or `val`; none where it serves both.
    pub split: Option<String>,
    /// As a config names it: `attention.v_proj`.
    pub suffix: String,
    /// The layers that have it, ascending.
    pub layers: Vec<u64>,
    /// Its shape in the first of them.
    pub shape: Vec<u64>,
}

/// An analysis worth doing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// What it is called.
    pub title: String,
    /// One line on what it shows.
    pub summary: String,
    /// Its config, as YAML.
    pub text: String,
}

/// A config in both its views, and what is to be said of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Checked {
    /// The YAML: as it was given, or as the form was written. None where a form cannot be written.
    pub text: Option<String>,
    /// The form; none where the YAML is not a config.
    pub form: Option<ConfigForm>,
    /// Everything wrong with it; nothing where it can be run.
    pub problems: Vec<ConfigProblem>,
    /// What will be skipped or assumed.
    pub warnings: Vec<String>,
    /// What it costs; none where it cannot be run.
    pub cost: Option<Cost>,
    /// Number of steps it computes.
    pub steps: u64,
    /// Why no browser can compute it, though it is right; in words.
    #[serde(default)]
    pub too_large: Option<String>,
}

/// An analysis that is about to be computed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// What it costs.
    pub cost: Cost,
    /// Its results, with everything but the numbers.
    pub results: Results,
    /// Its lanes; text that only [`Request::Lane`] reads.
    pub lanes: Vec<PlannedLane>,
}

/// One lane of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedLane {
    /// What it is of, for messages: `layer 3`.
    pub name: String,
    /// What [`Request::Lane`] takes.
    pub lane: String,
}

/// One part of one step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartName {
    /// The step.
    pub step: u64,
    /// `weights`, `gradients` or `activations`.
    pub data_type: String,
    /// `train` or `val`; none where it serves both.
    pub split: Option<String>,
}

/// The tensors of one part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TensorList {
    /// The part.
    pub part: PartName,
    /// In the files' order.
    pub tensors: Vec<TensorRow>,
    /// Names of those that cannot be read, each with the reason.
    pub unreadable: Vec<(String, String)>,
}

/// One tensor of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TensorRow {
    /// Its full name.
    pub name: String,
    /// As its format names it.
    pub dtype: String,
    /// Extent per dimension.
    pub shape: Vec<u64>,
    /// Its size.
    pub bytes: u64,
    /// The file it is in.
    pub path: String,
    /// How it is stored, or why it has no values; none where its elements are its values.
    pub stored: Option<String>,
}

/// What a tensor looks like.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TensorView {
    /// The part.
    pub part: PartName,
    /// Its full name.
    pub name: String,
    /// How it is stored; none where its elements are its values.
    pub stored: Option<String>,
    /// Number of entries.
    pub entries: u64,
    /// How many of them are not numbers or infinite; they are left out of everything below.
    pub not_finite: u64,
    /// How many are exactly 0.
    pub zeros: u64,
    /// Smallest entry; none where none is finite.
    pub min: Option<f64>,
    /// Largest entry.
    pub max: Option<f64>,
    /// Mean.
    pub mean: Option<f64>,
    /// Standard deviation, of the population.
    pub standard_deviation: Option<f64>,
    /// Euclidean norm of all entries.
    pub frobenius_norm: Option<f64>,
    /// Counts of equally wide bins from `min` to `max`.
    pub histogram: Vec<u64>,
    /// Singular values of the tensor seen as a matrix, descending.
    pub singular_values: Vec<f64>,
    /// Why there are no singular values, where there are none.
    pub no_singular_values: Option<String>,
}
