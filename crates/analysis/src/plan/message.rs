//! A lane as text, for workers that share no memory.
//!
//! Names that repeat from step to step (files, tensors, layouts, inputs) stand in tables once, and
//! steps refer to them by index. What comes back is checked: a lane from elsewhere is refused, and
//! never makes the engine panic.
//!
//! The page passes this text on without reading it: only the web worker's program has the registry.

use std::collections::HashMap;
use std::hash::Hash;

use ckptscope_checkpoint::{DataKind, Dtype, ModelShape, Placement, Split, TensorEntry};
use ckptscope_metrics::{Parameter, ParameterKind, ParameterValue, Parameters};
use ckptscope_results::Text;
use serde::{Deserialize, Serialize};

use super::{Job, Lane, LaneStep, MetricJob, TensorPlace};
use crate::registry::Registry;

/// A [`Lane`] that can be written as text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LaneMessage {
    layer: u64,
    model: ModelShape,
    jobs: Vec<JobMessage>,
    paths: Vec<String>,
    names: Vec<String>,
    layouts: Vec<TensorLayout>,
    inputs: Vec<Vec<Option<Vec<usize>>>>,
    steps: Vec<StepMessage>,
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
    /// A word where one of a few belongs.
    #[error("the lane names {found:?} where a {expected} belongs")]
    UnknownWord {
        /// What was found.
        found: String,
        /// What belongs there.
        expected: &'static str,
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
    parameters: Vec<(String, ValueMessage)>,
    kind: DataKind,
    split: Split,
    stack: Text,
    label: Text,
    metrics: Vec<MetricMessage>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct MetricMessage {
    metric: String,
    parameters: Vec<(String, ValueMessage)>,
    label: Text,
    target: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum ValueMessage {
    Boolean(bool),
    Integer(i64),
    Fraction(f64),
    Choice(String),
}

/// What tensors of a model have in common over its steps.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct TensorLayout {
    dtype: String,
    shape: Vec<u64>,
    strides: Vec<u64>,
    big_endian: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct StepMessage {
    step: u64,
    recorded: bool,
    /// Index into the table of inputs.
    inputs: usize,
    tensors: Vec<TensorMessage>,
}

/// Indices of path, name and layout; first byte of the storage, first element in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct TensorMessage(usize, usize, usize, u64, u64);

/// A table in the making: every item once.
struct Table<T> {
    items: Vec<T>,
    places: HashMap<T, usize>,
}

impl<T: Clone + Eq + Hash> Table<T> {
    fn new() -> Self {
        Self {
            items: Vec::new(),
            places: HashMap::new(),
        }
    }

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
        let (mut paths, mut names) = (Table::new(), Table::new());
        let (mut layouts, mut inputs) = (Table::new(), Table::new());
        let mut steps = Vec::with_capacity(lane.steps.len());
        for step in &lane.steps {
            let tensors = step.tensors.iter().map(|tensor| {
                let placement = &tensor.entry.placement;
                TensorMessage(
                    paths.place(tensor.path.clone()),
                    names.place(tensor.entry.name.clone()),
                    layouts.place(TensorLayout::of(&tensor.entry)),
                    placement.storage_offset_bytes,
                    placement.offset,
                )
            });
            steps.push(StepMessage {
                step: step.step,
                recorded: step.recorded,
                tensors: tensors.collect(),
                inputs: inputs.place(step.inputs.clone()),
            });
        }
        Self {
            layer: lane.layer,
            model: lane.model.clone(),
            jobs: lane.jobs.iter().map(JobMessage::of).collect(),
            paths: paths.items,
            names: names.items,
            layouts: layouts.items,
            inputs: inputs.items,
            steps,
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
        })
    }

    fn step(&self, step: &StepMessage) -> Result<LaneStep, LaneError> {
        let tensors = step.tensors.iter().map(|tensor| self.tensor(tensor));
        let tensors: Vec<TensorPlace> = tensors.collect::<Result<_, _>>()?;
        let inputs = item(&self.inputs, step.inputs, "the inputs")?;
        for &input in inputs.iter().flatten().flatten() {
            item(&tensors, input, "tensor")?;
        }
        Ok(LaneStep {
            step: step.step,
            recorded: step.recorded,
            inputs: inputs.clone(),
            tensors,
        })
    }

    fn tensor(&self, message: &TensorMessage) -> Result<TensorPlace, LaneError> {
        let &TensorMessage(path, name, layout, storage_offset_bytes, offset) = message;
        let layout = item(&self.layouts, layout, "tensor layout")?;
        let name = item(&self.names, name, "tensor name")?;
        let entry = TensorEntry {
            name: name.clone(),
            dtype: word(&layout.dtype, Dtype::ALL, Dtype::name, "dtype")?,
            shape: layout.shape.clone(),
            placement: Placement {
                storage_offset_bytes,
                offset,
                strides: layout.strides.clone(),
                big_endian: layout.big_endian,
            },
        };
        let range = entry.checked_byte_range();
        if range.is_none_or(|(start, length)| start.checked_add(length).is_none()) {
            return Err(LaneError::ImpossibleTensor {
                tensor: name.clone(),
            });
        }
        Ok(TensorPlace {
            path: item(&self.paths, path, "path")?.clone(),
            entry,
        })
    }
}

impl TensorLayout {
    fn of(entry: &TensorEntry) -> Self {
        Self {
            dtype: entry.dtype.name().to_owned(),
            shape: entry.shape.clone(),
            strides: entry.placement.strides.clone(),
            big_endian: entry.placement.big_endian,
        }
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
        let metrics = self.metrics.iter().map(|metric| metric.read(registry));
        Ok(Job {
            component,
            component_parameters: parameters(
                &self.component,
                component.parameters(),
                &self.parameters,
            )?,
            kind: self.kind,
            split: self.split,
            stack: Text::clone(&self.stack),
            label: self.label.clone(),
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

fn values(parameters: &Parameters) -> Vec<(String, ValueMessage)> {
    let message = |value| match value {
        ParameterValue::Boolean(answer) => ValueMessage::Boolean(answer),
        ParameterValue::Integer(number) => ValueMessage::Integer(number),
        ParameterValue::Fraction(number) => ValueMessage::Fraction(number),
        ParameterValue::Choice(word) => ValueMessage::Choice(word.to_owned()),
    };
    parameters
        .iter()
        .map(|(name, value)| (name.to_owned(), message(value)))
        .collect()
}

fn parameters(
    owner: &str,
    declared: &[Parameter],
    given: &[(String, ValueMessage)],
) -> Result<Parameters, LaneError> {
    given
        .iter()
        .try_fold(Parameters::defaults(declared), |all, (name, value)| {
            let parameter = declared.iter().find(|parameter| parameter.name == name);
            let value = parameter.and_then(|parameter| value.read(parameter.kind));
            let value = value.ok_or_else(|| LaneError::UnknownParameter {
                owner: owner.to_owned(),
                name: name.clone(),
            })?;
            Ok(all.with(name, value))
        })
}

impl ValueMessage {
    fn read(&self, kind: ParameterKind) -> Option<ParameterValue> {
        let value = match (kind, self) {
            (_, Self::Boolean(answer)) => ParameterValue::Boolean(*answer),
            (_, Self::Integer(number)) => ParameterValue::Integer(*number),
            (_, Self::Fraction(number)) => ParameterValue::Fraction(*number),
            (ParameterKind::Choice(words), Self::Choice(given)) => {
                ParameterValue::Choice(words.iter().find(|known| *known == given)?)
            }
            (_, Self::Choice(_)) => return None,
        };
        kind.takes(value).then_some(value)
    }
}

fn item<'a, T>(items: &'a [T], index: usize, what: &'static str) -> Result<&'a T, LaneError> {
    let count = items.len();
    items
        .get(index)
        .ok_or(LaneError::NoSuchItem { what, index, count })
}

/// The item of that name.
fn word<T: Copy>(
    found: &str,
    items: &[T],
    name: impl Fn(T) -> &'static str,
    expected: &'static str,
) -> Result<T, LaneError> {
    items
        .iter()
        .copied()
        .find(|item| name(*item) == found)
        .ok_or_else(|| LaneError::UnknownWord {
            found: found.to_owned(),
            expected,
        })
}
