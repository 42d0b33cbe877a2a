//! Runs that go to a server: a scripted one for times, a fake one through sockets for the rest.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod sockets;
mod times;

use std::cell::{Cell, RefCell};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ckptscope_wandb::{Clock, Row, Run};

/// A clock whose waits are over at once, and noted.
#[derive(Default)]
pub(crate) struct NotedClock {
    now: Cell<Duration>,
    waits: RefCell<Vec<Duration>>,
}

impl NotedClock {
    /// Lets time pass.
    pub(crate) fn pass(&self, seconds: u64) {
        self.now.set(self.now.get() + Duration::from_secs(seconds));
    }

    /// The waits so far, in seconds.
    pub(crate) fn take_waits(&self) -> Vec<f64> {
        let waits = self.waits.take();
        waits.iter().map(Duration::as_secs_f64).collect()
    }
}

impl Clock for NotedClock {
    fn now(&self) -> Duration {
        self.now.get()
    }

    async fn wait(&self, duration: Duration) {
        self.waits.borrow_mut().push(duration);
        self.now.set(self.now.get() + duration);
    }
}

impl Clock for &NotedClock {
    fn now(&self) -> Duration {
        (**self).now()
    }

    async fn wait(&self, duration: Duration) {
        (**self).wait(duration).await;
    }
}

fn start() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// A run with a config.
fn run() -> Run {
    let mut run = Run::new("project", "a run");
    run.started = start();
    run.config.insert("lr".to_owned(), 0.5.into());
    run
}

/// A row with a number.
fn row(step: u64) -> Row {
    let mut row = Row::new(step, start() + Duration::from_secs(step));
    row.set("loss", 1.0 / (step + 1) as f64);
    row
}
