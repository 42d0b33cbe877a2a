//! What can be made to go wrong.

use crate::state::Origin;

/// How a request fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is answered by that status and nothing else.
    Status(u16),
    /// 429, with the seconds until the window ends in `RateLimit`.
    RateLimited {
        /// Seconds.
        seconds: u64,
    },
    /// Headers come, and half of the body, and then nothing more.
    Stall,
    /// Nothing comes at all.
    Silence,
    /// The connection is closed in the middle of the body.
    Truncate,
    /// The range is ignored: 200 and the whole file.
    IgnoreRange,
    /// The file is another one by now, of the same length.
    Changed,
}

/// Which requests fail.
#[derive(Clone, Debug)]
pub struct Rule {
    /// At which origin.
    pub origin: Origin,
    /// What their path and query contain; empty for all of them.
    pub contains: String,
    /// How many of them pass before.
    pub skip: usize,
    /// How many of them fail then.
    pub times: usize,
    /// How.
    pub fault: Fault,
}

impl Rule {
    /// Whether the rule fits a request, which counts for it then.
    pub(crate) fn applies(&mut self, origin: Origin, target: &str) -> bool {
        if self.origin != origin || !target.contains(&self.contains) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        let applies = self.times > 0;
        self.times = self.times.saturating_sub(1);
        applies
    }
}
