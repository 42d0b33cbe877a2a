//! Running a lane: reading its tensors, building its components, asking its metrics.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::rc::Rc;

use nalgebra::DMatrix;
use trainscope_checkpoint::{ReadError, Source, Tensor, Tree, read_tensors};
use trainscope_metrics::{Facts, Form, Measurement, Needs};

use crate::component::{Built, ComponentError, Request};
use crate::plan::{Job, Lane, LaneStep, MetricJob};
use crate::protocol::{Event, Progress, Record};

/// A lane that could not be finished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// A tensor could not be read.
    #[error("layer {layer}, step {step}: {source}")]
    Read {
        /// The lane's layer.
        layer: u64,
        /// The step.
        step: u64,
        /// Why.
        source: ReadError,
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

/// Whoever listens to a lane: gets every event, and may answer that it has heard enough.
pub type Listener<'a> = dyn FnMut(Event) -> ControlFlow<()> + 'a;

/// Runs a lane: at every step it reads each tensor once, builds each component once, computes the
/// facts its metrics need once, and tells the listener every number. The facts of a target step's
/// layers stay until the lane ends. Ends early, without error, when the listener breaks.
///
/// # Errors
/// [`EngineError`]; what was told before stays true.
pub async fn run_lane(
    lane: &Lane,
    tree: &dyn Tree,
    listener: &mut Listener<'_>,
) -> Result<(), EngineError> {
    let mut run = LaneRun::of(lane, tree);
    for step in &lane.steps {
        if run.step(step, listener).await?.is_break() {
            return Ok(());
        }
    }
    Ok(())
}

struct LaneRun<'a> {
    lane: &'a Lane,
    tree: &'a dyn Tree,
    /// What the target steps built, by job and step.
    targets: BTreeMap<(usize, u64), Rc<Built>>,
    /// What waits for another target, where a lane has several: job, step and what it built.
    waiting: Vec<(usize, &'a LaneStep, Rc<Built>)>,
    /// Steps that were computed and not yet told.
    done: Vec<&'a LaneStep>,
    /// The files of the step at hand.
    sources: BTreeMap<&'a str, Rc<dyn Source>>,
}

impl<'a> LaneRun<'a> {
    fn of(lane: &'a Lane, tree: &'a dyn Tree) -> Self {
        let (targets, sources) = (BTreeMap::new(), BTreeMap::new());
        Self {
            lane,
            tree,
            targets,
            waiting: Vec::new(),
            done: Vec::new(),
            sources,
        }
    }

    async fn step(
        &mut self,
        step: &'a LaneStep,
        listener: &mut Listener<'_>,
    ) -> Result<ControlFlow<()>, EngineError> {
        self.sources.clear();
        let mut tensors = StepTensors::of(step);
        for (index, job) in self.lane.jobs.iter().enumerate() {
            let Some(inputs) = step.inputs.get(index).and_then(Option::as_ref) else {
                continue;
            };
            let matrices = self.read(step, inputs, &mut tensors).await?;
            let built = Rc::new(self.build(job, step.step, &matrices)?);
            drop(matrices);
            if job
                .metrics
                .iter()
                .any(|metric| metric.target == Some(step.step))
            {
                self.targets.insert((index, step.step), Rc::clone(&built));
            }
            if self.measure(index, step, &built, listener).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        if self.measure_waiting(listener).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        self.done.push(step);
        Ok(self.report_progress(listener))
    }

    /// Tells which steps are done; one that waits for a target is not.
    fn report_progress(&mut self, listener: &mut Listener<'_>) -> ControlFlow<()> {
        if !self.waiting.is_empty() {
            return ControlFlow::Continue(());
        }
        for step in std::mem::take(&mut self.done) {
            let read_bytes = step
                .tensors
                .iter()
                .map(|tensor| tensor.entry.byte_range().1)
                .sum();
            listener(Event::Progress(Progress {
                layer: self.lane.layer,
                step: step.step,
                recorded: step.recorded,
                read_bytes,
            }))?;
        }
        ControlFlow::Continue(())
    }

    /// The matrices of a job's inputs; those that no later job reads are let go.
    async fn read(
        &mut self,
        step: &'a LaneStep,
        inputs: &[usize],
        tensors: &mut StepTensors,
    ) -> Result<Vec<Rc<DMatrix<f64>>>, EngineError> {
        let of_file = tensors.missing_by_file(step, inputs);
        for (path, indices) in of_file {
            let entries: Vec<_> = indices
                .iter()
                .map(|&index| &step.tensors[index].entry)
                .collect();
            let read = match self.source(path).await {
                Ok(source) => read_tensors(&*source, &entries).await,
                Err(error) => Err(error),
            };
            let read = read.map_err(|source| EngineError::Read {
                layer: self.lane.layer,
                step: step.step,
                source,
            })?;
            for (index, tensor) in indices.into_iter().zip(read) {
                tensors.insert(index, tensor);
            }
        }
        Ok(inputs
            .iter()
            .filter_map(|&index| tensors.take(index))
            .collect())
    }

    async fn source(&mut self, path: &'a str) -> Result<Rc<dyn Source>, ReadError> {
        if let Some(source) = self.sources.get(path) {
            return Ok(Rc::clone(source));
        }
        let source = self.tree.open(path).await?;
        self.sources.insert(path, Rc::clone(&source));
        Ok(source)
    }

    fn build(
        &self,
        job: &Job,
        step: u64,
        tensors: &[Rc<DMatrix<f64>>],
    ) -> Result<Built, EngineError> {
        let request = Request {
            kind: job.kind,
            parameters: &job.component_parameters,
            model: &self.lane.model,
            tensors,
        };
        job.component
            .build(&request)
            .map_err(|source| EngineError::Component {
                key: job.key.clone(),
                step,
                source,
            })
    }

    /// Asks every metric whose target is known; the others wait for it.
    fn measure(
        &mut self,
        index: usize,
        step: &'a LaneStep,
        built: &Rc<Built>,
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
            self.waiting.push((index, step, Rc::clone(built)));
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
                self.measure_metrics(index, job, step.step, &built, &later, listener)?;
            } else {
                self.waiting.push((index, step, built));
            }
        }
        ControlFlow::Continue(())
    }

    /// Measures the heads' matrices and the layer's; heads first, their facts make the layer's.
    fn measure_metrics(
        &self,
        index: usize,
        job: &Job,
        step: u64,
        built: &Built,
        metrics: &[&MetricJob],
        listener: &mut Listener<'_>,
    ) -> ControlFlow<()> {
        let needs = needs_of(metrics);
        let heads = built
            .heads
            .iter()
            .enumerate()
            .map(|(head, facts)| (Some(head), facts));
        for (head, facts) in heads.chain([(None, &built.layer)]) {
            facts.prepare(needs);
            for metric in metrics {
                let measurements = self.ask(index, metric, head, facts);
                for (output, measurement) in metric.metric.outputs().iter().zip(measurements) {
                    let record = self.record(job, metric, step, head, output, measurement);
                    listener(Event::Record(record))?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn ask(
        &self,
        index: usize,
        metric: &MetricJob,
        head: Option<usize>,
        facts: &Facts,
    ) -> Vec<Measurement> {
        match metric.metric.form() {
            Form::Single(single) => single.measure(&metric.parameters, facts),
            Form::Comparative(comparative) => {
                let target = metric
                    .target
                    .and_then(|step| self.targets.get(&(index, step)))
                    .and_then(|built| {
                        head.map_or(Some(&built.layer), |head| built.heads.get(head))
                    });
                target.map_or_else(Vec::new, |target| {
                    comparative.measure(&metric.parameters, facts, target)
                })
            }
        }
    }

    fn record(
        &self,
        job: &Job,
        metric: &MetricJob,
        step: u64,
        head: Option<usize>,
        output: &str,
        measurement: Measurement,
    ) -> Record {
        let of_head = head.map_or_else(String::new, |head| format!(".heads.{head}"));
        Record {
            label: metric.label.clone(),
            split: job.split.name().to_owned(),
            step,
            key: format!("{}.{}{of_head}{output}", job.key, job.kind),
            component: job.label.clone(),
            layer: self.lane.layer,
            head: head.map(|head| head as u64),
            data_type: job.kind.name().to_owned(),
            output: output.trim_start_matches('.').to_owned(),
            value: measurement.value,
            status: measurement.status.map(|status| status.to_string()),
        }
    }
}

fn needs_of(metrics: &[&MetricJob]) -> Needs {
    metrics
        .iter()
        .map(|metric| metric.metric.needs(&metric.parameters))
        .fold(Needs::default(), Needs::and)
}

/// The tensors of a step that are in memory, each until the last job that reads it.
struct StepTensors {
    loaded: Vec<Option<Rc<DMatrix<f64>>>>,
    readers: Vec<usize>,
}

impl StepTensors {
    fn of(step: &LaneStep) -> Self {
        let mut readers = vec![0; step.tensors.len()];
        for &input in step.inputs.iter().flatten().flatten() {
            readers[input] += 1;
        }
        Self {
            loaded: vec![None; step.tensors.len()],
            readers,
        }
    }

    /// The inputs that are not in memory, by file.
    fn missing_by_file<'a>(
        &self,
        step: &'a LaneStep,
        inputs: &[usize],
    ) -> BTreeMap<&'a str, Vec<usize>> {
        let mut by_file: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for &index in inputs {
            let indices = by_file.entry(&step.tensors[index].path).or_default();
            if self.loaded[index].is_none() && !indices.contains(&index) {
                indices.push(index);
            }
        }
        by_file.retain(|_, indices| !indices.is_empty());
        by_file
    }

    fn insert(&mut self, index: usize, tensor: Tensor) {
        let (rows, columns) = (tensor.rows(), tensor.columns());
        self.loaded[index] = Some(Rc::new(DMatrix::from_vec(rows, columns, tensor.values)));
    }

    fn take(&mut self, index: usize) -> Option<Rc<DMatrix<f64>>> {
        self.readers[index] -= 1;
        if self.readers[index] == 0 {
            self.loaded[index].take()
        } else {
            self.loaded[index].clone()
        }
    }
}
