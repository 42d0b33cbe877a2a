//! `worker submit --again`: only what is missing, with more memory for what ran out of it.

use std::collections::BTreeMap;

use anyhow::Result;

use super::folder::Folder;
use super::index::shards_in_words;
use super::plan_file::PlanFile;
use super::status::{Looking, ShardStatus, State};
use super::submissions::Batch;
use super::{engine, fetch};
use crate::arguments::SubmitArguments;
use crate::progress::bytes;
use crate::{Misuse, Outcome, console};

/// What ran out of memory gets so many times as much.
const MORE_MEMORY: u64 = 2;

/// Submits what is missing in a folder.
pub(super) fn run(folder: &Folder, arguments: &SubmitArguments) -> Result<Outcome> {
    let mut plan = PlanFile::read(folder)?;
    if let Some(time) = &arguments.slurm.time {
        plan.settings.time = Some(time.clone());
    }
    let shards = Looking::at(folder, &plan)?.shards()?;
    let left: Vec<&ShardStatus> = shards.iter().filter(|it| it.state.is_left()).collect();
    let shown = folder.path().display();
    if left.is_empty() {
        let is_done = shards.iter().all(|shard| shard.state == State::Done);
        console::say(&match is_done {
            true => format!("all shards are done: worker merge {shown}"),
            false => format!("what is missing is under way: worker status {shown}"),
        });
        return Ok(Outcome::Done);
    }
    let limit = arguments.memory_limit.or(plan.settings.memory_limit);
    let batches = batches(&plan, &left, limit)?;
    for batch in &batches {
        console::say(&format!(
            "again: {} with {} of memory each",
            shards_in_words(&batch.shards),
            bytes(batch.memory_bytes)
        ));
    }
    if arguments.fetch || fetch::is_begun(folder) {
        let is_missing = |it: &&ShardStatus| it.state != State::Done;
        let missing = shards.iter().filter(is_missing).map(|it| it.index);
        let missing: Vec<usize> = missing.collect();
        if fetch::for_shards(folder, &missing)?.is_none() {
            return Ok(Outcome::Interrupted);
        }
    }
    engine::hand_over(folder, &plan, &batches, arguments.no_submit)?;
    Ok(Outcome::Done)
}

/// Shards that ask for the same memory together: as much as before, or more of what they ran out of.
///
/// # Errors
/// [`Misuse`] where that is more than a machine has.
pub(super) fn batches(
    plan: &PlanFile,
    left: &[&ShardStatus],
    limit: Option<u64>,
) -> Result<Vec<Batch>> {
    let mut by_memory: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    let planned = plan.shards.iter().map(|outline| outline.memory_bytes).max();
    for shard in left {
        let before = shard.submission.as_ref().map(|it| it.memory_bytes);
        let before = before.or(planned).unwrap_or_default();
        let wanted = match shard.state {
            State::OutOfMemory => before.saturating_mul(MORE_MEMORY),
            _ => before,
        };
        if let Some(limit) = limit.filter(|limit| wanted > *limit) {
            return Err(Misuse(format!(
                "shard {} ran out of {} of memory, and a machine has {}: submit anew with fewer \
                 --threads, or say that machines have more with --memory-limit (--memory of \
                 `worker serve`)",
                shard.index,
                bytes(before),
                bytes(limit)
            ))
            .into());
        }
        by_memory.entry(wanted).or_default().push(shard.index);
    }
    let batches = by_memory.into_iter().filter_map(|(memory_bytes, shards)| {
        let batch = Batch::of(plan, shards)?;
        Some(Batch {
            memory_bytes,
            ..batch
        })
    });
    Ok(batches.collect())
}
