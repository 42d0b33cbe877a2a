//! A metric entry of the config, as results tell of it.

use ckptscope_vocabulary::{DataKind, Split, without_wrappers};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{EntryId, SeriesId};

/// The word of a parameter that leaves it to what is measured.
pub(crate) const AUTO: &str = "auto";

/// One metric entry of the config.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Entry {
    /// Its label; with the split it names its files.
    pub label: String,
    /// The metric.
    pub metric: String,
    /// The metric's name for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// One line on what the metric says.
    pub summary: String,
    /// The data that gradients and activations were made with.
    pub split: Split,
    /// The step compared with, for comparative metrics.
    pub target: Option<u64>,
    /// The metric's parameters.
    pub parameters: Map<String, Value>,
    /// What it measures, in the config's order.
    #[serde(default)]
    pub components: Vec<MeasuredComponent>,
}

/// One component of a metric entry, where it is made of the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MeasuredComponent {
    /// As series name it: a tensor's name within its layer, or the component's own name.
    pub component: String,
    /// What its tensors are of.
    #[serde(rename = "data_type")]
    pub kind: DataKind,
    /// The stack of its layers, as series name it, where the results are of several or the config
    /// names one; else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stack: String,
    /// The layers in which it is made of this, where it is made otherwise in others; else empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<u64>,
    /// What it is made of: its parameters, for each of its parts the tensors that it is, whether
    /// gains of norms are part of it, and what the metric's `auto` came to. None where a file of an
    /// older version lacks this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Map<String, Value>>,
}

impl Entry {
    /// What series of it say.
    #[must_use]
    pub fn id(&self) -> EntryId {
        EntryId::new(&self.label, self.split)
    }

    /// Whether it is that entry.
    #[must_use]
    pub fn is(&self, id: &EntryId) -> bool {
        self.label == *id.label && self.split == id.split
    }
}

impl MeasuredComponent {
    /// Whether the series is of it, whatever the entry.
    #[must_use]
    pub fn has(&self, id: &SeriesId) -> bool {
        let (stack, layer) = (&self.stack, id.layer);
        let is_of_stack =
            stack.is_empty() || without_wrappers(stack) == without_wrappers(&id.stack);
        let is_of_layer =
            self.layers.is_empty() || layer.is_some_and(|layer| self.layers.contains(&layer));
        self.component == *id.component && self.kind == id.kind && is_of_stack && is_of_layer
    }
}
