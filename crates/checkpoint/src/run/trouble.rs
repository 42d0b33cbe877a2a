//! Why a step's weights cannot be read, and why a file is passed over.

use std::collections::BTreeMap;
use std::fmt;

use super::spread::SpreadCheckpoint;
use crate::foreign::Foreign;

/// A step whose weights cannot be read, as the names of its files say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenStep {
    /// The step.
    pub number: u64,
    /// Its folder, or what its files have in common; empty for the root.
    pub path: String,
    /// Why.
    pub trouble: StepTrouble,
}

/// Why a step's weights cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StepTrouble {
    /// A branch or tag is named by the step, and there is nothing in it.
    #[error("{revision} has no files")]
    NoFiles {
        /// The branch or tag.
        revision: String,
    },
    /// There are files, but none with weights.
    #[error("it has no weights; there are only {found}")]
    NoWeights {
        /// Names of the files.
        found: String,
    },
    /// There are only files of another kind, which is known.
    #[error("it has no weights that can be read; {file} is {what}")]
    Foreign {
        /// One of them.
        file: String,
        /// What it is.
        what: Foreign,
    },
    /// Several files may be the weights.
    #[error(
        "it has several checkpoint files and none is called as a model is ({files}); keep one of \
         them there, or call it `model`; if they are steps, call them `step_N`, as dates and sizes \
         are no steps"
    )]
    SeveralFiles {
        /// Their names.
        files: String,
    },
    /// Several folders may hold the weights.
    #[error(
        "it has weights in several folders ({folders}); give one of these folders, or keep only one"
    )]
    SeveralFolders {
        /// Their names.
        folders: String,
    },
    /// The shards of several saves.
    #[error("it has the shards of several saves ({sets}); remove those of all but one")]
    SeveralSets {
        /// The sets.
        sets: String,
    },
    /// A set of shards that lacks some, without an index.
    #[error("shards are missing: {set}; copy or download those that lack")]
    MissingShards {
        /// The set, and how many there are.
        set: String,
    },
    /// One file of a distributed checkpoint was given by itself.
    #[error(
        "it is one file of a PyTorch distributed checkpoint, whose parts lie in several; give the \
         folder that has them and `.metadata`"
    )]
    GiveFolder,
    /// A trainer's own format, or parts of several processes.
    #[error(transparent)]
    Spread(#[from] SpreadCheckpoint),
}

/// A file or folder that was passed over.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PassedOver {
    /// Why.
    pub reason: Reason,
    /// Its path in the tree.
    pub path: String,
}

/// Why a file or folder was passed over.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// Its name says that its writer has not finished.
    HalfWritten,
    /// A checkpoint file without a step, beside steps.
    NoStep,
    /// Its step has another file or folder, which is used.
    SameStep,
    /// It is called otherwise than the run's steps, or than their weights.
    OtherName,
    /// A folder with a run of its own, below the one that is used.
    OtherRun,
    /// A link that leads to nothing.
    BrokenLink,
    /// A link that leads out of the folders that may be read.
    LinkOutside,
    /// It may not be read.
    NotPermitted,
    /// It lies deeper than folders are looked into.
    TooDeep,
    /// Its name is no Unicode.
    NoUnicode,
    /// A folder that is looked into by another path.
    SameFolder,
    /// It is no file that lies on a disk: a pipe, a socket or a device.
    NoFile,
    /// A folder without files.
    NoFiles,
    /// A folder called as files of checkpoints are, without weights.
    Folder,
    /// Its name says a step, but other steps are folders.
    OtherLayout,
    /// Its name says a step, but it is of a kind that is not read.
    OtherKind,
}

impl Reason {
    /// Why a file or folder is passed over that is not called as a run's steps are.
    pub(super) const fn of_other(has_step: bool) -> Self {
        match has_step {
            true => Self::SameStep,
            false => Self::OtherName,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HalfWritten => {
                "half written, as their names say, or what a downloader keeps beside them"
            }
            Self::NoStep => "these files belong to no step",
            Self::SameStep => "their steps have other files, which are used",
            Self::OtherName => {
                "they are not called as those of the other steps, so they may be of another model; \
                 give them by themselves"
            }
            Self::OtherRun => "folders with runs of their own; give them by themselves",
            Self::BrokenLink => "links that lead to nothing",
            Self::LinkOutside => "links that lead out of the folders that may be read",
            Self::NotPermitted => "they may not be read here",
            Self::TooDeep => "they lie too deep",
            Self::NoUnicode => "their names are no Unicode",
            Self::SameFolder => "links to folders that are here by another name",
            Self::NoFile => "pipes, sockets and devices are no files",
            Self::NoFiles => "folders without files, or with hidden ones alone",
            Self::Folder => "folders that are called as files are, without weights",
            Self::OtherLayout => {
                "steps that are files beside steps that are folders; give them by themselves"
            }
            Self::OtherKind => "called as steps are, but no checkpoints of a kind that is read",
        })
    }
}

/// A line for each reason, which names some of the paths.
pub(super) fn in_words(passed_over: &[PassedOver]) -> Vec<String> {
    let mut by_reason: BTreeMap<&Reason, Vec<&str>> = BTreeMap::new();
    for PassedOver { reason, path } in passed_over {
        by_reason.entry(reason).or_default().push(path);
    }
    let line = |(reason, paths): (&Reason, Vec<&str>)| {
        format!("passed over ({reason}): {}", listed(paths))
    };
    by_reason.into_iter().map(line).collect()
}

/// A line for each trouble, which names some of the steps that have it.
pub(crate) fn troubles_in_words(broken: &[BrokenStep]) -> Vec<String> {
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    for step in broken {
        let trouble = step.trouble.to_string();
        let number = step.number.to_string();
        match lines.iter_mut().find(|(known, _)| *known == trouble) {
            Some((_, steps)) => steps.push(number),
            None => lines.push((trouble, vec![number])),
        }
    }
    let line = |(trouble, steps): (String, Vec<String>)| {
        let word = if steps.len() == 1 { "step" } else { "steps" };
        let steps = listed(steps.iter().map(String::as_str));
        format!("{word} {steps} cannot be read: {trouble}")
    };
    lines.into_iter().map(line).collect()
}

/// At most so many names are listed in a message.
const NAMES_IN_MESSAGE: usize = 6;

/// Names, as messages list them.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names = names.into_iter();
    let names: Vec<&str> = names
        .map(|name| if name.is_empty() { "." } else { name })
        .collect();
    let shown = names
        .get(..names.len().min(NAMES_IN_MESSAGE))
        .unwrap_or_default()
        .join(", ");
    match names.len().saturating_sub(NAMES_IN_MESSAGE) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
