//! What an audit can find, in words.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// At most so many names are listed in a message.
const NAMES_IN_MESSAGE: usize = 6;

/// Something odd about the checkpoints of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum Finding {
    /// Steps whose weights are the same, byte for byte.
    SameWeights {
        /// The steps, ascending; two or more.
        steps: Vec<u64>,
        /// Whether the last of them is the run's last step.
        with_last: bool,
    },
    /// Steps that have some files of weights in common, and others not.
    SameFiles {
        /// The steps, ascending; two or more.
        steps: Vec<u64>,
        /// The files, by their paths in the first of the steps.
        files: Vec<String>,
    },
    /// The default branch has the weights of a step that is not the last.
    EarlierOnMain {
        /// The step.
        step: u64,
        /// The run's last step.
        last: u64,
    },
    /// Steps at a regular distance, of which some are not there.
    MissingSteps {
        /// Those that are not there, ascending.
        steps: Vec<u64>,
        /// The distance.
        distance: u64,
    },
    /// A step that cannot be read.
    Unusable {
        /// The step.
        step: u64,
        /// Its branch or tag.
        revision: Option<String>,
        /// Why.
        reason: String,
    },
    /// A file whose directory cannot be read.
    UnreadableFile {
        /// The step.
        step: u64,
        /// Why; the reason names the file.
        reason: String,
    },
    /// Tensors that cannot be read, though their file can.
    UnreadableTensors {
        /// The steps, ascending.
        steps: Vec<u64>,
        /// Names.
        tensors: Vec<String>,
        /// Why the first of them cannot.
        reason: String,
    },
    /// Tensors that most steps have and these do not.
    LackingTensors {
        /// The steps, ascending.
        steps: Vec<u64>,
        /// Names.
        tensors: Vec<String>,
        /// How many steps have them.
        others: u64,
    },
    /// Tensors that these steps have and most do not.
    ExtraTensors {
        /// The steps, ascending.
        steps: Vec<u64>,
        /// Names.
        tensors: Vec<String>,
        /// How many steps do not have them.
        others: u64,
    },
    /// Tensors whose element type or shape is not the same at all steps.
    ChangingTensors {
        /// Names.
        tensors: Vec<String>,
        /// What changes.
        property: Property,
        /// When, ascending.
        changes: Vec<Change>,
    },
}

/// What of a tensor may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Property {
    /// Its element type.
    Dtype,
    /// Its shape.
    Shape,
}

/// A change from one step to the next that has the tensor.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Change {
    /// The step before.
    pub after: u64,
    /// The step that is otherwise.
    pub step: u64,
    /// What it was.
    pub from: String,
    /// What it is.
    pub to: String,
}

impl Finding {
    /// The steps that it is about, ascending.
    #[must_use]
    pub fn steps(&self) -> Vec<u64> {
        match self {
            Self::SameWeights { steps, .. }
            | Self::SameFiles { steps, .. }
            | Self::MissingSteps { steps, .. }
            | Self::UnreadableTensors { steps, .. }
            | Self::LackingTensors { steps, .. }
            | Self::ExtraTensors { steps, .. } => steps.clone(),
            Self::EarlierOnMain { step, last } => vec![*step, *last],
            Self::Unusable { step, .. } | Self::UnreadableFile { step, .. } => vec![*step],
            Self::ChangingTensors { changes, .. } => {
                let steps = changes.iter().flat_map(|it| [it.after, it.step]);
                let steps: BTreeSet<u64> = steps.collect();
                steps.into_iter().collect()
            }
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameWeights { steps, with_last } => same_weights(f, steps, *with_last),
            Self::SameFiles { steps, files } => write!(
                f,
                "{} have some files in common and others not: {}",
                of_steps(steps),
                listed(files)
            ),
            Self::EarlierOnMain { step, last } => write!(
                f,
                "the default branch has the weights of step {step}, and not of step {last}, the last"
            ),
            Self::MissingSteps { steps, distance } => write!(
                f,
                "{} not there, though the steps around are {distance} apart",
                are(steps)
            ),
            Self::Unusable {
                step,
                revision,
                reason,
            } => match revision {
                Some(name) => write!(f, "step {step} ({name}) cannot be read: {reason}"),
                None => write!(f, "step {step} cannot be read: {reason}"),
            },
            Self::UnreadableFile { step, reason } => {
                write!(f, "step {step} cannot be read: {reason}")
            }
            Self::UnreadableTensors {
                steps,
                tensors,
                reason,
            } => write!(
                f,
                "{} {} that cannot be read ({reason}): {}",
                have(steps),
                counted(tensors.len()),
                listed(tensors)
            ),
            Self::LackingTensors {
                steps,
                tensors,
                others,
            } => write!(
                f,
                "{} without {}, which {others} others have: {}",
                are(steps),
                counted(tensors.len()),
                listed(tensors)
            ),
            Self::ExtraTensors {
                steps,
                tensors,
                others,
            } => write!(
                f,
                "{} {}, which {others} others do not have: {}",
                have(steps),
                counted(tensors.len()),
                listed(tensors)
            ),
            Self::ChangingTensors {
                tensors,
                property,
                changes,
            } => changing(f, tensors, *property, changes),
        }
    }
}

fn same_weights(f: &mut fmt::Formatter<'_>, steps: &[u64], with_last: bool) -> fmt::Result {
    match steps.split_last().filter(|_| with_last) {
        Some((last, earlier)) => write!(
            f,
            "{} the weights of step {last}, the last one, byte for byte",
            have(earlier)
        ),
        None => write!(f, "{} the same weights, byte for byte", have(steps)),
    }
}

fn changing(
    f: &mut fmt::Formatter<'_>,
    tensors: &[String],
    property: Property,
    changes: &[Change],
) -> fmt::Result {
    let property = match property {
        Property::Dtype => "element type",
        Property::Shape => "shape",
    };
    let change = |it: &Change| {
        let Change {
            after,
            step,
            from,
            to,
        } = it;
        format!("{from} at step {after} and {to} at step {step}")
    };
    let changes: Vec<String> = changes.iter().map(change).collect();
    write!(
        f,
        "the {property} of {} changes, {}: {}",
        counted(tensors.len()),
        listed(&changes),
        listed(tensors)
    )
}

fn counted(tensors: usize) -> String {
    match tensors {
        1 => "one tensor".to_owned(),
        count => format!("{count} tensors"),
    }
}

/// `step 5`, `steps 5, 10 and 3 more`.
fn of_steps(steps: &[u64]) -> String {
    let word = if steps.len() == 1 { "step" } else { "steps" };
    let names: Vec<String> = steps.iter().map(u64::to_string).collect();
    format!("{word} {}", listed(&names))
}

fn are(steps: &[u64]) -> String {
    let verb = if steps.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", of_steps(steps))
}

fn have(steps: &[u64]) -> String {
    let verb = if steps.len() == 1 { "has" } else { "have" };
    format!("{} {verb}", of_steps(steps))
}

fn listed(names: &[String]) -> String {
    let shown = names.get(..names.len().min(NAMES_IN_MESSAGE));
    let shown = shown.unwrap_or_default().join(", ");
    match names.len().saturating_sub(NAMES_IN_MESSAGE) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
