//! Time, which is a matter of the platform.
//!
//! The client never sleeps by itself. The worker and the page each hand it a clock; a test's clock
//! notes waits instead of waiting.

use std::time::Duration;

use futures_core::future::LocalBoxFuture;

/// What a wait is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// For an answer, which is given up when the wait ends.
    ForAnswer,
    /// Before a request is tried again that failed.
    BeforeRetry,
    /// Until the server takes requests again.
    ForRateLimit,
}

/// Tells the time and waits: the worker's by its runtime, the page's by the browser.
pub trait Clock {
    /// Seconds since 1970.
    fn unix_seconds(&self) -> u64;

    /// Waits. Dropping the future ends the wait.
    fn wait(&self, duration: Duration, waiting: Waiting) -> LocalBoxFuture<'static, ()>;
}
