//! The plan: what will be read and computed, lane by lane, known before a byte of tensor data is
//! read.
//!
//! [`Plan::make`] reads catalogs only and resolves every component to places of tensors. So it
//! knows the cost before anything is computed.
//!
//! A [`Lane`] holds no handle and no reference. Threads share it, and the page sends it to a web
//! worker; whoever can open the tree can run it.

mod cost;
mod counted;
mod dimensions;
mod index;
mod input;
mod jobs;
mod lanes;
mod message;
mod missing_layers;
mod portions;
mod problem;
mod roles;
mod shards;

use std::collections::{BTreeMap, BTreeSet};

use ckptscope_checkpoint::{
    DataKind, ModelShape, Run, Split, StoredTensor, Tree, without_wrappers,
};
use ckptscope_metrics::{Metric, Parameters};
use ckptscope_protocol::Cost;
use ckptscope_results::{Status, Text, UnreadableStep};
use serde::{Deserialize, Serialize};

pub(crate) use counted::float32_entry;
pub(crate) use dimensions::Dimensions;
pub use index::Catalogs;
pub(crate) use index::{PartIndex, odd_files};
pub(crate) use lanes::matrix_shape;
pub use message::{LaneError, LaneMessage};
pub(crate) use missing_layers::missing_layers;
pub(crate) use portions::Portion;
pub use portions::{AHEAD_BYTES, PORTION_BYTES};
pub use problem::{PlanErrors, PlanProblem};

use crate::assembly::Assembly;
use crate::component::Component;
use crate::config::{Config, MetricEntry, OnError, StepSelection, Target};

/// An analysis of one run, ready to be computed.
#[derive(Clone)]
pub struct Plan {
    /// Its lanes: one per layer, in ascending order, that of tensors outside of layers first.
    pub lanes: Vec<Lane>,
    /// The model's dimensions as they are taken, where anything says them.
    pub model: Option<ModelShape>,
    /// The steps that will be computed, ascending.
    pub steps: Vec<u64>,
    /// The steps that were asked for and do not exist, ascending.
    pub missing_steps: Vec<u64>,
    /// The steps that were asked for and cannot be read, ascending, with reasons.
    pub unreadable_steps: Vec<UnreadableStep>,
    /// What was skipped or assumed.
    pub warnings: Vec<String>,
    /// What it costs.
    pub cost: Cost,
}

/// One layer's components through all steps. It is plain data: whoever can open the tree can run
/// it.
#[derive(Clone)]
pub struct Lane {
    /// The layer; none of tensors outside of layers.
    pub layer: Option<u64>,
    /// The model's dimensions.
    pub model: ModelShape,
    /// What is computed at every step.
    pub jobs: Vec<Job>,
    /// The steps, targets of comparisons first.
    pub steps: Vec<LaneStep>,
    /// Whether a step whose file proves broken while it is read costs its own numbers only.
    pub passes_over_broken: bool,
}

/// One component of one layer, with every metric that is asked of it.
#[derive(Clone)]
pub struct Job {
    /// The component.
    pub component: &'static dyn Component,
    /// The values of its parameters.
    pub component_parameters: Parameters,
    /// The kind of data.
    pub kind: DataKind,
    /// The split.
    pub split: Split,
    /// The names before the layer's number, with the dot: `model.layers.`.
    pub stack: Text,
    /// The component as keys and tables call it: a suffix, a part, or the component's name.
    pub label: Text,
    /// The expert that it is of, where it is of one.
    pub expert: Option<u64>,
    /// How its matrices come about, where they are not its tensors as they are.
    pub assembly: Option<Assembly>,
    /// Whether only its heads' matrices are measured, and not the layer's own.
    pub heads_only: bool,
    /// The metrics.
    pub metrics: Vec<MetricJob>,
}

/// One metric of a job.
#[derive(Clone)]
pub struct MetricJob {
    /// The metric.
    pub metric: &'static dyn Metric,
    /// The values of its parameters.
    pub parameters: Parameters,
    /// The entry's label.
    pub label: Text,
    /// The step to compare with; `Some` for comparative metrics only.
    pub target: Option<u64>,
}

/// One step of a lane.
#[derive(Clone)]
pub struct LaneStep {
    /// The step.
    pub step: u64,
    /// Whether its numbers are asked for; a target outside the chosen steps is only read.
    pub recorded: bool,
    /// The tensors that its jobs read, each once.
    pub tensors: Vec<StoredTensor>,
    /// Per job of the lane, what it works with.
    pub inputs: Vec<Inputs>,
}

/// What a job works with at a step.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Inputs {
    /// Nothing: the step does not have its tensors, or nobody asks for them there.
    Absent,
    /// These of the step's tensors, in the order of its component's inputs.
    Tensors(Vec<usize>),
    /// One of its tensors has no values. Every number of it has this status.
    Obstructed(Status),
}

impl Inputs {
    /// The tensors that are read.
    #[must_use]
    pub fn tensors(&self) -> &[usize] {
        match self {
            Self::Absent | Self::Obstructed(_) => &[],
            Self::Tensors(tensors) => tensors,
        }
    }
}

impl Job {
    /// What messages call it in its layer: `{stack}{layer}.{label}`, with its expert where it has
    /// one; outside of layers by its label alone.
    #[must_use]
    pub fn key(&self, layer: Option<u64>) -> String {
        let key = match layer {
            Some(layer) => format!("{}{layer}.{}", self.stack, self.label),
            None => self.label.to_string(),
        };
        match self.expert {
            Some(expert) => format!("{key} of expert {expert}"),
            None => key,
        }
    }
}

impl Plan {
    /// Plans the analysis of a run: reads the catalogs of the chosen steps, resolves every
    /// component to tensors, and adds up what it costs.
    ///
    /// # Errors
    /// [`PlanErrors`] with everything that does not fit: steps, layers and suffixes that do not
    /// exist, shapes that do not make a component, files that cannot be read.
    pub async fn make(config: &Config, run: &Run, tree: &dyn Tree) -> Result<Self, PlanErrors> {
        Self::make_again(config, run, tree, &Catalogs::default()).await
    }

    /// The same of a run whose catalogs were read before; those that were not are read now.
    ///
    /// # Errors
    /// As [`Plan::make`].
    pub async fn make_again(
        config: &Config,
        run: &Run,
        tree: &dyn Tree,
        catalogs: &Catalogs,
    ) -> Result<Self, PlanErrors> {
        let selection = Selection::of(config, run)?;
        let index = index::RunIndex::read(config, run, tree, &selection, catalogs).await?;
        let said = config.model.over(run.model.as_ref());
        let resolved = jobs::resolve(config, run, said.as_ref(), &index, &selection);
        let Resolved {
            layers,
            model,
            mut warnings,
        } = match resolved {
            Ok(resolved) => resolved,
            Err(mut errors) if errors.lack_heads() => {
                errors.say_where_heads_were_looked_for(&Run::account_of_configs(tree).await);
                return Err(errors);
            }
            Err(errors) => return Err(errors),
        };
        let lanes: Vec<Lane> = lanes::build(&said.unwrap_or_default(), &selection, layers);
        warnings.splice(0..0, selection.warnings(run, &index));
        let cost = cost::of(&lanes);
        let is_read = |step: &u64| !index.lacks(*step);
        Ok(Self {
            lanes,
            model,
            unreadable_steps: selection.unreadable(&index),
            steps: selection.computed.into_iter().filter(is_read).collect(),
            missing_steps: selection.missing,
            warnings,
            cost,
        })
    }

    /// The lanes for `workers` that take one after the other: where they do not divide evenly, the
    /// last ones are split by steps so that all workers end about together. Every part reads and
    /// computes the targets of its comparisons again.
    #[must_use]
    pub fn split(&self, workers: usize) -> Vec<Lane> {
        Self::split_lanes(&self.lanes, workers)
    }

    /// The same of some lanes of a plan.
    #[must_use]
    pub fn split_lanes(lanes: &[Lane], workers: usize) -> Vec<Lane> {
        lanes::split(lanes, workers)
    }

    /// The lanes dealt to so many processes that share nothing, so that all end about together.
    /// There are fewer where there are fewer layer-steps. Every layer-step is in one of them.
    #[must_use]
    pub fn shards(&self, count: usize) -> Vec<Vec<Lane>> {
        shards::deal(&self.lanes, count)
    }

    /// Whether its components are of several stacks of layers.
    #[must_use]
    pub fn has_several_stacks(&self) -> bool {
        let of_layers = self.lanes.iter().filter(|lane| lane.layer.is_some());
        let jobs = of_layers.flat_map(|lane| &lane.jobs);
        let mut stacks = jobs.map(|job| without_wrappers(&job.stack));
        let first = stacks.next();
        stacks.any(|stack| Some(stack) != first)
    }

    /// What lanes cost: more than the plan says where they are split and read targets again.
    #[must_use]
    pub fn cost_of(lanes: &[Lane]) -> Cost {
        cost::of(lanes)
    }
}

/// The steps that a config reads of a run that has these, which ascend: those that are computed,
/// and those that others are compared with.
#[must_use]
pub fn steps_read(config: &Config, existing: &[u64]) -> BTreeSet<u64> {
    let (computed, _) = computed_and_missing(config, existing);
    let last = existing.last().copied();
    let targets = config.metrics.iter().filter_map(|entry| entry.target);
    let targets = targets.filter_map(|target| Some(resolve_target(target, last?)));
    let targets = targets.filter(|step| existing.binary_search(step).is_ok());
    computed.into_iter().chain(targets).collect()
}

/// The steps asked for, those that exist and those that do not.
fn computed_and_missing(config: &Config, existing: &[u64]) -> (Vec<u64>, Vec<u64>) {
    let wanted = match &config.steps {
        StepSelection::All => existing,
        StepSelection::List(steps) => steps.as_slice(),
    };
    wanted
        .iter()
        .copied()
        .partition(|step| existing.binary_search(step).is_ok())
}

/// The steps that a config asks for and that cannot be read, as the names of their files say.
fn broken_steps(config: &Config, run: &Run) -> BTreeMap<u64, String> {
    let is_asked = |number: u64| match &config.steps {
        StepSelection::All => true,
        StepSelection::List(steps) => steps.binary_search(&number).is_ok(),
    };
    let broken = run.broken.iter().filter(|step| is_asked(step.number));
    broken
        .map(|step| (step.number, step.trouble.to_string()))
        .collect()
}

/// Which steps are computed, missing, and compared with.
struct Selection {
    computed: Vec<u64>,
    missing: Vec<u64>,
    /// The steps asked for that cannot be read as names say, with reasons.
    broken: BTreeMap<u64, String>,
    /// The step that `target_checkpoint: last` means.
    last: u64,
    /// The run's last step, where it cannot be read and something is compared with the last.
    broken_last: Option<u64>,
    /// What data the run has, in words, for messages.
    data: Vec<String>,
    passes_over_broken: bool,
}

impl Selection {
    fn of(config: &Config, run: &Run) -> Result<Self, PlanErrors> {
        let existing: Vec<u64> = run.steps.iter().map(|step| step.number).collect();
        let Some(&last) = existing.last() else {
            return Err(PlanProblem::NoSteps.into());
        };
        let (computed, missing) = computed_and_missing(config, &existing);
        let broken = broken_steps(config, run);
        let mut problems = Vec::new();
        if config.on_error == OnError::Stop || computed.is_empty() {
            let broken = broken.clone().into_iter();
            problems.extend(broken.map(|(step, reason)| PlanProblem::Unreadable { step, reason }));
        }
        let is_missing = |step: &u64| !broken.contains_key(step);
        let missing: Vec<u64> = missing.into_iter().filter(is_missing).collect();
        if computed.is_empty() && !missing.is_empty() {
            problems.push(PlanProblem::NoSuchSteps {
                wanted: missing.clone(),
                existing: existing.clone(),
            });
        }
        for entry in &config.metrics {
            if let Some(target) = &entry.target {
                let step = resolve_target(*target, last);
                if let Some(broken) = run.broken.iter().find(|it| it.number == step) {
                    problems.push(PlanProblem::Unreadable {
                        step,
                        reason: broken.trouble.to_string(),
                    });
                } else if existing.binary_search(&step).is_err() {
                    problems.push(PlanProblem::NoSuchTarget {
                        location: entry.location.clone(),
                        target: step,
                        existing: existing.clone(),
                    });
                }
            }
        }
        let mut targets = config.metrics.iter().map(|entry| entry.target);
        let compares = targets.any(|target| target == Some(Target::Last));
        let later = run.broken.iter().map(|step| step.number).max();
        let broken_last = later.filter(|step| compares && *step > last);
        if problems.is_empty() {
            Ok(Self {
                computed,
                missing,
                broken,
                last,
                broken_last,
                data: data_in_words(run),
                passes_over_broken: config.on_error == OnError::Skip,
            })
        } else {
            Err(PlanErrors(problems))
        }
    }

    fn target(&self, target: Target) -> u64 {
        resolve_target(target, self.last)
    }

    /// The steps of an entry, ascending: those that are computed, and the one that it compares
    /// with.
    fn steps_of(&self, entry: &MetricEntry) -> Vec<u64> {
        let target = entry.target.map(|target| self.target(target));
        let steps: BTreeSet<u64> = self.computed.iter().copied().chain(target).collect();
        steps.into_iter().collect()
    }

    /// Whether some entry compares with a step.
    fn is_target(&self, step: u64, config: &Config) -> bool {
        let targets = config.metrics.iter().filter_map(|entry| entry.target);
        targets
            .into_iter()
            .any(|target| self.target(target) == step)
    }

    /// The steps asked for that cannot be read, ascending.
    fn unreadable(&self, index: &index::RunIndex) -> Vec<UnreadableStep> {
        let mut steps = self.broken.clone();
        steps.extend(index.unreadable_steps.clone());
        let steps = steps.into_iter();
        steps
            .map(|(step, reason)| UnreadableStep { step, reason })
            .collect()
    }

    fn warnings(&self, run: &Run, index: &index::RunIndex) -> Vec<String> {
        let mut warnings = run.warnings.clone();
        warnings.extend(problem::unreadable_in_words(&index.unreadable_steps));
        warnings.extend(index.warnings.iter().cloned());
        if let Some(step) = self.broken_last {
            warnings.push(format!(
                "step {step} cannot be read, so `target_checkpoint: last` is step {}",
                self.last
            ));
        }
        if !self.missing.is_empty() {
            let missing = problem::steps_in_words(&self.missing);
            warnings.push(format!(
                "skipped, because the run does not have them: {missing}"
            ));
        }
        warnings
    }
}

const fn resolve_target(target: Target, last: u64) -> u64 {
    match target {
        Target::Step(step) => step,
        Target::Last => last,
    }
}

/// The kinds and splits that a run has at any step.
fn data_in_words(run: &Run) -> Vec<String> {
    let data: BTreeSet<(DataKind, Option<Split>)> = run
        .steps
        .iter()
        .flat_map(|step| &step.parts)
        .map(|part| (part.kind, part.split))
        .collect();
    data.into_iter()
        .map(|(kind, split)| match split {
            Some(split) => format!("{kind} ({split})"),
            None => kind.to_string(),
        })
        .collect()
}

/// What a config comes to in a run.
struct Resolved {
    layers: LayerJobs,
    model: Option<ModelShape>,
    warnings: Vec<String>,
}

/// The jobs of each layer, and of no layer.
type LayerJobs = BTreeMap<Option<u64>, Vec<jobs::PlannedJob>>;

impl Lane {
    /// Leaves out the steps that `is_finished`; one that others are compared with is still read.
    pub fn forget(&mut self, is_finished: impl Fn(u64) -> bool) {
        lanes::forget(self, is_finished);
    }
}
