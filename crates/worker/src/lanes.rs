//! Lanes on threads: each thread takes the next lane and blocks on its own reads.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use trainscope_analysis::protocol::Event;
use trainscope_analysis::{EngineError, Lane, run_lane};
use trainscope_checkpoint::local::LocalTree;

/// Runs all lanes on `threads` threads, and shows `look` every event in this thread. Stops early
/// when `stop` is set or a lane fails; the first failure is the answer.
pub(crate) fn run(
    lanes: &[Lane],
    tree: &LocalTree,
    threads: usize,
    stop: &AtomicBool,
    mut look: impl FnMut(Event) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = channel();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.min(lanes.len()).max(1))
            .map(|_| {
                let sender = sender.clone();
                let next = &next;
                scope.spawn(move || work(lanes, tree, next, stop, &sender))
            })
            .collect();
        drop(sender);
        let mut result = Ok(());
        for event in receiver {
            if result.is_ok() {
                result = look(event);
                if result.is_err() {
                    stop.store(true, Ordering::Relaxed);
                }
            }
        }
        for worker in workers {
            match worker.join() {
                Ok(Ok(())) => {}
                Ok(Err(error)) => result = result.and(Err(error.into())),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        result
    })
}

fn work(
    lanes: &[Lane],
    tree: &LocalTree,
    next: &AtomicUsize,
    stop: &AtomicBool,
    sender: &Sender<Event>,
) -> Result<(), EngineError> {
    while let Some(lane) = lanes.get(next.fetch_add(1, Ordering::Relaxed)) {
        let mut tell = |event| {
            if stop.load(Ordering::Relaxed) || sender.send(event).is_err() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        if stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        if let Err(error) = pollster::block_on(run_lane(lane, tree, &mut tell)) {
            stop.store(true, Ordering::Relaxed);
            return Err(error);
        }
    }
    Ok(())
}
