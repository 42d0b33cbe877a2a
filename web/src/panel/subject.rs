//! What a line is of.

use std::fmt;
use std::str::FromStr;

use ckptscope_report::curve::short;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A component of one layer, or one head of it. The same in all charts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject {
    /// A suffix, or the component's name.
    pub component: String,
    /// The layer; none where a line runs over layers.
    pub layer: Option<u64>,
    /// The head; none for the layer's own.
    pub head: Option<u64>,
}

impl Subject {
    /// `layer 0 · v_proj`, `layer 0 · head 1 · ov_circuit`: what differs most stands first, where
    /// there is little room.
    #[must_use]
    pub fn name(&self) -> String {
        let layer = self.layer.map(|layer| format!("layer {layer}"));
        let head = self.head.map(|head| format!("head {head}"));
        let component = Some(short(&self.component).to_owned());
        let parts: Vec<String> = [layer, head, component].into_iter().flatten().collect();
        parts.join(" · ")
    }

    /// Whether it is of one run of several, and its name says which.
    #[must_use]
    pub fn names_run(&self) -> bool {
        self.component.contains(" · ")
    }
}

/// `0::attention.v_proj`, `0:3:ov_circuit`, `::ov_circuit`: layer, head, component.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |number: Option<u64>| number.map(|n| n.to_string()).unwrap_or_default();
        let (layer, head) = (number(self.layer), number(self.head));
        write!(f, "{layer}:{head}:{}", self.component)
    }
}

/// Text that names no subject.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} names no series: LAYER:HEAD:COMPONENT was expected")]
pub struct SubjectError {
    text: String,
}

impl FromStr for Subject {
    type Err = SubjectError;

    fn from_str(text: &str) -> Result<Self, SubjectError> {
        let wrong = || SubjectError {
            text: text.to_owned(),
        };
        let number = |part: &str| match part {
            "" => Ok(None),
            digits => digits.parse().map(Some).map_err(|_| wrong()),
        };
        let mut parts = text.splitn(3, ':');
        let mut next = || parts.next().ok_or_else(wrong);
        Ok(Self {
            layer: number(next()?)?,
            head: number(next()?)?,
            component: next()?.to_owned(),
        })
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
