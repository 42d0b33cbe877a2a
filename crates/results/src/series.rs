//! What a number is of, and the numbers of one such thing over the steps.

use std::collections::BTreeMap;
use std::sync::Arc;

use ckptscope_vocabulary::{DataKind, Split};
use serde::{Deserialize, Serialize};

use crate::{Status, Value};

/// A text that many series share.
pub type Text = Arc<str>;

/// Which metric entry of a config.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EntryId {
    /// The entry's label.
    pub label: Text,
    /// The data that gradients and activations were made with.
    pub split: Split,
}

/// What a number is of, but for the step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SeriesId {
    /// The run, where several are compared; else none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Text>,
    /// The metric entry.
    pub entry: EntryId,
    /// A tensor's name within its layer or, outside of layers, its whole name; or the name of a
    /// component of several tensors.
    pub component: Text,
    /// What the tensors are of.
    pub kind: DataKind,
    /// The names before the layer's number, with the dot: `model.layers.`. Empty outside of layers.
    pub stack: Text,
    /// The layer, within its stack; none of tensors outside of layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<u64>,
    /// The expert; none of what all tokens go through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expert: Option<u64>,
    /// The head; none for the layer's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<u64>,
    /// Which of the metric's numbers, where it gives several (`top_k_mean`); else empty.
    #[serde(default = "no_text", skip_serializing_if = "is_empty")]
    pub output: Text,
}

/// The numbers of one series, by ascending step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// What they are of.
    pub id: SeriesId,
    steps: Vec<u64>,
    values: Vec<Option<Value>>,
    /// By step.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    statuses: BTreeMap<u64, Status>,
}

/// One point of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeriesPoint<'a> {
    /// The step.
    pub step: u64,
    /// The value; none where it is undefined.
    pub value: Option<&'a Value>,
    /// Why there is none, or what to know of it.
    pub status: Option<&'a Status>,
}

impl EntryId {
    /// With a label and a split.
    #[must_use]
    pub fn new(label: &str, split: Split) -> Self {
        Self {
            label: label.into(),
            split,
        }
    }

    /// What files of the entry are named after: `cka_val`.
    #[must_use]
    pub fn stem(&self) -> String {
        format!("{}_{}", self.label, self.split)
    }
}

impl SeriesId {
    /// The key in per-step files, as the reference tool writes it:
    /// `model.layers.3.attention.o_proj.weights`, `model.layers.3.ov_circuit.weights.heads.1`,
    /// `model.layers.3.down.weights.experts.5`;
    /// outside of layers `model.embed_tokens.weights`.
    /// With the entry, the run and the step it names one number, without nulls.
    #[must_use]
    pub fn key(&self) -> String {
        use std::fmt::Write;
        let Self {
            stack,
            layer,
            component,
            kind,
            ..
        } = self;
        let layer = layer.map(|layer| format!("{stack}{layer}."));
        let mut key = format!("{}{component}.{kind}", layer.unwrap_or_default());
        // Writing to a text cannot fail.
        if let Some(expert) = self.expert {
            let _ = write!(key, ".experts.{expert}");
        }
        if let Some(head) = self.head {
            let _ = write!(key, ".heads.{head}");
        }
        if !self.output.is_empty() {
            let _ = write!(key, ".{}", self.output);
        }
        key
    }
}

impl Series {
    /// Without numbers.
    #[must_use]
    pub fn new(id: SeriesId) -> Self {
        Self {
            id,
            ..Self::default()
        }
    }

    /// Of columns that belong together.
    ///
    /// None where there are not as many steps as values, or where steps do not ascend.
    pub(crate) fn of_columns(
        id: SeriesId,
        steps: Vec<u64>,
        values: Vec<Option<Value>>,
        statuses: BTreeMap<u64, Status>,
    ) -> Option<Self> {
        let ascends = steps.windows(2).all(|pair| pair[0] < pair[1]);
        (ascends && steps.len() == values.len()).then_some(Self {
            id,
            steps,
            values,
            statuses,
        })
    }

    /// Notes the value at a step, in place of one that may be there.
    pub fn insert(&mut self, step: u64, value: Option<Value>, status: Option<Status>) {
        match self.place_of(step) {
            Ok(place) => self.values[place] = value,
            Err(place) => {
                self.steps.insert(place, step);
                self.values.insert(place, value);
            }
        }
        match status {
            Some(status) => self.statuses.insert(step, status),
            None => self.statuses.remove(&step),
        };
    }

    /// The steps, ascending.
    #[must_use]
    pub fn steps(&self) -> &[u64] {
        &self.steps
    }

    /// How many points there are, undefined ones counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there is no point.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// All points, by ascending step.
    pub fn points(&self) -> impl DoubleEndedIterator<Item = SeriesPoint<'_>> + Clone {
        let values = self.steps.iter().zip(&self.values);
        values.map(|(step, value)| SeriesPoint {
            step: *step,
            value: value.as_ref(),
            status: self.statuses.get(step),
        })
    }

    /// The point at a step.
    #[must_use]
    pub fn point(&self, step: u64) -> Option<SeriesPoint<'_>> {
        let place = self.place_of(step).ok()?;
        Some(SeriesPoint {
            step,
            value: self.values.get(place)?.as_ref(),
            status: self.statuses.get(&step),
        })
    }

    /// The number at a step: none where there is no point, no value, or a vector.
    #[must_use]
    pub fn number(&self, step: u64) -> Option<f64> {
        self.point(step)?.number()
    }

    /// (step, number), also where there is no number.
    pub fn numbers(&self) -> impl DoubleEndedIterator<Item = (u64, Option<f64>)> + Clone {
        self.points().map(|point| (point.step, point.number()))
    }

    /// (step, number) where there is a number.
    pub fn defined(&self) -> impl DoubleEndedIterator<Item = (u64, f64)> + Clone {
        self.numbers()
            .filter_map(|(step, number)| Some((step, number?)))
    }

    /// What there is to know of some values, or why they do not exist, by step.
    #[must_use]
    pub const fn statuses(&self) -> &BTreeMap<u64, Status> {
        &self.statuses
    }

    fn place_of(&self, step: u64) -> Result<usize, usize> {
        // Steps mostly come in order.
        match self.steps.last() {
            Some(last) if *last < step => Err(self.steps.len()),
            _ => self.steps.binary_search(&step),
        }
    }
}

impl SeriesPoint<'_> {
    /// The number, where the value is one.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        self.value?.number()
    }
}

fn no_text() -> Text {
    Text::default()
}

fn is_empty(text: &Text) -> bool {
    text.is_empty()
}
