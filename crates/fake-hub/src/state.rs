//! What both origins share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Options;
use crate::fault::{Fault, Rule};
use crate::repository::Repository;

/// One of the two origins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The hub itself.
    Hub,
    /// Where large files lie.
    FileHost,
}

/// One request that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// At which origin.
    pub origin: Origin,
    /// `GET`, `HEAD`, `POST` or `OPTIONS`.
    pub method: String,
    /// Path and query as they came.
    pub target: String,
    /// The `Range` header.
    pub range: Option<String>,
    /// Whether there was an `Authorization` header.
    pub authorized: bool,
    /// The answer's status.
    pub status: u16,
    /// Bytes of the answer's body that were sent.
    pub body_bytes: u64,
}

pub(crate) struct State {
    pub(crate) repositories: Vec<Repository>,
    pub(crate) options: Options,
    pub(crate) endpoint: String,
    pub(crate) file_host: String,
    rules: Mutex<Vec<Rule>>,
    log: Mutex<Vec<Logged>>,
    /// Part of every signature; another one makes the earlier ones invalid.
    signing_period: AtomicU64,
    file_host_saw_a_token: AtomicBool,
}

impl State {
    pub(crate) fn new(
        repositories: Vec<Repository>,
        options: Options,
        endpoint: String,
        file_host: String,
    ) -> Self {
        Self {
            repositories,
            options,
            endpoint,
            file_host,
            rules: Mutex::default(),
            log: Mutex::default(),
            signing_period: AtomicU64::new(0),
            file_host_saw_a_token: AtomicBool::new(false),
        }
    }

    pub(crate) fn rules(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Vec<Logged>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fault of a request, if a rule fits it.
    pub(crate) fn fault(&self, origin: Origin, target: &str) -> Option<Fault> {
        let mut rules = self.rules();
        rules.iter_mut().find_map(|rule| {
            let applies = rule.applies(origin, target);
            applies.then_some(rule.fault)
        })
    }

    pub(crate) fn signing_period(&self) -> u64 {
        self.signing_period.load(Ordering::Relaxed)
    }

    pub(crate) fn expire_signatures(&self) {
        self.signing_period.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn saw_a_token_at_the_file_host(&self) {
        self.file_host_saw_a_token.store(true, Ordering::Relaxed);
    }

    pub(crate) fn file_host_saw_a_token(&self) -> bool {
        self.file_host_saw_a_token.load(Ordering::Relaxed)
    }

    pub(crate) fn repository(&self, name: &str) -> Option<&Repository> {
        self.repositories
            .iter()
            .find(|repository| repository.name == name)
    }
}
