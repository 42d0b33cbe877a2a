//! The analyses of a native worker, as it told of them last.

use std::collections::BTreeSet;

use ckptscope_protocol::call::{self, Call};
use ckptscope_protocol::service::{AnalysisInfo, Phase};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::NativeConnection;

/// How often the worker is asked while something is under way, in milliseconds.
const ASK_EVERY_MILLISECONDS: u32 = 2000;

/// What the dialog shows. Copies share the same signals.
#[derive(Clone, Copy)]
pub(crate) struct History {
    pub native_worker: NativeConnection,
    /// What the worker said last that it has; none before it has answered.
    pub analyses: RwSignal<Option<Vec<AnalysisInfo>>>,
    /// Why it could not be asked, where that was so last.
    pub failure: RwSignal<Option<String>>,
    /// Those that were picked to be compared.
    pub picked: RwSignal<BTreeSet<String>>,
    /// What the worker refused, in words.
    pub refusal: RwSignal<Option<String>>,
}

impl History {
    /// Nothing was asked yet.
    pub(crate) fn new(native_worker: NativeConnection) -> Self {
        Self {
            native_worker,
            analyses: RwSignal::new(None),
            failure: RwSignal::new(None),
            picked: RwSignal::default(),
            refusal: RwSignal::new(None),
        }
    }

    /// Of the dialog that the caller is part of.
    pub(crate) fn here() -> Self {
        expect_context()
    }

    /// Asks once, and then as long as something is under way and somebody looks.
    pub(crate) async fn keep_up(self) {
        self.refresh().await;
        loop {
            TimeoutFuture::new(ASK_EVERY_MILLISECONDS).await;
            match self.is_under_way() {
                None => return,
                Some(false) => {}
                Some(true) => self.refresh().await,
            }
        }
    }

    /// Asks the worker what it has.
    pub(crate) async fn refresh(self) {
        let Some(worker) = self.native_worker.worker.get_untracked() else {
            return;
        };
        let answer = worker.ask(call::analyses()).await;
        let failure = match answer {
            Ok(analyses) => {
                // Nobody waits for it where the dialog is closed.
                let _ = self.analyses.try_set(Some(analyses));
                None
            }
            Err(error) => {
                self.native_worker.notice(&worker, &error);
                Some(error.to_string())
            }
        };
        let _ = self.failure.try_set(failure);
    }

    /// Asks the worker for something, and then what it has.
    pub(crate) fn change(self, call: Call<()>) {
        spawn_local(async move {
            let Some(worker) = self.native_worker.worker.get_untracked() else {
                return;
            };
            let refusal = match worker.tell(call).await {
                Ok(()) => None,
                Err(error) => {
                    self.native_worker.notice(&worker, &error);
                    Some(error.to_string())
                }
            };
            let _ = self.refusal.try_set(refusal);
            self.refresh().await;
        });
    }

    /// Whether anything is under way that the worker can be asked for; none where nobody looks any
    /// more.
    fn is_under_way(self) -> Option<bool> {
        let is_under_way = self.analyses.try_with_untracked(|all| {
            let mut all = all.iter().flatten();
            all.any(|info| !info.phase.is_over())
        })?;
        // A worker that is lost is asked when it answers again.
        Some(is_under_way && untrack(|| self.native_worker.machine()).is_some())
    }

    /// How many are finished.
    pub(crate) fn finished(self) -> usize {
        self.with_all(|all| {
            let done = all.iter().filter(|info| info.phase == Phase::Done);
            done.count()
        })
    }

    /// One of them, as it was told last.
    pub(crate) fn one(self, id: &str) -> Option<AnalysisInfo> {
        self.with_all(|all| all.iter().find(|info| info.id == id).cloned())
    }

    pub(crate) fn those(self, is_wanted: impl Fn(&AnalysisInfo) -> bool) -> Vec<AnalysisInfo> {
        let wanted = |all: &[AnalysisInfo]| {
            let wanted = all.iter().filter(|info| is_wanted(info));
            wanted.cloned().collect()
        };
        untrack(|| self.with_all(wanted))
    }

    /// What `look` sees in all of them; whoever calls hears when they change.
    pub(crate) fn with_all<T>(self, look: impl FnOnce(&[AnalysisInfo]) -> T) -> T {
        self.analyses
            .with(|all| look(all.as_deref().unwrap_or_default()))
    }
}
