//! One analysis with Slurm, from its turn to its end.
//!
//! This process plans, submits, follows and merges; Slurm's jobs compute. What their journals tell
//! goes into the analysis' own, so that listeners hear of it as of any other. A server that ends
//! leaves the jobs with Slurm, and the next one follows what was submitted.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use ckptscope_results::SeriesSet;
use tokio::sync::SemaphorePermit;

use super::run::{Listeners, Turn};
use crate::fleet::{Handed, Order, of_network};
use crate::journal::{Journal, Resume};
use crate::locked_file::LockedFile;
use crate::progress::Reporter;
use crate::{Outcome, fleet, output, wandb};

/// How soon journals and queue are looked at again, at first.
const SOONEST: Duration = Duration::from_millis(500);

/// How soon they are at last: disks and queue are everybody's.
const LATEST: Duration = Duration::from_secs(20);

/// Until then, such a part of the time that it has been followed.
const PART: u32 = 10;

/// Conducts it.
pub(super) fn compute(turn: &Turn<'_>, order: &Order) -> Result<Outcome> {
    let mut listeners = Listeners(turn.job);
    let mut reporter = Reporter::new(&mut listeners);
    let Some(mut handed) = handed(turn, order, &mut reporter)? else {
        return Ok(Outcome::Interrupted);
    };
    reporter.say(&handed.in_words());
    let mut request = turn.request()?;
    request.started = handed.planned_at();
    wandb::prepare(&request.config, &turn.own)?;
    output::prepare(&request.folder)?;
    let path = turn.server.data.journal(&turn.id);
    let units = handed.units().clone();
    let of_units = units.len() as u64;
    let file = LockedFile::take(&path)?;
    let mut journal = Journal::open(file, handed.work(), units, Resume::OrStartOver)?;
    // The merge reads numbers where the jobs wrote them.
    journal.series = SeriesSet::default();
    turn.tell_running(&journal, of_units, handed.cost())?;
    let network = of_network(&request.address);
    if let Some(words) = &network {
        turn.server.jobs.change(turn.job, |info| {
            info.message = Some(words.clone());
        })?;
    }
    let results = follow(turn, &mut handed, &mut journal, &mut reporter).and_then(|is_complete| {
        let merging = if is_complete { own_turn(turn) } else { None };
        let merged = merging.map(|_own| handed.merge(&request.folder, &mut reporter));
        merged.transpose()
    });
    let results = results.map_err(|error| match network {
        Some(words) => anyhow!("{error:#}\n{words}"),
        None => error,
    });
    turn.conclude(&request, results, journal.earlier, &mut reporter)
}

/// What was handed over before, or is now; none where it is stopped.
fn handed(turn: &Turn<'_>, order: &Order, reporter: &mut Reporter<'_>) -> Result<Option<Handed>> {
    let is_asked = turn.job.take_resumed();
    let mut before = Handed::last(&turn.own, order, is_asked).unwrap_or_else(|error| {
        reporter.warn(&format!("it is handed to Slurm anew: {error:#}"));
        None
    });
    // What nobody asked for again is followed as it was planned, though the run may have grown.
    if let Some(before) = before.take_if(|_| !is_asked) {
        return Ok(Some(before));
    }
    let Some(_own) = own_turn(turn) else {
        return Ok(None);
    };
    let Some(analysis) = turn.plan()? else {
        return Ok(None);
    };
    if let Some(before) = before {
        if before.is_still(&analysis) {
            return Ok(Some(before));
        }
        reporter.warn("it is handed to Slurm anew: files of the run have changed since");
    }
    fleet::cancel(&turn.own)?;
    analysis.say_plan(reporter);
    Handed::make(&turn.own, order, &analysis).map(Some)
}

/// Follows it until every layer-step is finished; says whether they are, and it was not stopped.
fn follow(
    turn: &Turn<'_>,
    handed: &mut Handed,
    journal: &mut Journal,
    reporter: &mut Reporter<'_>,
) -> Result<bool> {
    let began = Instant::now();
    loop {
        handed.hear(|line| {
            if journal.take(line)? {
                reporter.advance();
            }
            Ok(())
        })?;
        if handed.is_complete() {
            return Ok(true);
        }
        if turn.executor.is_stopped() {
            return Ok(false);
        }
        handed.look_after()?;
        let pause = (began.elapsed() / PART).clamp(SOONEST, LATEST);
        let slept = turn
            .executor
            .block_on(async move { tokio::time::sleep(pause).await });
        if slept.is_none() {
            return Ok(false);
        }
    }
}

/// Waits until no other one is planned or merged; none where it is stopped before.
fn own_turn<'a>(turn: &Turn<'a>) -> Option<SemaphorePermit<'a>> {
    turn.executor.block_on(turn.server.turns.acquire())?.ok()
}
