//! The native worker that the page speaks to, where there is one.

use leptos::prelude::*;
use trainscope_analysis::service::{API, Health, Machine};

use crate::native::{NativeError, NativeWorker, Payload};

/// A native worker and how things stand with it. Copies share the same signals.
#[derive(Clone, Copy)]
pub(super) struct Companion {
    /// The worker that was given, or that the page came from; none where there is none.
    pub worker: RwSignal<Option<NativeWorker>>,
    /// How things stand with it.
    pub standing: RwSignal<Standing>,
}

/// How things stand with a native worker.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Standing {
    /// There is none.
    None,
    /// It was asked and has not answered yet.
    Connecting,
    /// It takes analyses.
    Ready(Machine),
    /// It answers and wants a token.
    WantsToken,
    /// It cannot be used; in words.
    Lost(String),
}

impl Companion {
    pub(super) fn new() -> Self {
        Self {
            worker: RwSignal::new(None),
            standing: RwSignal::new(Standing::None),
        }
    }

    /// What it can do; none where it cannot be used.
    pub(super) fn machine(self) -> Option<Machine> {
        self.standing.with(|standing| match standing {
            Standing::Ready(machine) => Some(*machine),
            _ => None,
        })
    }

    /// Speaks to this worker from now on, once it answers.
    pub(super) async fn connect(self, worker: NativeWorker) {
        self.worker.set(Some(worker.clone()));
        self.standing.set(Standing::Connecting);
        let standing = standing_of(&worker).await;
        if self.worker.get_untracked() == Some(worker) {
            self.standing.set(standing);
        }
    }

    /// Speaks to none from now on.
    pub(super) fn disconnect(self) {
        self.worker.set(None);
        self.standing.set(Standing::None);
    }
}

async fn standing_of(worker: &NativeWorker) -> Standing {
    let health: Result<Health, NativeError> =
        worker.ask("GET", "api/health", Payload::Nothing).await;
    match health {
        Ok(health) if health.api != API => Standing::Lost(format!(
            "the worker at {} is of another version ({}) than this page: open the page that it serves",
            worker.address(),
            health.version
        )),
        Ok(Health {
            machine: Some(machine),
            ..
        }) => Standing::Ready(machine),
        Ok(_) | Err(NativeError::Token { .. }) => Standing::WantsToken,
        Err(error) => Standing::Lost(error.to_string()),
    }
}
