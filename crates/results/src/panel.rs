//! Which series share an axis, and what one of them is called there.

use std::fmt;
use std::str::FromStr;

use ckptscope_vocabulary::DataKind;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Entry, EntryId, SeriesId, Text};

/// Between a component and the run it is of.
pub const SEPARATOR: &str = " · ";

/// Stands for the layer's number behind a stack, as in configs.
const NUMBER: &str = "*";

/// Before an expert's number.
const EXPERT: &str = "e";

/// Between an expert's number and that of a head.
const OF_EXPERT: &str = ".";

/// What all series that share an axis have in common: one number of one metric entry, of one kind
/// of data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PanelId {
    /// The metric entry.
    pub entry: EntryId,
    /// Which of the metric's numbers, where it gives several; else empty.
    pub output: Text,
    /// What the tensors are of.
    pub kind: DataKind,
}

/// What one series of a panel is of. The same in all panels: colours and pins go by it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject {
    /// A tensor's name within its layer, or the component's name.
    pub component: Text,
    /// The stack of layers, where results are of several.
    pub stack: Option<Text>,
    /// The run, where several are compared.
    pub run: Option<Text>,
    /// The expert; none of what all tokens go through.
    pub expert: Option<u64>,
    /// The layer; none where a line runs over layers, and outside of layers.
    pub layer: Option<u64>,
    /// The head; none for the layer's own.
    pub head: Option<u64>,
}

impl SeriesId {
    /// The panel that shows it.
    #[must_use]
    pub fn panel(&self) -> PanelId {
        PanelId {
            entry: self.entry.clone(),
            output: self.output.clone(),
            kind: self.kind,
        }
    }

    /// What it is of within its panel, as [`Results::names_stacks`](crate::Results::names_stacks)
    /// says.
    #[must_use]
    pub fn subject(&self, names_stacks: bool) -> Subject {
        Subject {
            component: self.component.clone(),
            stack: names_stacks.then(|| self.stack.clone()),
            run: self.run.clone(),
            expert: self.expert,
            layer: self.layer,
            head: self.head,
        }
    }
}

impl PanelId {
    /// Whether a series belongs to it.
    #[must_use]
    pub fn has(&self, id: &SeriesId) -> bool {
        self.kind == id.kind && self.output == id.output && self.entry == id.entry
    }

    /// Whether it is of a metric entry.
    #[must_use]
    pub fn is_of(&self, entry: &Entry) -> bool {
        entry.is(&self.entry)
    }
}

impl Subject {
    /// Component, expert and run, in full: `attention.o_proj · seed 1`, `down expert 3`, or with the
    /// stack in front as configs write it, `encoder.layers.*.attention.o_proj`.
    #[must_use]
    pub fn part(&self) -> String {
        let component = self.with_stack() + &self.expert_in_words();
        with_run(&component, self.run.as_deref())
    }

    fn with_stack(&self) -> String {
        match &self.stack {
            Some(stack) => format!("{stack}{NUMBER}.{}", self.component),
            None => self.component.to_string(),
        }
    }

    /// ` expert 3`, or nothing.
    pub(crate) fn expert_in_words(&self) -> String {
        let expert = self.expert.map(|expert| format!(" expert {expert}"));
        expert.unwrap_or_default()
    }
}

/// `layer 3`, or `outside of layers`.
#[must_use]
pub fn layer_in_words(layer: Option<u64>) -> String {
    layer.map_or_else(
        || "outside of layers".to_owned(),
        |layer| format!("layer {layer}"),
    )
}

pub(crate) fn with_run(component: &str, run: Option<&str>) -> String {
    match run {
        Some(run) => format!("{component}{SEPARATOR}{run}"),
        None => component.to_owned(),
    }
}

/// `0::attention.v_proj`, `0:3:ov_circuit`, `0:e5:down`, `::ov_circuit · seed 1`: layer, head or
/// expert, component, run.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |number: Option<u64>| number.map(|n| n.to_string()).unwrap_or_default();
        let (layer, head) = (number(self.layer), number(self.head));
        let expert = self.expert.map(|expert| format!("{EXPERT}{expert}"));
        let between = if self.expert.is_some() && self.head.is_some() {
            OF_EXPERT
        } else {
            ""
        };
        let expert = expert.unwrap_or_default();
        let part = with_run(&self.with_stack(), self.run.as_deref());
        write!(f, "{layer}:{expert}{between}{head}:{part}")
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
        let (layer, within) = (number(next()?)?, next()?);
        let (expert, head) = match within.strip_prefix(EXPERT) {
            None => ("", within),
            Some(expert) => expert.split_once(OF_EXPERT).unwrap_or((expert, "")),
        };
        if within == EXPERT {
            return Err(wrong());
        }
        let (expert, head) = (number(expert)?, number(head)?);
        let part = next()?;
        let (component, run) = match part.split_once(SEPARATOR) {
            Some((component, run)) => (component, Some(run.into())),
            None => (part, None),
        };
        let (stack, component) = match component.split_once("*.") {
            Some((stack, component)) if stack.is_empty() || stack.ends_with('.') => {
                (Some(stack.into()), component)
            }
            _ => (None, component),
        };
        Ok(Self {
            component: component.into(),
            stack,
            run,
            expert,
            layer,
            head,
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

#[cfg(test)]
mod tests {
    use super::Subject;

    #[test]
    fn a_subject_is_read_as_it_is_written() {
        for text in [
            "0::attention.v_proj",
            "1:3:ov_circuit · seed 1",
            "::a:b",
            ":2:",
            "0::encoder.layers.*.attn.v · seed 1",
            "0:1:*.ov_circuit",
            "0:e5:down",
            "0:e5.2:down · seed 1",
        ] {
            assert_eq!(text.parse::<Subject>().unwrap().to_string(), text);
        }
        for text in ["", "0", "0:1", "x::a", "0:-1:a", "0:e:a", "0:e1.x:a"] {
            assert!(text.parse::<Subject>().is_err(), "{text}");
        }
    }
}
