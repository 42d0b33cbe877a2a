//! `worker shard`: computes one shard, and writes nothing but its journal.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Result, anyhow};
use ckptscope_analysis::{Lane, Plan};
use ckptscope_checkpoint::http::client::REQUESTS_AT_ONCE;
use ckptscope_protocol::Progress;
use ckptscope_protocol::service::FinishedUnit;
use ckptscope_results::{Number, Numbers};
use serde::Deserialize;

use super::attempt::{Attempt, End, Ended, Told, attempts, journals};
use super::folder::Folder;
use super::index;
use super::shard_file::{self, Shard};
use crate::analysis::{counted, units};
use crate::arguments::ShardArguments;
use crate::executor::Executor;
use crate::identity::Unit;
use crate::progress::{Terminal, Watcher};
use crate::{Outcome, PUT_OFF, console, hardware, lanes, signals};

/// What is asked of a finished layer-step of an earlier attempt: its numbers are the merge's.
#[derive(Deserialize)]
pub(super) struct UnitOutline {
    /// What its numbers are made of.
    pub(super) made_of: String,
    /// Which layer and step.
    pub(super) progress: Progress,
}

/// Runs the command.
pub(crate) fn run(arguments: &ShardArguments) -> Result<Outcome> {
    let began = Instant::now();
    let executor = Executor::start(stop_on_signal()?)?;
    let folder = Folder::at(&arguments.folder)?;
    let index = index::of(arguments.index, arguments.among.as_ref())?;
    let shard = shard_file::read(&folder, index)?;
    let journals = journals(&folder)?;
    let earlier = attempts(&journals, index, &shard.head.config)?;
    let done = done(&shard, &earlier);
    let all = shard.made_of.len();
    let left = remaining(&shard, &done);
    if left.is_empty() {
        let steps = counted(all as u64, "layer-step");
        console::say(&format!("shard {index}: done already, {steps}"));
        return Ok(Outcome::Done);
    }
    let config = shard.head.config.clone();
    let mut attempt = Attempt::begin(&folder, &journals, index, &config)?;
    let number = attempt.number;
    console::say(&format!(
        "shard {index}, attempt {number}: {} of {} done",
        done.len(),
        counted(all as u64, "layer-step")
    ));
    let computed = compute(shard, &left, &folder, arguments, &mut attempt, &executor);
    let ended = Ended {
        how: match &computed {
            Ok(()) if executor.is_stopped() => End::Stopped,
            Ok(()) => End::Done,
            Err(_) => End::Failed,
        },
        message: match &computed {
            Ok(()) => String::new(),
            Err(error) => format!("{error:#}"),
        },
        seconds: began.elapsed().as_secs_f64(),
        peak_bytes: hardware::peak_bytes(),
    };
    let how = ended.how;
    // Why it failed goes before that this could not be written down.
    let told = attempt.end(ended);
    computed?;
    told?;
    Ok(match how {
        End::Stopped => Outcome::PutOff,
        End::Done | End::Failed => {
            console::say(&format!("shard {index}: done"));
            Outcome::Done
        }
    })
}

/// The layer-steps that earlier attempts finished, of the files as they were planned.
fn done(shard: &Shard, earlier: &[Told<UnitOutline>]) -> BTreeSet<Unit> {
    let units = earlier.iter().flat_map(|told| &told.units);
    let holds = |outline: &&UnitOutline| {
        let unit = (outline.progress.layer, outline.progress.step);
        shard.made_of.get(&unit) == Some(&outline.made_of)
    };
    let units = units.filter(holds);
    units
        .map(|outline| (outline.progress.layer, outline.progress.step))
        .collect()
}

/// The lanes without what is done.
fn remaining(shard: &Shard, done: &BTreeSet<Unit>) -> Vec<Lane> {
    let mut lanes = shard.lanes.clone();
    for lane in &mut lanes {
        let layer = lane.layer;
        lane.forget(|step| done.contains(&(layer, step)));
    }
    lanes.retain(|lane| lane.steps.iter().any(|step| step.recorded));
    lanes
}

/// Computes the lanes and journals them; ends early where somebody asks for it.
fn compute(
    shard: Shard,
    left: &[Lane],
    folder: &Folder,
    arguments: &ShardArguments,
    attempt: &mut Attempt,
    executor: &Executor,
) -> Result<()> {
    let Shard { head, made_of, .. } = shard;
    let threads = arguments.threads.map_or(head.threads, Into::into);
    let is_far = head.source.is_far(folder);
    let reading = if is_far {
        threads.max(REQUESTS_AT_ONCE)
    } else {
        threads
    };
    let tree = head.source.open(folder, left, executor)?;
    let lanes = Plan::split_lanes(left, threads);
    let mut terminal = Terminal::new(false);
    let done = made_of.len() as u64 - units(&lanes);
    terminal.start(made_of.len() as u64, done);
    let finished = |progress: Progress, numbers: Vec<Number>| {
        let unit = (progress.layer, progress.step);
        attempt.add(&FinishedUnit {
            made_of: made_of.get(&unit).cloned().unwrap_or_default(),
            progress,
            numbers: Numbers(numbers),
        })?;
        terminal.advance();
        Ok(())
    };
    let computed = lanes::run_units(&lanes, &*tree, reading, executor, finished);
    terminal.finish();
    let shown = folder.path().display();
    computed.map(drop).map_err(|error| match is_far {
        true => anyhow!(
            "{error:#}; where machines like this have no network, `worker submit --again {shown} \
             --fetch` brings what shards read, on one that has"
        ),
        false => error,
    })
}

/// The first request to end asks the lanes to stop; the second ends the program at once. A journal
/// may end in half a line then, which nobody reads.
fn stop_on_signal() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    signals::on_end(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(PUT_OFF));
        }
        console::say("stopping: what is done is kept, and the next attempt goes on with it");
    })?;
    Ok(stop)
}
