//! A lane as text, for workers that share no memory.
//!
//! What repeats from step to step (files, tensors but for their places, inputs) stands in tables
//! once, and steps refer to it by index. What comes back is checked: a lane from elsewhere is refused, and
//! never makes the engine panic.
//!
//! The page passes this text on without reading it: only the web worker's program has the registry.

use std::collections::HashMap;
use std::hash::Hash;
use std::mem;

use ckptscope_checkpoint::{Chunk, DataKind, ModelShape, Split, StoredTensor};
use ckptscope_metrics::{Parameter, ParameterKind, ParameterValue, Parameters};
use ckptscope_results::Text;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Inputs, Job, Lane, LaneStep, MetricJob};
use crate::assembly::Assembly;
use crate::registry::Registry;
use crate::results::values;

/// A [`Lane`] that can be written as text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LaneMessage {
    layer: Option<u64>,
    model: ModelShape,
    jobs: Vec<JobMessage>,
    paths: Vec<String>,
    tensors: Vec<StoredTensor>,
    inputs: Vec<Vec<Inputs>>,
    steps: Vec<StepMessage>,
    passes_over_broken: bool,
}

/// A message that is no lane.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LaneError {
    /// A metric that the registry does not have.
    #[error("the lane asks for the metric {name:?}, which is not known here")]
    UnknownMetric {
        /// Its name.
        name: String,
    },
    /// A component that the registry does not have.
    #[error("the lane asks for the component {name:?}, which is not known here")]
    UnknownComponent {
        /// Its name.
        name: String,
    },
    /// A value of a parameter that its owner does not take.
    #[error("the lane gives {owner} a parameter {name:?} that it does not take")]
    UnknownParameter {
        /// The metric or component.
        owner: String,
        /// The parameter.
        name: String,
    },
    /// An index beyond its table.
    #[error("the lane refers to {what} {index}, of {count}")]
    NoSuchItem {
        /// What the table holds.
        what: &'static str,
        /// The index.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// A tensor whose bytes cannot be counted.
    #[error("the lane gives the tensor {tensor:?} an extent that cannot be")]
    ImpossibleTensor {
        /// Its name.
        tensor: String,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct JobMessage {
    component: String,
    parameters: Map<String, Value>,
    kind: DataKind,
    split: Split,
    stack: Text,
    label: Text,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expert: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    assembly: Option<Assembly>,
    #[serde(default)]
    heads_only: bool,
    metrics: Vec<MetricMessage>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct MetricMessage {
    metric: String,
    parameters: Map<String, Value>,
    label: Text,
    target: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct StepMessage {
    step: u64,
    recorded: bool,
    /// Index into the table of inputs.
    inputs: usize,
    tensors: Vec<TensorMessage>,
}

/// Index into the table of tensors, which have everything but places, and the places of its chunks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct TensorMessage(usize, Vec<PlaceMessage>);

/// Index of the path; first byte of the storage; its checksum, where there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PlaceMessage(usize, u64, Option<u32>);

/// The tables in the making.
#[derive(Default)]
struct Tables {
    paths: Table<String>,
    tensors: Table<StoredTensor>,
    inputs: Table<Vec<Inputs>>,
}

impl Tables {
    fn step(&mut self, step: &LaneStep) -> StepMessage {
        let tensors = step.tensors.iter().map(|tensor| self.tensor(tensor));
        StepMessage {
            step: step.step,
            recorded: step.recorded,
            tensors: tensors.collect(),
            inputs: self.inputs.place(step.inputs.clone()),
        }
    }

    fn tensor(&mut self, tensor: &StoredTensor) -> TensorMessage {
        let mut tensor = tensor.clone();
        let places = tensor.chunks_mut().map(|chunk| self.take_place(chunk));
        let places = places.collect();
        TensorMessage(self.tensors.place(tensor), places)
    }

    /// What of a chunk is another at every step.
    fn take_place(&mut self, chunk: &mut Chunk) -> PlaceMessage {
        let placement = &mut chunk.entry.placement;
        PlaceMessage(
            self.paths.place(mem::take(&mut chunk.path)),
            mem::take(&mut placement.storage_offset_bytes),
            placement.crc32.take(),
        )
    }
}

/// A table in the making: every item once.
struct Table<T> {
    items: Vec<T>,
    places: HashMap<T, usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            places: HashMap::new(),
        }
    }
}

impl<T: Clone + Eq + Hash> Table<T> {
    fn place(&mut self, item: T) -> usize {
        if let Some(place) = self.places.get(&item) {
            return *place;
        }
        let place = self.items.len();
        self.items.push(item.clone());
        self.places.insert(item, place);
        place
    }
}

impl From<&Lane> for LaneMessage {
    fn from(lane: &Lane) -> Self {
        let mut tables = Tables::default();
        let steps = lane.steps.iter().map(|step| tables.step(step)).collect();
        Self {
            layer: lane.layer,
            model: lane.model.clone(),
            jobs: lane.jobs.iter().map(JobMessage::of).collect(),
            paths: tables.paths.items,
            tensors: tables.tensors.items,
            inputs: tables.inputs.items,
            steps,
            passes_over_broken: lane.passes_over_broken,
        }
    }
}

impl LaneMessage {
    /// The lane, its metrics and components looked up in a registry.
    ///
    /// # Errors
    /// [`LaneError`] when it names what the registry does not have, or is no lane that a plan
    /// could have made.
    pub fn into_lane(self, registry: &Registry) -> Result<Lane, LaneError> {
        let jobs = self.jobs.iter().map(|job| job.read(registry));
        Ok(Lane {
            layer: self.layer,
            jobs: jobs.collect::<Result<_, _>>()?,
            steps: self
                .steps
                .iter()
                .map(|step| self.step(step))
                .collect::<Result<_, _>>()?,
            model: self.model,
            passes_over_broken: self.passes_over_broken,
        })
    }

    fn step(&self, step: &StepMessage) -> Result<LaneStep, LaneError> {
        let tensors = step.tensors.iter().map(|tensor| self.tensor(tensor));
        let tensors: Vec<StoredTensor> = tensors.collect::<Result<_, _>>()?;
        let inputs = item(&self.inputs, step.inputs, "the inputs")?;
        for place in inputs.iter().flat_map(Inputs::tensors) {
            item(&tensors, *place, "tensor")?;
        }
        Ok(LaneStep {
            step: step.step,
            recorded: step.recorded,
            inputs: inputs.clone(),
            tensors,
        })
    }

    fn tensor(&self, message: &TensorMessage) -> Result<StoredTensor, LaneError> {
        let TensorMessage(index, places) = message;
        let mut tensor = item(&self.tensors, *index, "tensor")?.clone();
        let mut is_possible = tensor.chunks_mut().count() == places.len();
        for (chunk, place) in tensor.chunks_mut().zip(places) {
            is_possible &= self.put(chunk, place)?;
        }
        if is_possible {
            return Ok(tensor);
        }
        Err(LaneError::ImpossibleTensor {
            tensor: tensor.elements.name,
        })
    }

    /// Puts a chunk in its place; whether its bytes can be counted there.
    fn put(&self, chunk: &mut Chunk, place: &PlaceMessage) -> Result<bool, LaneError> {
        let PlaceMessage(path, storage_offset_bytes, crc32) = place;
        item(&self.paths, *path, "path")?.clone_into(&mut chunk.path);
        let placement = &mut chunk.entry.placement;
        placement.storage_offset_bytes = *storage_offset_bytes;
        placement.crc32 = *crc32;
        let range = chunk.entry.checked_byte_range();
        Ok(range.is_some_and(|(start, length)| start.checked_add(length).is_some()))
    }
}

impl JobMessage {
    fn of(job: &Job) -> Self {
        Self {
            component: job.component.name().to_owned(),
            parameters: values(&job.component_parameters),
            kind: job.kind,
            split: job.split,
            stack: Text::clone(&job.stack),
            label: job.label.clone(),
            expert: job.expert,
            assembly: job.assembly.clone(),
            heads_only: job.heads_only,
            metrics: job.metrics.iter().map(MetricMessage::of).collect(),
        }
    }

    fn read(&self, registry: &Registry) -> Result<Job, LaneError> {
        let named = |component: &&&'static dyn crate::Component| component.name() == self.component;
        let component = *registry.components().iter().find(named).ok_or_else(|| {
            LaneError::UnknownComponent {
                name: self.component.clone(),
            }
        })?;
        let declared = match self.assembly {
            Some(_) => component.parameters_by_role(),
            None => component.parameters(),
        };
        let metrics = self.metrics.iter().map(|metric| metric.read(registry));
        Ok(Job {
            component,
            component_parameters: parameters(&self.component, declared, &self.parameters)?,
            kind: self.kind,
            split: self.split,
            stack: Text::clone(&self.stack),
            label: self.label.clone(),
            expert: self.expert,
            assembly: self.assembly.clone(),
            heads_only: self.heads_only,
            metrics: metrics.collect::<Result<_, _>>()?,
        })
    }
}

impl MetricMessage {
    fn of(job: &MetricJob) -> Self {
        Self {
            metric: job.metric.name().to_owned(),
            parameters: values(&job.parameters),
            label: job.label.clone(),
            target: job.target,
        }
    }

    fn read(&self, registry: &Registry) -> Result<MetricJob, LaneError> {
        let metric = *registry
            .metrics()
            .iter()
            .find(|metric| metric.name() == self.metric)
            .ok_or_else(|| LaneError::UnknownMetric {
                name: self.metric.clone(),
            })?;
        Ok(MetricJob {
            metric,
            parameters: parameters(&self.metric, metric.parameters(), &self.parameters)?,
            label: self.label.clone(),
            target: self.target,
        })
    }
}

fn parameters(
    owner: &str,
    declared: &[Parameter],
    given: &Map<String, Value>,
) -> Result<Parameters, LaneError> {
    given
        .iter()
        .try_fold(Parameters::defaults(declared), |all, (name, value)| {
            let parameter = declared.iter().find(|parameter| parameter.name == name);
            let value = parameter.and_then(|parameter| read(value, parameter.kind));
            let value = value.ok_or_else(|| LaneError::UnknownParameter {
                owner: owner.to_owned(),
                name: name.clone(),
            })?;
            Ok(all.with(name, value))
        })
}

fn read(value: &Value, kind: ParameterKind) -> Option<ParameterValue> {
    let value = match kind {
        ParameterKind::Boolean => ParameterValue::Boolean(value.as_bool()?),
        ParameterKind::Integer { .. } => ParameterValue::Integer(value.as_i64()?),
        ParameterKind::Fraction { .. } => {
            let fraction = value.as_f64().filter(|_| value.is_f64());
            ParameterValue::Fraction(fraction?)
        }
        ParameterKind::Choice(words) => {
            let given = value.as_str()?;
            ParameterValue::Choice(words.iter().find(|known| **known == given)?)
        }
    };
    kind.takes(value).then_some(value)
}

fn item<'a, T>(items: &'a [T], index: usize, what: &'static str) -> Result<&'a T, LaneError> {
    let count = items.len();
    items
        .get(index)
        .ok_or(LaneError::NoSuchItem { what, index, count })
}
