//! How often to ask, how long to wait, when to give up.

use std::time::Duration;

/// What a slow line sends.
const BYTES_PER_SECOND: usize = 100_000;

/// Times of an upload. The default's first two are those of W&B's own client, which asks a server
/// without end; we have an offline run to fall back to, and give up: a server that refuses after
/// about a minute, one that takes connections and says nothing after two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Rows are sent at most this often.
    pub between_requests: Duration,
    /// A run that has nothing to say says that it lives this often.
    pub heartbeat: Duration,
    /// After the first failure; each further one doubles it.
    pub first_wait: Duration,
    /// No wait is longer, and a server that asks for a longer one is given up.
    pub longest_wait: Duration,
    /// How often a request that failed is made again.
    pub retries: u32,
    /// A request is given up this long after it was first made, the waits between its attempts
    /// counted, but for those that the server asks for. One that sends much has a second more for
    /// each 100 kB.
    pub all_attempts: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            between_requests: Duration::from_secs(15),
            heartbeat: Duration::from_secs(30),
            first_wait: Duration::from_secs(2),
            longest_wait: Duration::from_secs(60),
            retries: 5,
            all_attempts: Duration::from_secs(120),
        }
    }
}

impl Patience {
    /// How long a request of so many bytes may take, with all its attempts.
    pub(crate) fn limit(&self, bytes: usize) -> Duration {
        let sending = Duration::from_secs((bytes / BYTES_PER_SECOND) as u64);
        self.all_attempts.saturating_add(sending)
    }

    /// How long to wait before the request is made again that failed this often.
    pub(crate) fn wait(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let wait = self.first_wait.saturating_mul(1 << doublings);
        wait.min(self.longest_wait)
    }
}
