//! Which files of which commits are which steps, as paths of a run on disk.
//!
//! The paths are those of a pico-train run on disk, each backed by a commit and a path. So
//! `Run::find`, the plan and the engine see no difference. A pico branch rewrites one path step
//! after step. A file that is the same object as in the saving commit before belongs to an earlier
//! step: it is told of and passed over.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::client::{Commit, FileOfCommit, Reference};
use super::saving::{Saved, saved};
use super::tree::HubFile;
use crate::run::{is_auxiliary, is_checkpoint, recorded_as};

/// Where pico-train keeps what it records.
const RECORDED: &str = "learning_dynamics/";

/// The files that say a model's dimensions, at a repository's root.
pub(super) const CONFIGS: &[&str] = &["training_config.yaml", "config.json"];

/// At most so many steps are listed in a message.
const STEPS_IN_MESSAGE: usize = 12;

/// The files of commits, by the commits' ids.
pub(super) type Trees = BTreeMap<String, Vec<FileOfCommit>>;

/// Files by their paths in the run.
pub(super) type Places = BTreeMap<String, HubFile>;

/// A commit that saved something of a step for the first time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Saving {
    pub(super) saved: Saved,
    pub(super) step: u64,
    pub(super) commit: String,
    /// The commit that saved something before it.
    pub(super) before: Option<String>,
}

/// The commits that save steps, oldest first, and the steps that were saved again later. Of
/// several commits of one step the oldest counts, as it does for the reference tool.
pub(super) fn savings(newest_first: &[Commit]) -> (Vec<Saving>, BTreeSet<u64>) {
    let (mut savings, mut again) = (Vec::<Saving>::new(), BTreeSet::new());
    let mut before = None;
    for commit in newest_first.iter().rev() {
        let Some((saved, step)) = saved(&commit.title) else {
            continue;
        };
        let is_same = |saving: &Saving| saving.saved == saved && saving.step == step;
        if savings.iter().any(is_same) {
            again.insert(step);
        } else {
            savings.push(Saving {
                saved,
                step,
                commit: commit.id.clone(),
                before,
            });
        }
        before = Some(commit.id.clone());
    }
    (savings, again)
}

/// The files that commits saved. The branch keeps each kind of data under one path, so what a
/// commit did not save is still there from an earlier step: the same object as in the commit
/// before. Such files are told of and passed over.
pub(super) fn of_savings(savings: &[&Saving], trees: &Trees, warnings: &mut Vec<String>) -> Places {
    let mut places = Places::new();
    let mut stale: Vec<(&str, BTreeSet<u64>)> = Vec::new();
    for saving in savings {
        let before = saving.before.as_ref().and_then(|commit| trees.get(commit));
        let before = before.map(Vec::as_slice).unwrap_or_default();
        let files = trees.get(&saving.commit).into_iter().flatten();
        for file in files.filter(|file| saving.saved.includes(&file.path)) {
            if before.iter().any(|earlier| earlier.is_same_as(file)) {
                match stale.iter_mut().find(|(path, _)| *path == file.path) {
                    Some((_, steps)) => drop(steps.insert(saving.step)),
                    None => stale.push((&file.path, BTreeSet::from([saving.step]))),
                }
                continue;
            }
            let path = format!("checkpoints/step_{}/{}", saving.step, file.path);
            places.insert(path, HubFile::of(&saving.commit, file));
        }
    }
    for (path, steps) in stale {
        warnings.push(format!(
            "{path} was not saved at {}: the branch has an earlier step's file there, which is passed over",
            in_words(&steps)
        ));
    }
    places
}

impl Saved {
    fn includes(self, path: &str) -> bool {
        match (self, path.strip_prefix(RECORDED)) {
            (Self::Recorded(split), Some(file)) => {
                recorded_as(file).is_some_and(|(of, _)| of == split)
            }
            (Self::Model, None) => {
                let is_weights = is_checkpoint(path) && !is_auxiliary(path);
                !path.contains('/') && (is_weights || path.ends_with(".index.json"))
            }
            _ => false,
        }
    }
}

/// The files of revisions that are steps.
pub(super) fn of_revisions(revisions: &[&(u64, Reference)], trees: &Trees) -> Places {
    let mut places = Places::new();
    for (step, revision) in revisions {
        let files = trees.get(&revision.target_commit).into_iter().flatten();
        for file in files {
            let path = format!("step_{step}/{}", file.path);
            places.insert(path, HubFile::of(&revision.target_commit, file));
        }
    }
    places
}

/// The files of one commit, as they are.
pub(super) fn of_commit(commit: &str, trees: &Trees) -> Places {
    let mut places = Places::new();
    for file in trees.get(commit).into_iter().flatten() {
        places.insert(file.path.clone(), HubFile::of(commit, file));
    }
    places
}

/// The config files at a commit's root.
pub(super) fn configs(commit: &str, trees: &Trees) -> Places {
    let mut places = of_commit(commit, trees);
    places.retain(|path, _| CONFIGS.contains(&path.as_str()));
    places
}

/// `step 5`, `steps 5, 10 and 3 more`.
pub(super) fn in_words(steps: &BTreeSet<u64>) -> String {
    let word = if steps.len() == 1 { "step" } else { "steps" };
    let shown: Vec<String> = steps
        .iter()
        .take(STEPS_IN_MESSAGE)
        .map(u64::to_string)
        .collect();
    let shown = shown.join(", ");
    match steps.len().saturating_sub(STEPS_IN_MESSAGE) {
        0 => format!("{word} {shown}"),
        more => format!("{word} {shown} and {more} more"),
    }
}
