//! What the page and its web workers say to each other.
//!
//! A message is an array of two: a [`Message`] or a [`Reply`] as JSON text, and the `File`s that
//! belong to it. Files are handles: posting one copies no content. Whatever is in a message is part
//! of its one document: what only web workers read stands there as it is ([`Sealed`]).
//!
//! One worker opens runs, checks configs and plans; another looks at single tensors;
//! the others compute lanes. All run the same program.

use std::fmt;

use ckptscope_results::{Results, Series};
use serde::{Deserialize, Serialize};

use crate::sealed::Sealed;
use crate::service::RunFiles;
use crate::{ConfigForm, ConfigProblem, Cost, LaneUpdate, Menu, Rates, Work};

/// What the page posts to a web worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// It reads from these files from now on; their handles come with the message, in this order.
    Files {
        /// What messages call them together.
        name: String,
        /// Their paths, separated by `/`.
        paths: Vec<String>,
    },
    /// It reads from there from now on.
    Remote(Box<Remote>),
    /// Is answered, by one [`News::Answer`] or [`News::Failed`].
    Question {
        /// Counted up by the page from 1; replies repeat it.
        number: u64,
        /// What is asked.
        question: Box<Question>,
    },
}

/// What a web worker posts to the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The number of the question; 0 where it belongs to none.
    pub number: u64,
    /// What there is to say of it.
    pub news: News,
}

/// What a web worker tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// It is ready for messages.
    Ready,
    /// How reading over the network goes.
    Network(NetworkNews),
    /// Steps were listed for the question, of which it was assumed before what files they have.
    Listed(Box<Listed>),
    /// How far the audit is that was asked for; [`AuditRun`] is still to be answered.
    Audit(AuditProgress),
    /// What a lane told since this was last told; [`ComputeLane`] is still to be answered.
    Lane(LaneUpdate),
    /// Some of the numbers of a results file; [`ReadResults`] is still to be answered. They are as
    /// many as the page can take in without a pause that a person feels.
    Series(Vec<Series>),
    /// The answer to the question.
    Answer(Answer),
    /// It could not be done.
    Failed {
        /// What failed, why, and what to try.
        message: String,
    },
}

/// A question to a web worker, which knows the type of its answer.
pub trait Ask: Into<Question> {
    /// What answers it.
    type Answer;

    /// What an answer holds; none of an answer to another question.
    fn take(answer: Answer) -> Option<Self::Answer>;
}

/// Questions, each with the type of its answer.
macro_rules! questions {
    ($($(#[$docs:meta])* $question:ident => $answer:ty,)*) => {
        /// Any question.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub enum Question {
            $($(#[$docs])* $question($question),)*
        }

        /// The answer to any question, by the question's name.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub enum Answer {
            $($(#[$docs])* $question($answer),)*
        }

        $(
            impl From<$question> for Question {
                fn from(question: $question) -> Self {
                    Self::$question(question)
                }
            }

            impl Ask for $question {
                type Answer = $answer;

                fn take(answer: Answer) -> Option<Self::Answer> {
                    match answer {
                        Answer::$question(answer) => Some(answer),
                        _ => None,
                    }
                }
            }
        )*
    };
}

questions! {
    /// How fast this machine computes in one worker.
    MeasureSpeed => Rates,
    /// Which run the files are.
    OpenRun => Box<Opened>,
    /// Whether a config is right.
    CheckText => Box<Checked>,
    /// Whether a form is right.
    CheckForm => Box<Checked>,
    /// Among what somebody has to choose, where the files are no run as they are.
    ListChoices => RunChoices,
    /// What there is to compute.
    MakePlan => Box<PlannedLanes>,
    /// The numbers of a lane, which were told before.
    ComputeLane => LaneDone,
    /// The tensors of a part of a step.
    ListTensors => TensorList,
    /// What a tensor looks like.
    ViewTensor => Box<TensorView>,
    /// Its singular values.
    ViewSpectrum => Box<SpectrumView>,
    /// What is odd about the steps of a repository.
    AuditRun => Audited,
    /// A report of results.
    WriteReport => ReportText,
    /// Which files a copy of the run needs.
    ListNeeded => NeededFiles,
    /// What a results file holds, but for the numbers, which were told before.
    ReadResults => Box<Results>,
}

/// How fast this machine computes in one worker.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasureSpeed {}

/// Which run the files are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenRun {}

/// Among what somebody has to choose, where the files are no run as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListChoices {}

/// Files or folders, each of which is a run or a checkpoint by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunChoices {
    /// Their paths.
    pub paths: Vec<String>,
}

/// Whether a config is right, and what it would cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckText {
    /// The YAML.
    pub text: String,
}

/// The same of a form, which is written as YAML first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckForm {
    /// The form.
    pub form: ConfigForm,
    /// The YAML as it is, which keeps what the form does not change; it may be anything.
    pub text: String,
}

/// What there is to compute.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MakePlan {
    /// The YAML.
    pub text: String,
    /// How many workers will take lanes.
    pub workers: usize,
    /// The layers and steps whose numbers are there already.
    pub finished: Vec<(Option<u64>, u64)>,
}

/// Computes one lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComputeLane {
    /// As the plan gave it.
    pub lane: Sealed,
}

/// A lane has told everything that it will.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneDone {
    /// Why that is not all.
    pub failure: Option<LaneFailure>,
}

/// Why a lane ended early.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneFailure {
    /// In words.
    pub message: String,
    /// The step at which it ended; none where that is not known.
    pub step: Option<u64>,
}

/// The tensors of one part of a step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListTensors {
    /// The part.
    pub part: PartName,
}

/// What one tensor looks like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewTensor {
    /// Where it is.
    pub part: PartName,
    /// The file it is in.
    pub path: String,
    /// Its full name.
    pub name: String,
}

/// The singular values of one tensor, seen as a matrix, however long they take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewSpectrum {
    /// The tensor.
    pub tensor: ViewTensor,
    /// How.
    pub way: SpectrumWay,
}

/// How singular values are found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpectrumWay {
    /// Estimated, which takes less long.
    Estimated,
    /// Exactly.
    #[default]
    Exact,
    /// Exactly, by a native worker that is sent the tensor.
    Sent {
        /// The worker, with a slash at the end.
        address: String,
        /// What to show it, and nobody else.
        token: Secret,
    },
}

/// What is odd about the steps of a repository: all of them are listed, and the directories of
/// their files read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRun {}

/// How far an audit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditProgress {
    /// It lists the files of so many steps.
    Listing(u64),
    /// It has read the directories of so many steps, of so many.
    Reading(u64, u64),
}

/// What an audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audited {
    /// How many steps were looked at, those that cannot be read among them.
    pub steps: u64,
    /// What is odd; nothing where all is well.
    pub findings: Vec<OddSteps>,
}

/// Something odd about steps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OddSteps {
    /// What, in words.
    pub message: String,
    /// The steps, ascending.
    pub steps: Vec<u64>,
}

/// Writes a report of results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WriteReport {
    /// With their numbers.
    pub results: Box<Results>,
}

/// A report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportText {
    /// An HTML document that needs nothing else.
    pub html: String,
}

/// Which files a copy of the run needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListNeeded {}

/// The files that a copy of the run needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeededFiles {
    /// Their paths, in order.
    pub paths: Vec<String>,
}

/// Reads the results file whose handle comes with the message: the page never holds its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadResults {}

/// A run that is not on this machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    pub listed: Option<Sealed>,
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

impl Secret {
    /// Whether a header of a request can carry it.
    #[must_use]
    pub fn is_sendable(&self) -> bool {
        self.0.chars().all(|character| character.is_ascii_graphic())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What was found of a run that is not on this machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Its files, for [`Remote::listed`].
    pub listed: Sealed,
    /// What leads to the same files again, as [`Remote::place`]: the commit that was listed, where
    /// it is one, and no query, which may be a signature.
    pub place: String,
    /// Whether it is a repository of the Hub, which can be audited.
    pub is_repository: bool,
}

/// What there is of a repository, some steps of which were listed late.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listed {
    /// Its files, for [`Remote::listed`].
    pub listed: Sealed,
    /// As [`RunSummary::files`].
    pub files: u64,
    /// As [`RunSummary::bytes`].
    pub bytes: u64,
    /// As [`RunSummary::steps`].
    pub steps: Vec<StepSummary>,
    /// As [`RunSummary::broken_steps`].
    pub broken_steps: Vec<BrokenStepSummary>,
    /// As [`RunSummary::warnings`].
    pub warnings: Vec<String>,
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
    /// How long a small read of the run's files takes, measured; 0 where they are far away.
    pub seconds_per_read: f64,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSummary {
    /// The run's name.
    pub name: String,
    /// How its files are laid out, in words.
    pub layout: String,
    /// Number of files; of a repository, of those that were listed so far.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Its steps that can be read as far as names say, ascending.
    pub steps: Vec<StepSummary>,
    /// The steps that cannot be read, ascending.
    pub broken_steps: Vec<BrokenStepSummary>,
    /// What the model's architecture is called, where its config names one that is known.
    pub architecture: Option<String>,
    /// How many experts a layer has, where there are some.
    pub experts: Option<u64>,
    /// Whether the embedding serves as the unembedding too.
    pub is_tied: bool,
    /// The parts of the model that can be told, as configs name them.
    pub parts: Vec<String>,
    /// Number of layers, where a config says so.
    pub n_layers: Option<u64>,
    /// Number of attention heads.
    pub n_heads: Option<u64>,
    /// Number of key-value heads.
    pub n_kv_heads: Option<u64>,
    /// Width of the residual stream.
    pub d_model: Option<u64>,
    /// The stacks of layers as configs name them, each with its number of layers: `encoder.block`.
    pub stacks: Vec<(String, u64)>,
    /// The tensors that layers have, from the last step.
    pub suffixes: Vec<SuffixSummary>,
    /// What was assumed or passed over.
    pub warnings: Vec<String>,
    /// What is odd about the files of the steps that were looked into.
    pub file_warnings: Vec<String>,
}

impl RunSummary {
    /// Takes in what became known of steps that were listed late.
    pub fn take_in(&mut self, listed: Listed) {
        self.files = listed.files;
        self.bytes = listed.bytes;
        self.steps = listed.steps;
        self.broken_steps = listed.broken_steps;
        self.warnings = listed.warnings;
    }
}

/// One step of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepSummary {
    /// The optimiser step.
    pub number: u64,
    /// Whether nobody has listed its files: it is taken to have those of another step.
    pub is_assumed: bool,
    /// What it has.
    pub parts: Vec<PartSummary>,
}

/// A step that cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokenStepSummary {
    /// The optimiser step.
    pub number: u64,
    /// Why.
    pub reason: String,
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
    /// The steps that were asked for and cannot be read, ascending.
    pub unreadable_steps: Vec<BrokenStepSummary>,
    /// Why no browser can compute it, though it is right; in words.
    #[serde(default)]
    pub too_large: Option<String>,
}

/// An analysis that is about to be computed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedLanes {
    /// What it costs.
    pub cost: Cost,
    /// Its results, with everything but the numbers.
    pub results: Results,
    /// Its lanes.
    pub lanes: Vec<PlannedLane>,
}

/// One lane of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedLane {
    /// What it is of, for messages: `layer 3`.
    pub name: String,
    /// For [`ComputeLane`].
    pub lane: Sealed,
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// What its singular values take, or why it has none.
    pub spectrum: Result<SpectrumCost, String>,
}

/// What the singular values of a tensor take.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SpectrumCost {
    /// What there is to compute.
    pub work: Work,
    /// Why no tab can compute them, in words; none where it can.
    pub too_large: Option<String>,
}

/// The singular values of a tensor, and what follows from them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SpectrumView {
    /// Whether they are an estimate.
    pub is_estimated: bool,
    /// Singular values, descending.
    pub values: Vec<f64>,
    /// What follows from them, for each of [`SPECTRUM_NUMBERS`] the number and the ends of its 95 %
    /// interval; nothing where all are zero.
    pub numbers: Vec<f64>,
}

/// What the numbers of a [`SpectrumView`] are.
pub const SPECTRUM_NUMBERS: [&str; 5] = [
    "largest",
    "nuclear norm",
    "effective rank",
    "spectral entropy rank",
    "stable rank",
];
