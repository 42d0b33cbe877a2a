//! A lane as text, for workers that share no memory.
//!
//! Names that repeat from step to step (files, tensors, layouts, inputs) stand in tables once, and
//! steps refer to them by index. What comes back is checked: a lane from elsewhere is refused, and
//! never makes the engine panic.
//!
//! The page passes this text on without reading it: only the web worker's program has the registry.

use std::collections::HashMap;
use std::hash::Hash;

use ckptscope_checkpoint::{
    Chunk, ChunkedTensor, DataKind, Dtype, ModelShape, Packing, Placement, Split, StorageScale,
    StoredTensor, TensorEntry, Wrapped,
};
use ckptscope_metrics::{Parameter, ParameterKind, ParameterValue, Parameters};
use ckptscope_results::{Status, Text};
use serde::{Deserialize, Serialize};

use super::{Inputs, Job, Lane, LaneStep, MetricJob};
use crate::assembly::Assembly;
use crate::registry::Registry;

/// A [`Lane`] that can be written as text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LaneMessage {
    layer: Option<u64>,
    model: ModelShape,
    jobs: Vec<JobMessage>,
    paths: Vec<String>,
    names: Vec<String>,
    layouts: Vec<TensorLayout>,
    inputs: Vec<Vec<InputsMessage>>,
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
    negated: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct StepMessage {
    step: u64,
    recorded: bool,
    /// Index into the table of inputs.
    inputs: usize,
    tensors: Vec<TensorMessage>,
}

/// What a job works with: nothing, tensors of the step by index, or why a tensor has no values.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
enum InputsMessage {
    Absent(()),
    Tensors(Vec<usize>),
    Obstructed(Status),
}

/// A tensor, and what its elements are multiplied with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum TensorMessage {
    Plain(ElementsMessage),
    Scaled(ElementsMessage, Box<ScaleMessage>),
}

/// Stored elements: most lie in one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum ElementsMessage {
    Whole(PlaceMessage),
    Chunked {
        name: usize,
        dtype: String,
        shape: Vec<u64>,
        chunks: Vec<ChunkMessage>,
    },
}

/// Indices of path, name and layout; first byte of the storage, first element in it; how it is
/// packed and its checksum, where there are any.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PlaceMessage(
    usize,
    usize,
    usize,
    u64,
    u64,
    Option<PackingMessage>,
    Option<u32>,
);

/// How a storage is packed: bytes of the file, bytes of the storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PackingMessage {
    Deflated(u64, u64),
    Text(u64, u64),
}

/// A chunk: where it begins in its tensor, its bytes, and what these wrap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ChunkMessage {
    offsets: Vec<u64>,
    place: PlaceMessage,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wrapped: Option<(String, Vec<u64>)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ScaleMessage {
    factors: ElementsMessage,
    block: Vec<u64>,
    divisor: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order: Option<ElementsMessage>,
}

/// The tables in the making.
struct Tables {
    paths: Table<String>,
    names: Table<String>,
    layouts: Table<TensorLayout>,
    inputs: Table<Vec<InputsMessage>>,
}

impl Tables {
    fn new() -> Self {
        Self {
            paths: Table::new(),
            names: Table::new(),
            layouts: Table::new(),
            inputs: Table::new(),
        }
    }

    fn step(&mut self, step: &LaneStep) -> StepMessage {
        let tensors = step.tensors.iter().map(|tensor| self.tensor(tensor));
        StepMessage {
            step: step.step,
            recorded: step.recorded,
            tensors: tensors.collect(),
            inputs: self
                .inputs
                .place(step.inputs.iter().map(InputsMessage::of).collect()),
        }
    }

    fn tensor(&mut self, tensor: &StoredTensor) -> TensorMessage {
        let elements = self.elements(&tensor.elements);
        let Some(scale) = &tensor.scale else {
            return TensorMessage::Plain(elements);
        };
        let scale = ScaleMessage {
            factors: self.elements(&scale.factors),
            block: scale.block.clone(),
            divisor: scale.divisor,
            order: scale.order.as_ref().map(|order| self.elements(order)),
        };
        TensorMessage::Scaled(elements, Box::new(scale))
    }

    fn elements(&mut self, tensor: &ChunkedTensor) -> ElementsMessage {
        if let Some(chunk) = tensor.only_chunk().filter(|chunk| chunk.wrapped.is_none()) {
            return ElementsMessage::Whole(self.place(chunk));
        }
        let chunks = tensor.chunks.iter();
        let chunks = chunks.map(|chunk| ChunkMessage {
            offsets: chunk.offsets.clone(),
            place: self.place(chunk),
            wrapped: chunk.wrapped.as_ref().map(|wrapped| {
                let dtype = wrapped.dtype.name().to_owned();
                (dtype, wrapped.shape.clone())
            }),
        });
        let chunks = chunks.collect();
        ElementsMessage::Chunked {
            name: self.names.place(tensor.name.clone()),
            dtype: tensor.dtype.name().to_owned(),
            shape: tensor.shape.clone(),
            chunks,
        }
    }

    fn place(&mut self, chunk: &Chunk) -> PlaceMessage {
        let entry = &chunk.entry;
        PlaceMessage(
            self.paths.place(chunk.path.clone()),
            self.names.place(entry.name.clone()),
            self.layouts.place(TensorLayout::of(entry)),
            entry.placement.storage_offset_bytes,
            entry.placement.offset,
            PackingMessage::of(entry.placement.packing),
            entry.placement.crc32,
        )
    }
}

impl InputsMessage {
    fn of(inputs: &Inputs) -> Self {
        match inputs {
            Inputs::Absent => Self::Absent(()),
            Inputs::Tensors(tensors) => Self::Tensors(tensors.clone()),
            Inputs::Obstructed(status) => Self::Obstructed(status.clone()),
        }
    }

    fn read(&self, tensors: &[StoredTensor]) -> Result<Inputs, LaneError> {
        Ok(match self {
            Self::Absent(()) => Inputs::Absent,
            Self::Obstructed(status) => Inputs::Obstructed(status.clone()),
            Self::Tensors(places) => {
                for place in places {
                    item(tensors, *place, "tensor")?;
                }
                Inputs::Tensors(places.clone())
            }
        })
    }
}

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
        let mut tables = Tables::new();
        let steps = lane.steps.iter().map(|step| tables.step(step)).collect();
        Self {
            layer: lane.layer,
            model: lane.model.clone(),
            jobs: lane.jobs.iter().map(JobMessage::of).collect(),
            paths: tables.paths.items,
            names: tables.names.items,
            layouts: tables.layouts.items,
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
        let inputs = inputs.iter().map(|inputs| inputs.read(&tensors));
        Ok(LaneStep {
            step: step.step,
            recorded: step.recorded,
            inputs: inputs.collect::<Result<_, _>>()?,
            tensors,
        })
    }

    fn tensor(&self, message: &TensorMessage) -> Result<StoredTensor, LaneError> {
        let (elements, scale) = match message {
            TensorMessage::Plain(elements) => (elements, None),
            TensorMessage::Scaled(elements, scale) => (elements, Some(scale)),
        };
        let scale = scale.map(|scale| {
            let order = scale.order.as_ref().map(|order| self.elements(order));
            Ok(StorageScale {
                factors: self.elements(&scale.factors)?,
                block: scale.block.clone(),
                divisor: scale.divisor,
                order: order.transpose()?,
            })
        });
        Ok(StoredTensor {
            elements: self.elements(elements)?,
            scale: scale.transpose()?,
        })
    }

    fn elements(&self, message: &ElementsMessage) -> Result<ChunkedTensor, LaneError> {
        let (name, dtype, shape, chunks) = match message {
            ElementsMessage::Whole(place) => {
                let (path, entry) = self.place(place)?;
                return Ok(ChunkedTensor::in_one_place(&path, entry));
            }
            ElementsMessage::Chunked {
                name,
                dtype,
                shape,
                chunks,
            } => (name, dtype, shape, chunks),
        };
        let chunks = chunks.iter().map(|chunk| self.chunk(chunk));
        Ok(ChunkedTensor {
            name: item(&self.names, *name, "tensor name")?.clone(),
            dtype: dtype_of(dtype)?,
            shape: shape.clone(),
            chunks: chunks.collect::<Result<_, _>>()?,
        })
    }

    fn chunk(&self, message: &ChunkMessage) -> Result<Chunk, LaneError> {
        let (path, entry) = self.place(&message.place)?;
        let wrapped = message.wrapped.as_ref().map(|(dtype, shape)| {
            Ok(Wrapped {
                dtype: dtype_of(dtype)?,
                shape: shape.clone(),
            })
        });
        Ok(Chunk {
            path,
            offsets: message.offsets.clone(),
            entry,
            wrapped: wrapped.transpose()?,
        })
    }

    /// The path of a file, and a tensor in it.
    fn place(&self, message: &PlaceMessage) -> Result<(String, TensorEntry), LaneError> {
        let &PlaceMessage(path, name, layout, storage_offset_bytes, offset, packing, crc32) =
            message;
        let layout = item(&self.layouts, layout, "tensor layout")?;
        let name = item(&self.names, name, "tensor name")?;
        let entry = TensorEntry {
            name: name.clone(),
            dtype: dtype_of(&layout.dtype)?,
            shape: layout.shape.clone(),
            placement: Placement {
                storage_offset_bytes,
                packing: packing.map_or(Packing::Plain, PackingMessage::read),
                offset,
                strides: layout.strides.clone(),
                big_endian: layout.big_endian,
                negated: layout.negated,
                crc32,
            },
        };
        let range = entry.checked_byte_range();
        if range.is_none_or(|(start, length)| start.checked_add(length).is_none()) {
            return Err(LaneError::ImpossibleTensor {
                tensor: name.clone(),
            });
        }
        Ok((item(&self.paths, path, "path")?.clone(), entry))
    }
}

fn dtype_of(name: &str) -> Result<Dtype, LaneError> {
    word(name, Dtype::ALL, Dtype::name, "dtype")
}

impl TensorLayout {
    fn of(entry: &TensorEntry) -> Self {
        Self {
            dtype: entry.dtype.name().to_owned(),
            shape: entry.shape.clone(),
            strides: entry.placement.strides.clone(),
            big_endian: entry.placement.big_endian,
            negated: entry.placement.negated,
        }
    }
}

impl PackingMessage {
    const fn of(packing: Packing) -> Option<Self> {
        match packing {
            Packing::Plain => None,
            Packing::Deflated {
                packed_bytes,
                bytes,
            } => Some(Self::Deflated(packed_bytes, bytes)),
            Packing::Text {
                packed_bytes,
                bytes,
            } => Some(Self::Text(packed_bytes, bytes)),
        }
    }

    const fn read(self) -> Packing {
        match self {
            Self::Deflated(packed_bytes, bytes) => Packing::Deflated {
                packed_bytes,
                bytes,
            },
            Self::Text(packed_bytes, bytes) => Packing::Text {
                packed_bytes,
                bytes,
            },
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
