//! Time, which whoever uses this crate has.

use std::future::Future;
use std::time::Duration;

/// Time that passes, and waiting for it.
///
/// With tokio:
///
/// ```
/// use std::time::{Duration, Instant};
/// use ckptscope_wandb::Clock;
///
/// struct TokioClock(Instant);
///
/// impl Clock for TokioClock {
///     fn now(&self) -> Duration {
///         self.0.elapsed()
///     }
///
///     async fn wait(&self, duration: Duration) {
///         tokio::time::sleep(duration).await;
///     }
/// }
/// ```
pub trait Clock {
    /// The time since some beginning.
    fn now(&self) -> Duration;

    /// Comes back when that time has passed.
    fn wait(&self, duration: Duration) -> impl Future<Output = ()>;
}
