//! Lanes on threads: each thread takes the next lane and blocks on its own reads.
//!
//! Over a network there are more threads than cores, so that some fetch while others compute. The
//! plan is split for the cores as ever, because each split reads targets again.
//!
//! Cores that have no lane, or none any more, help the others with large matrices.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use anyhow::anyhow;
use ckptscope_analysis::{EngineError, Lane, run_lane};
use ckptscope_checkpoint::Tree;
use ckptscope_metrics::linalg::SpareCores;
use ckptscope_protocol::{Event, Progress};
use ckptscope_results::Number;

use crate::executor::Executor;
use crate::hardware::cores;
use crate::identity::Unit;

/// Runs all lanes on `threads` threads, and shows `look` every event in this thread. Stops early
/// when the person says so or a lane fails; the first failure is the answer.
pub(crate) fn run(
    lanes: &[Lane],
    tree: &(dyn Tree + Sync),
    threads: usize,
    executor: &Executor,
    mut look: impl FnMut(Event) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = channel();
    let count = threads.min(lanes.len()).max(1);
    let cores = threads.min(cores());
    let _spare = SpareCores::lend(cores.saturating_sub(count));
    let at_work = AtomicUsize::new(count);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..count)
            .map(|_| {
                let sender = sender.clone();
                let (next, at_work) = (&next, &at_work);
                scope.spawn(move || {
                    work(lanes, tree, next, executor, &sender)?;
                    let others = at_work.fetch_sub(1, Ordering::Relaxed) - 1;
                    Ok::<_, EngineError>(SpareCores::lend(usize::from(others < cores)))
                })
            })
            .collect();
        drop(sender);
        let mut result = Ok(());
        for event in receiver {
            if result.is_ok() {
                result = look(event);
                if result.is_err() {
                    executor.stop();
                }
            }
        }
        for worker in workers {
            match worker.join() {
                Ok(Ok(_spare)) => {}
                // The error's own words have its source in them already.
                Ok(Err(error)) => result = result.and(Err(anyhow!("{error}"))),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        result
    })
}

/// Runs all lanes, and hands over every layer-step whose numbers are asked for with its numbers, in
/// this thread. Gives the tensor bytes read. Stops early as [`run`] does.
pub(crate) fn run_units(
    lanes: &[Lane],
    tree: &(dyn Tree + Sync),
    threads: usize,
    executor: &Executor,
    mut finished: impl FnMut(Progress, Vec<Number>) -> anyhow::Result<()>,
) -> anyhow::Result<u64> {
    let mut open: BTreeMap<Unit, Vec<Number>> = BTreeMap::new();
    let mut read_bytes = 0;
    run(lanes, tree, threads, executor, |event| match event {
        Event::Number(number) => {
            let unit = (number.id.layer, number.step);
            open.entry(unit).or_default().push(number);
            Ok(())
        }
        Event::Finished(progress) => {
            read_bytes += progress.read_bytes;
            if !progress.recorded {
                return Ok(());
            }
            let unit = (progress.layer, progress.step);
            finished(progress, open.remove(&unit).unwrap_or_default())
        }
    })?;
    Ok(read_bytes)
}

fn work(
    lanes: &[Lane],
    tree: &(dyn Tree + Sync),
    next: &AtomicUsize,
    executor: &Executor,
    sender: &Sender<Event>,
) -> Result<(), EngineError> {
    while let Some(lane) = lanes.get(next.fetch_add(1, Ordering::Relaxed)) {
        let mut tell = |event| {
            if executor.is_stopped() || sender.send(event).is_err() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        match executor.block_on(run_lane(lane, tree, &mut tell)) {
            Some(Ok(())) => {}
            Some(Err(error)) => {
                executor.stop();
                return Err(error);
            }
            None => return Ok(()),
        }
    }
    Ok(())
}
