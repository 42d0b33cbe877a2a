//! Running a lane: reading its tensors, building its components, asking its metrics.
//!
//! Reads are async, but futures here need no `Send`: a lane runs from start to end on one thread.
//! Natively that thread blocks on its own reads; in a browser the event loop polls them. So
//! [`Facts`] may use `Rc` and `OnceCell`, and there is one engine for both.

mod fetch;
mod float32;
mod tensors;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::rc::Rc;

use ckptscope_checkpoint::{Obstacle, ReadError, StoredTensor, Tree};
use ckptscope_metrics::{Facts, Form, Measurement, Needs};
use ckptscope_protocol::{Event, Progress};
use ckptscope_results::{EntryId, Number, SeriesId, Status, Text, Value, layer_in_words};
use nalgebra::DMatrix;

use self::fetch::Fetcher;
use self::tensors::{StepTensors, Taken};
use crate::component::{Built, ComponentError, Request, Shape};
use crate::plan::{Inputs, Job, Lane, LaneStep, MetricJob};

/// A lane that could not be finished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// A tensor could not be read.
    #[error("{}, step {step}: {source}", layer_in_words(*layer))]
    Read {
        /// The lane's layer.
        layer: Option<u64>,
        /// The step.
        step: u64,
        /// Why.
        source: Box<ReadError>,
    },
    /// Tensors that do not make a component, though their shapes said so.
    #[error("{key} at step {step}: {source}")]
    Component {
        /// The component's key.
        key: String,
        /// The step.
        step: u64,
        /// Why.
        source: ComponentError,
    },
}

impl EngineError {
    /// The step at which it happened.
    #[must_use]
    pub const fn step(&self) -> u64 {
        match self {
            Self::Read { step, .. } | Self::Component { step, .. } => *step,
        }
    }
}

/// Whoever listens to a lane: gets every event, and may answer that it has heard enough.
pub type Listener<'a> = dyn FnMut(Event) -> ControlFlow<()> + 'a;

/// Runs a lane: at every step it reads each tensor once, builds each component once, computes the
/// facts its metrics need once, and tells the listener every number. The facts of a target step's
/// layers stay until the lane ends. Ends early, without error, when the listener breaks.
///
/// What consecutive jobs of a step need is fetched together, up to
/// [`PORTION_BYTES`](crate::plan::PORTION_BYTES). Where sources can read by themselves
/// ([`Source::start_read`](ckptscope_checkpoint::Source::start_read)), the next portion, of this
/// step or the next, is fetched while the one at hand is computed, if it is not longer than
/// [`AHEAD_BYTES`](crate::plan::AHEAD_BYTES). Dropping the lane ends that read too.
///
/// # Errors
/// [`EngineError`]; what was told before stays true. An error of what was fetched ahead is told
/// once its step's turn has come.
pub async fn run_lane(
    lane: &Lane,
    tree: &dyn Tree,
    listener: &mut Listener<'_>,
) -> Result<(), EngineError> {
    let mut run = LaneRun::of(lane);
    let mut fetcher = Fetcher::new(lane, tree);
    for step in &lane.steps {
        let mut tensors = StepTensors::of(step, &lane.jobs);
        while let Some((jobs, fetched)) = fetcher.next_of(step).await {
            let flow = match fetched {
                Ok(fetched) => {
                    tensors.add(fetched);
                    run.compute(step, jobs, &mut tensors, listener)?
                }
                Err(error) => {
                    let status = run.obstruction(step, error)?;
                    run.pass_over(step, jobs, &status, listener)
                }
            };
            if flow.is_break() {
                return Ok(());
            }
        }
        if run.end_step(step, listener).is_break() {
            return Ok(());
        }
    }
    Ok(())
}

/// What a target step built, or why it has nothing to compare with.
type Target = Result<Rc<Built>, Status>;

struct LaneRun<'a> {
    lane: &'a Lane,
    /// What the target steps built, by job and step.
    targets: BTreeMap<(usize, u64), Target>,
    /// What waits for another target, where a lane has several: job, step and what it built.
    waiting: Vec<(usize, &'a LaneStep, Rc<Built>)>,
    /// Steps that were computed and not yet told.
    done: Vec<&'a LaneStep>,
}

impl<'a> LaneRun<'a> {
    const fn of(lane: &'a Lane) -> Self {
        Self {
            lane,
            targets: BTreeMap::new(),
            waiting: Vec::new(),
            done: Vec::new(),
        }
    }

    /// Builds and measures what some jobs of a step ask for, from tensors that are there.
    fn compute(
        &mut self,
        step: &'a LaneStep,
        jobs: Range<usize>,
        tensors: &mut StepTensors<'_>,
        listener: &mut Listener<'_>,
    ) -> Result<ControlFlow<()>, EngineError> {
        for index in jobs {
            let Some((inputs, job)) = step.inputs.get(index).zip(self.lane.jobs.get(index)) else {
                continue;
            };
            let built = match inputs {
                Inputs::Absent => continue,
                Inputs::Obstructed(status) => Err(status.clone()),
                Inputs::Tensors(inputs) => match tensors.take(inputs) {
                    Ok(taken) => {
                        let built = self.build_of(job, step.step, taken)?;
                        built.set_precision(tensors.precision(inputs));
                        if job.assembly.is_some() {
                            built.set_possible_rank();
                        }
                        Ok(Rc::new(built))
                    }
                    Err(error) => Err(self.obstruction(step, error)?),
                },
            };
            self.keep_target(index, job, step, &built);
            let flow = match built {
                Ok(built) => self.measure(index, step, built, listener),
                Err(status) => self.tell_obstructed(job, step, &status, listener),
            };
            if flow.is_break() {
                return Ok(flow);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Passes over what some jobs of a step ask for: their files cannot be read.
    fn pass_over(
        &mut self,
        step: &'a LaneStep,
        jobs: Range<usize>,
        status: &Status,
        listener: &mut Listener<'_>,
    ) -> ControlFlow<()> {
        for index in jobs {
            let Some((inputs, job)) = step.inputs.get(index).zip(self.lane.jobs.get(index)) else {
                continue;
            };
            let status = match inputs {
                Inputs::Absent => continue,
                Inputs::Obstructed(status) => status,
                Inputs::Tensors(_) => status,
            };
            self.keep_target(index, job, step, &Err(status.clone()));
            self.tell_obstructed(job, step, status, listener)?;
        }
        ControlFlow::Continue(())
    }

    /// Keeps what a step built where others are compared with it.
    fn keep_target(&mut self, index: usize, job: &Job, step: &LaneStep, built: &Target) {
        let mut metrics = job.metrics.iter();
        if metrics.any(|metric| metric.target == Some(step.step)) {
            self.targets.insert((index, step.step), built.clone());
        }
    }

    /// Why tensors have no values, where that shows only when they are read. What another try could
    /// read ends the lane, and so does a broken file where the config wants none.
    fn obstruction(&self, step: &LaneStep, error: ReadError) -> Result<Status, EngineError> {
        let (code, text) = match error {
            ReadError::Order { tensor, found } => {
                let obstacle = Obstacle::Order { found };
                (obstacle.code(), format!("{tensor}: {obstacle}"))
            }
            error if self.lane.passes_over_broken && error.is_of_content() => {
                let reason = error.to_string();
                let obstacle = Obstacle::Unreadable { reason };
                (obstacle.code(), obstacle.to_string())
            }
            error => return Err(self.unread(step, error)),
        };
        Ok(Status::new(code, &text))
    }

    /// Tells of every number of a job that it has no value at a step.
    fn tell_obstructed(
        &self,
        job: &Job,
        step: &LaneStep,
        status: &Status,
        listener: &mut Listener<'_>,
    ) -> ControlFlow<()> {
        if !step.recorded {
            return ControlFlow::Continue(());
        }
        for metric in &job.metrics {
            self.tell_undefined(job, metric, None, step.step, status, listener)?;
        }
        ControlFlow::Continue(())
    }

    fn tell_undefined(
        &self,
        job: &Job,
        metric: &MetricJob,
        head: Option<usize>,
        step: u64,
        status: &Status,
        listener: &mut Listener<'_>,
    ) -> ControlFlow<()> {
        for output in metric.metric.outputs(&metric.parameters) {
            listener(Event::Number(Number {
                id: self.id_of(job, metric, head, output),
                step,
                value: None,
                status: Some(status.clone()),
            }))?;
        }
        ControlFlow::Continue(())
    }

    fn end_step(&mut self, step: &'a LaneStep, listener: &mut Listener<'_>) -> ControlFlow<()> {
        self.measure_waiting(listener)?;
        self.done.push(step);
        self.report_progress(listener)
    }

    fn unread(&self, step: &LaneStep, source: ReadError) -> EngineError {
        EngineError::Read {
            layer: self.lane.layer,
            step: step.step,
            source: Box::new(source),
        }
    }

    /// Tells which steps are done; one that waits for a target is not.
    fn report_progress(&mut self, listener: &mut Listener<'_>) -> ControlFlow<()> {
        if !self.waiting.is_empty() {
            return ControlFlow::Continue(());
        }
        for step in std::mem::take(&mut self.done) {
            let read_bytes = step.tensors.iter().map(StoredTensor::bytes).sum();
            listener(Event::Finished(Progress {
                layer: self.lane.layer,
                step: step.step,
                recorded: step.recorded,
                read_bytes,
            }))?;
        }
        ControlFlow::Continue(())
    }

    fn build_of(&self, job: &Job, step: u64, taken: Taken) -> Result<Built, EngineError> {
        match taken {
            Taken::Tally(Shape { rows, columns }, tally) => Ok(Built {
                layer: Rc::new(Facts::counted_values(rows, columns, &tally)),
                heads: Vec::new(),
            }),
            Taken::Float32(Shape { rows, columns }, entries) => Ok(Built {
                layer: Rc::new(Facts::float32(rows, columns, entries)),
                heads: Vec::new(),
            }),
            Taken::Matrices(matrices, tally) => {
                let built = self.build(job, step, &matrices)?;
                if let Some(tally) = tally.filter(|_| job.asks_for_tally()) {
                    built.layer.set_tally(&tally);
                }
                Ok(built)
            }
        }
    }

    fn build(
        &self,
        job: &Job,
        step: u64,
        tensors: &[Rc<DMatrix<f64>>],
    ) -> Result<Built, EngineError> {
        let build = || {
            let (mut model, mut tensors) =
                (Cow::Borrowed(&self.lane.model), Cow::Borrowed(tensors));
            if let Some(assembly) = &job.assembly {
                model = Cow::Owned(assembly.model(&model));
                tensors = Cow::Owned(assembly.matrices(&tensors)?);
            }
            job.component.build(&Request {
                kind: job.kind,
                parameters: &job.component_parameters,
                model: &model,
                tensors: &tensors,
            })
        };
        build().map_err(|source| EngineError::Component {
            key: job.key(self.lane.layer),
            step,
            source,
        })
    }

    /// Asks every metric whose target is known; the others wait for it.
    fn measure(
        &mut self,
        index: usize,
        step: &'a LaneStep,
        built: Rc<Built>,
        listener: &mut Listener<'_>,
    ) -> ControlFlow<()> {
        let lane = self.lane;
        let (true, Some(job)) = (step.recorded, lane.jobs.get(index)) else {
            return ControlFlow::Continue(());
        };
        let (ready, waiting): (Vec<_>, Vec<_>) = job.metrics.iter().partition(|metric| {
            metric
                .target
                .is_none_or(|target| self.targets.contains_key(&(index, target)))
        });
        if !waiting.is_empty() {
            self.waiting.push((index, step, Rc::clone(&built)));
        }
        self.measure_metrics(index, job, step.step, built, &ready, listener)
    }

    /// Asks the comparative metrics that waited for a target which is known by now.
    fn measure_waiting(&mut self, listener: &mut Listener<'_>) -> ControlFlow<()> {
        for (index, step, built) in std::mem::take(&mut self.waiting) {
            let lane = self.lane;
            let Some(job) = lane.jobs.get(index) else {
                continue;
            };
            // What was asked when the step was built: its own target, and targets before it.
            let later: Vec<_> = job
                .metrics
                .iter()
                .filter(|metric| metric.target > Some(step.step))
                .collect();
            let known = |metric: &&MetricJob| {
                metric
                    .target
                    .is_some_and(|target| self.targets.contains_key(&(index, target)))
            };
            if later.iter().all(known) {
                self.measure_metrics(index, job, step.step, built, &later, listener)?;
            } else {
                self.waiting.push((index, step, built));
            }
        }
        ControlFlow::Continue(())
    }

    /// Measures the heads' matrices and the layer's; heads first, their facts make the layer's.
    /// Where nobody asks for the layer's, nor for them later, each head is let go with its facts
    /// before those of the next one are computed.
    fn measure_metrics(
        &self,
        index: usize,
        job: &Job,
        step: u64,
        built: Rc<Built>,
        metrics: &[&MetricJob],
        listener: &mut Listener<'_>,
    ) -> ControlFlow<()> {
        let needs = needs_of(metrics);
        let Built { layer, heads } = Rc::unwrap_or_clone(built);
        let layer = Some((None, layer)).filter(|_| !job.heads_only);
        let heads = heads.into_iter().enumerate();
        let heads = heads.map(|(head, facts)| (Some(head), facts));
        for (head, facts) in heads.chain(layer) {
            facts.prepare(needs);
            for metric in metrics {
                if let Some(status) = self.obstructed_target(index, metric) {
                    self.tell_undefined(job, metric, head, step, &status, listener)?;
                    continue;
                }
                let measurements = self.ask(index, metric, head, &facts);
                for (output, measurement) in metric
                    .metric
                    .outputs(&metric.parameters)
                    .iter()
                    .zip(measurements)
                {
                    let id = self.id_of(job, metric, head, output);
                    listener(Event::Number(number(id, step, measurement)))?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Why a metric has nothing to compare with.
    fn obstructed_target(&self, index: usize, metric: &MetricJob) -> Option<Status> {
        let target = metric.target?;
        let status = self.targets.get(&(index, target))?.as_ref().err()?;
        let text = format!("the target, step {target}, has no values: {status}");
        Some(Status::new(&status.code, &text))
    }

    fn ask(
        &self,
        index: usize,
        metric: &MetricJob,
        head: Option<usize>,
        facts: &Facts,
    ) -> Vec<Measurement> {
        match metric.metric.form() {
            Form::Single(single) => {
                let mut measured = single.measure(&metric.parameters, facts);
                tell_zeros(&mut measured, facts);
                measured
            }
            Form::Comparative(comparative) => {
                let target = metric
                    .target
                    .and_then(|step| self.targets.get(&(index, step))?.as_ref().ok())
                    .and_then(|built| {
                        head.map_or(Some(&built.layer), |head| built.heads.get(head))
                    });
                target.map_or_else(Vec::new, |target| {
                    comparative.measure(&metric.parameters, facts, target)
                })
            }
        }
    }

    fn id_of(&self, job: &Job, metric: &MetricJob, head: Option<usize>, output: &str) -> SeriesId {
        SeriesId {
            run: None,
            entry: EntryId {
                label: Text::clone(&metric.label),
                split: job.split,
            },
            component: Text::clone(&job.label),
            kind: job.kind,
            stack: Text::clone(&job.stack),
            layer: self.lane.layer,
            expert: job.expert,
            head: head.map(|head| head as u64),
            output: output.trim_start_matches('.').into(),
        }
    }
}

/// Says of zeros that the matrix has nothing else: a file that was never written to its end has
/// such matrices.
fn tell_zeros(measured: &mut [Measurement], facts: &Facts) {
    // Whatever has another number than 0 needs no look at the entries.
    let is_zero = |it: &Measurement| it.value == Some(0.0) && it.status.is_none();
    if measured.is_empty() || !measured.iter().all(is_zero) {
        return;
    }
    let sums = facts.magnitude_sums();
    if sums.is_ok_and(|sums| sums.largest == 0.0) {
        for zero in measured {
            zero.status = Some(ckptscope_metrics::Status::AllZero);
        }
    }
}

/// A measurement as a number of a series.
fn number(id: SeriesId, step: u64, measurement: Measurement) -> Number {
    let status = measurement.status;
    Number {
        id,
        step,
        value: measurement.value.map(Value::Number),
        status: status.map(|status| Status::new(status.code(), &status.to_string())),
    }
}

fn needs_of(metrics: &[&MetricJob]) -> Needs {
    metrics
        .iter()
        .map(|metric| metric.metric.needs(&metric.parameters))
        .fold(Needs::default(), Needs::and)
}
