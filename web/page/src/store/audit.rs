//! What is odd about the steps of the repository that is open.

use std::sync::Arc;

use ckptscope_protocol::tab::{AuditProgress, Audited};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::explore::Loadable;
use super::web_workers::WebWorkers;

/// An audit. Copies share the same signals.
#[derive(Clone, Copy)]
pub(crate) struct Audit {
    /// What it found.
    pub found: RwSignal<Loadable<Audited>>,
    /// How far it is; none before it has begun to list steps.
    pub progress: RwSignal<Option<AuditProgress>>,
    web_workers: WebWorkers,
}

impl Audit {
    pub(crate) fn new(web_workers: WebWorkers) -> Self {
        Self {
            found: RwSignal::new(Loadable::NotAsked),
            progress: RwSignal::new(None),
            web_workers,
        }
    }

    /// Looks at every step.
    pub(crate) fn begin(self) {
        self.progress.set(None);
        self.found.set(Loadable::Loading);
        spawn_local(async move {
            let tell = move |progress| self.progress.set(Some(progress));
            match self.web_workers.audit(tell).await {
                Ok(audited) => self.found.set(Loadable::Loaded(Arc::new(audited))),
                // Whoever ended it has said so.
                Err(message) if message.is_empty() => {}
                Err(message) => self.found.set(Loadable::Failed(message)),
            }
        });
    }

    /// Ends it.
    pub(crate) fn cancel(self) {
        self.web_workers.stop_audit();
        self.found.set(Loadable::NotAsked);
    }
}
