//! Lanes on threads: each thread takes the next lane and blocks on its own reads.
//!
//! Over a network there are more threads than cores, so that some fetch while others compute. The
//! plan is split for the cores as ever, because each split reads targets again.
//!
//! Cores that have no lane, or none any more, help the others with large matrices.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use ckptscope_analysis::{EngineError, Lane, run_lane};
use ckptscope_checkpoint::Tree;
use ckptscope_metrics::linalg::SpareCores;
use ckptscope_protocol::Event;

use crate::executor::Executor;

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
                Ok(Err(error)) => result = result.and(Err(error.into())),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        result
    })
}

/// How many cores the machine has.
fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
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
