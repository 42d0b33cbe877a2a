//! `submissions.jsonl`: which shards were handed to a scheduler, as which job.
//!
//! The script that hands them over adds a line, whoever starts it.

use std::fs;
use std::io::ErrorKind;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::folder::Folder;
use super::index::{Numbers, in_words};
use super::plan_file::PlanFile;
use super::resources;
use crate::arguments::EngineArgument;

/// The file's name in the folder.
pub(super) const FILE_NAME: &str = "submissions.jsonl";

/// What stands for the job's name in a line that a script completes.
pub(super) const JOB: &str = "JOB";

/// Shards that are handed over together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Batch {
    /// Which, ascending.
    pub(super) shards: Vec<usize>,
    /// Memory of each, in bytes.
    pub(super) memory_bytes: u64,
    /// How long each may take, in minutes.
    pub(super) minutes: u64,
}

impl Batch {
    /// Some shards, with as much memory and time as the neediest of them; none of no shards.
    pub(super) fn of(plan: &PlanFile, shards: Vec<usize>) -> Option<Self> {
        let outlines = || shards.iter().filter_map(|shard| plan.shards.get(*shard));
        let seconds = outlines().map(|outline| outline.seconds).max()?;
        let memory_bytes = outlines().map(|outline| outline.memory_bytes).max()?;
        Some(Self {
            memory_bytes,
            minutes: resources::minutes(seconds),
            shards,
        })
    }
}

/// Shards that were handed over together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Submission {
    /// To whom.
    pub(super) engine: EngineArgument,
    /// What the scheduler calls the job.
    pub(super) job: String,
    /// Which, as in `0-7,12`.
    shards: String,
    /// Whether the scheduler counts them by their own numbers, and not by their places here.
    pub(super) by_number: bool,
    /// Memory of each, in bytes.
    pub(super) memory_bytes: u64,
    /// How long each may take, in minutes.
    pub(super) minutes: u64,
}

impl Submission {
    /// Of a batch, before the scheduler has given the job a name.
    pub(super) fn of(batch: &Batch, engine: EngineArgument, by_number: bool) -> Self {
        Self {
            engine,
            job: JOB.to_owned(),
            shards: in_words(&batch.shards),
            by_number,
            memory_bytes: batch.memory_bytes,
            minutes: batch.minutes,
        }
    }

    /// The number by which the scheduler knows a shard; none where it is not among these.
    pub(super) fn task_of(&self, shard: usize) -> Option<usize> {
        let Numbers(shards) = Numbers::parse(&self.shards).ok()?;
        let place = shards.iter().position(|number| *number == shard)?;
        Some(if self.by_number { shard } else { place })
    }
}

/// All submissions, the first one first. A line that nobody can read is passed over.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn read(folder: &Folder) -> Result<Vec<Submission>> {
    let path = folder.file(FILE_NAME);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    Ok(lines.collect())
}
