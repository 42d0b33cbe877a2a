//! What all connections share.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::received::ReceivedRun;

/// How a request fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WandbFault {
    /// It is answered by that status and nothing else.
    Status(u16),
    /// 429, with the seconds in `Retry-After`.
    RateLimited {
        /// Seconds.
        seconds: u64,
    },
    /// The connection is closed instead of an answer, as by a server that dies.
    HangUp,
    /// It is done, and then the connection is closed instead of an answer.
    LoseAnswer,
}

/// Which requests fail.
#[derive(Clone, Debug)]
pub struct WandbRule {
    /// What their path contains; empty for all of them.
    pub contains: String,
    /// How many of them pass before.
    pub skip: usize,
    /// How many of them fail then.
    pub times: usize,
    /// How.
    pub fault: WandbFault,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WandbRequest {
    /// The path.
    pub path: String,
    /// Bytes of its body.
    pub body_bytes: usize,
    /// The answer's status; none where there was no answer.
    pub status: Option<u16>,
}

impl WandbRule {
    /// Whether the rule fits a request, which counts for it then.
    fn applies(&mut self, path: &str) -> bool {
        if !path.contains(&self.contains) {
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

pub(crate) struct State {
    pub(crate) base_url: String,
    runs: Mutex<BTreeMap<String, ReceivedRun>>,
    rules: Mutex<Vec<WandbRule>>,
    log: Mutex<Vec<WandbRequest>>,
}

impl State {
    pub(crate) fn new(base_url: String) -> Self {
        Self {
            base_url,
            runs: Mutex::default(),
            rules: Mutex::default(),
            log: Mutex::default(),
        }
    }

    pub(crate) fn runs(&self) -> MutexGuard<'_, BTreeMap<String, ReceivedRun>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn rules(&self) -> MutexGuard<'_, Vec<WandbRule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Vec<WandbRequest>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fault of a request, if a rule fits it.
    pub(crate) fn fault(&self, path: &str) -> Option<WandbFault> {
        let mut rules = self.rules();
        let mut fitting = rules.iter_mut().filter_map(|rule| {
            let applies = rule.applies(path);
            applies.then_some(rule.fault)
        });
        fitting.next()
    }
}
