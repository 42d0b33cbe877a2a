//! Waiting for reads: each thread blocks on its own, and what is read ahead has one for itself.
//!
//! reqwest needs a reactor, so the worker owns a tokio runtime with one thread for sockets and
//! timers. Every lane's thread waits with `Runtime::block_on`, which asks no `Send` of its reads.
//! `checkpoint` and `analysis` know nothing of this.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use ckptscope_checkpoint::http::{Spawn, Task};
use futures_util::future::{Either, select};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::{LocalSet, spawn_local};

/// How soon a wait ends after the person said stop.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Blocks threads on their reads. Sockets and timers live on a thread of their own, so that any
/// thread may wait for them, and lanes need no `Send`.
#[derive(Clone)]
pub(crate) struct Executor {
    runtime: Arc<Runtime>,
    stop: Arc<AtomicBool>,
}

impl Executor {
    /// One whose waits end when `stop` is set.
    pub(crate) fn start(stop: Arc<AtomicBool>) -> Result<Self> {
        let built = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("network")
            .enable_all()
            .build();
        let runtime = Arc::new(built.context("cannot start the thread for the network")?);
        Ok(Self { runtime, stop })
    }

    /// The same threads for other work, whose waits end when `stop` is set.
    pub(crate) fn for_other_work(&self, stop: Arc<AtomicBool>) -> Self {
        let runtime = Arc::clone(&self.runtime);
        Self { runtime, stop }
    }

    /// What the future comes to; none when the person said stop before. It is dropped then, and
    /// with it what it was reading.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> Option<F::Output> {
        self.runtime.block_on(async {
            match select(pin!(future), pin!(stopped(&self.stop))).await {
                Either::Left((output, _)) => Some(output),
                Either::Right(_) => None,
            }
        })
    }

    /// A thread for reads that go on while lanes compute. It ends when nobody can ask it for more.
    pub(crate) fn reader(&self) -> Result<Reader> {
        let (tasks, mut asked) = unbounded_channel::<Task>();
        let runtime = Arc::clone(&self.runtime);
        let run = move || {
            let local = LocalSet::new();
            runtime.block_on(local.run_until(async {
                while let Some(task) = asked.recv().await {
                    spawn_local(task());
                }
            }));
        };
        let thread = thread::Builder::new().name("reader".to_owned()).spawn(run);
        thread.context("cannot start the thread that reads ahead")?;
        Ok(Reader { tasks })
    }

    /// Whether the person said stop.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Ends all waits.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// The thread that reads ahead. Its tasks are those of one thread, because what waits for a clock
/// or a server does not cross threads.
pub(crate) struct Reader {
    tasks: UnboundedSender<Task>,
}

impl Spawn for Reader {
    fn spawn(&self, task: Task) {
        // Where the thread is gone the task is dropped, and whoever waits for it reads by himself.
        let _ = self.tasks.send(task);
    }
}

async fn stopped(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
