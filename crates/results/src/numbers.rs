//! Numbers on their way: from the engine to whoever listens, in messages and in journals.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{SeriesId, Status, Value};

/// One number, or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    /// What it is of.
    pub id: SeriesId,
    /// The step.
    pub step: u64,
    /// The value; none where it is undefined.
    pub value: Option<Value>,
    /// Why there is none, or what to know of it.
    pub status: Option<Status>,
}

/// Numbers in the order in which they were found. Written, what the heads of a layer have in
/// common is said once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numbers(pub Vec<Number>);

/// Numbers that differ in their heads only.
#[derive(Serialize, Deserialize)]
struct OfHeads {
    /// What they are of, but for the head.
    id: SeriesId,
    step: u64,
    /// One for each value; none for the layer's own.
    heads: Vec<Option<u64>>,
    values: Vec<Option<Value>>,
    /// By place among the values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    statuses: BTreeMap<usize, Status>,
}

impl OfHeads {
    fn of(number: &Number) -> Self {
        Self {
            id: SeriesId {
                head: None,
                ..number.id.clone()
            },
            step: number.step,
            heads: Vec::new(),
            values: Vec::new(),
            statuses: BTreeMap::new(),
        }
    }

    fn add(&mut self, number: &Number) {
        if let Some(status) = &number.status {
            self.statuses.insert(self.values.len(), status.clone());
        }
        self.heads.push(number.id.head);
        self.values.push(number.value.clone());
    }

    fn is_of(&self, number: &Number) -> bool {
        let (one, other) = (&self.id, &number.id);
        self.step == number.step
            && one.layer == other.layer
            && one.kind == other.kind
            && one.entry == other.entry
            && one.component == other.component
            && one.output == other.output
            && one.stack == other.stack
            && one.expert == other.expert
            && one.run == other.run
    }

    fn numbers(mut self) -> impl Iterator<Item = Number> {
        let heads = self.heads.into_iter().zip(self.values);
        heads.enumerate().map(move |(place, (head, value))| Number {
            id: SeriesId {
                head,
                ..self.id.clone()
            },
            step: self.step,
            value,
            status: self.statuses.remove(&place),
        })
    }
}

impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut groups: Vec<OfHeads> = Vec::new();
        for number in &self.0 {
            // Of one layer and step there are a few groups, and their numbers take turns.
            let group = match groups.iter().position(|group| group.is_of(number)) {
                Some(place) => place,
                None => {
                    groups.push(OfHeads::of(number));
                    groups.len() - 1
                }
            };
            groups[group].add(number);
        }
        serializer.collect_seq(groups)
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let groups = Vec::<OfHeads>::deserialize(deserializer)?;
        Ok(Self(
            groups.into_iter().flat_map(OfHeads::numbers).collect(),
        ))
    }
}
