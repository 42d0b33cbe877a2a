//! The analyses of a native worker: what was computed, what is, and what waits.

mod row;

use std::collections::BTreeSet;

use ckptscope_analysis::service::{AnalysisInfo, Phase};
use leptos::html::Dialog;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Companion;
use super::opening::open_several;
use crate::native::Payload;
use crate::page::readout;
use crate::page::results::enlarged::show_modal;
use crate::page::state::State;
use crate::page::surroundings::pause;
use row::Row;

/// How often the worker is asked while something is under way, in milliseconds.
const ASK_EVERY_MILLISECONDS: i32 = 2000;

/// What the dialog shows. Copies share the same signals.
#[derive(Clone, Copy)]
pub(super) struct History {
    companion: Companion,
    /// What the worker said last that it has; none before it has answered.
    analyses: RwSignal<Option<Vec<AnalysisInfo>>>,
    /// Why it could not be asked, where that was so last.
    failure: RwSignal<Option<String>>,
    /// Those that were picked to be compared.
    picked: RwSignal<BTreeSet<String>>,
    /// What the worker refused, in words.
    refusal: RwSignal<Option<String>>,
}

/// The dialog, folded until it is asked for.
pub(super) fn view() -> AnyView {
    let companion = State::here().companion;
    let dialog = NodeRef::<Dialog>::new();
    let is_open = companion.is_history_open;
    Effect::new(move |_| {
        let is_open = is_open.get();
        if let Some(dialog) = dialog.get() {
            show_modal(&dialog, is_open);
        }
    });
    view! {
        <dialog
            class="history"
            node_ref=dialog
            aria-label="analyses on the worker"
            data-test="history"
            on:close=move |_| is_open.set(false)
        >
            <Show when=move || is_open.get()>
                <Content companion/>
            </Show>
        </dialog>
    }
    .into_any()
}

#[component]
fn Content(companion: Companion) -> impl IntoView {
    let history = History {
        companion,
        analyses: RwSignal::new(None),
        failure: RwSignal::new(None),
        picked: RwSignal::default(),
        refusal: RwSignal::new(None),
    };
    provide_context(history);
    spawn_local(history.keep_up());
    Effect::new(move |before: Option<bool>| {
        let is_ready = companion.machine().is_some();
        if is_ready && before == Some(false) {
            spawn_local(history.refresh());
        }
        is_ready
    });
    let close = move |_| companion.is_history_open.set(false);
    let refusal = move || {
        let reason = history.refusal.get()?;
        let dismiss = move |_| history.refusal.set(None);
        Some(view! {
            <div class="remark bad" role="alert" data-test="history-refusal">
                <p>{reason}</p>
                <button class="quiet" aria-label="Dismiss" title="Dismiss" on:click=dismiss>"×"</button>
            </div>
        })
    };
    view! {
        <header>
            <h3>"Analyses on the worker"</h3>
            <CompareButton history/>
            <button data-test="history-close" on:click=close>"Close"</button>
        </header>
        {refusal}
        <List history/>
    }
}

#[component]
fn List(history: History) -> impl IntoView {
    let ids = Memo::new(move |_| {
        let ids = |all: &[AnalysisInfo]| all.iter().map(|it| it.id.clone()).collect::<Vec<_>>();
        history.with_all(ids)
    });
    let failure = move || {
        let reason = history.failure.get()?;
        Some(view! { <Failure history reason/> })
    };
    let words = move || {
        let count = history.analyses.with(|all| all.as_ref().map(Vec::len));
        match count {
            None if history.failure.with(Option::is_some) => None,
            None => Some(view! { <p class="label" role="status">"loading …"</p> }.into_any()),
            Some(0) => Some(
                view! {
                    <p class="nothing" data-test="history-empty">
                        "Nothing yet. Open a run and have the worker compute it: it stays here, also when you close this \
                         tab."
                    </p>
                }
                .into_any(),
            ),
            Some(_) => None,
        }
    };
    view! {
        {failure}
        {words}
        <ul class="analyses">
            <For each=move || ids.get() key=String::clone children=|id| view! { <Row id/> }/>
        </ul>
    }
}

#[component]
fn Failure(history: History, reason: String) -> impl IntoView {
    view! {
        <div class="remark bad" role="alert" data-test="history-failed">
            <p>{reason}</p>
            <button on:click=move |_| spawn_local(history.refresh())>"Try again"</button>
        </div>
    }
}

/// Shows those that were picked beside each other.
#[component]
fn CompareButton(history: History) -> impl IntoView {
    let state = State::here();
    let has_any = move || history.finished() > 1;
    let is_enough = move || history.picked.with(|picked| picked.len() > 1);
    let compare = move |_| {
        let picked = history.picked.get_untracked();
        let analyses = history.those(|info| picked.contains(&info.id));
        history.companion.is_history_open.set(false);
        open_several(state, analyses);
    };
    let words = move || match history.picked.with(BTreeSet::len) {
        0 | 1 => "Compare".to_owned(),
        several => format!("Compare {}", readout::count(several as u64)),
    };
    view! {
        <Show when=has_any>
            <button data-test="history-compare" title="Pick two or more that are done" disabled=move || !is_enough() on:click=compare>{words}</button>
        </Show>
    }
}

impl History {
    /// Asks once, and then as long as something is under way and somebody looks.
    async fn keep_up(self) {
        self.refresh().await;
        loop {
            pause(ASK_EVERY_MILLISECONDS).await;
            match self.is_under_way() {
                None => return,
                Some(false) => {}
                Some(true) => self.refresh().await,
            }
        }
    }

    /// Asks the worker what it has.
    pub(super) async fn refresh(self) {
        let Some(worker) = self.companion.worker.get_untracked() else {
            return;
        };
        let answer = worker.ask("GET", "api/analyses", Payload::Nothing).await;
        let failure = match answer {
            Ok(analyses) => {
                // Nobody waits for it where the dialog is closed.
                let _ = self.analyses.try_set(Some(analyses));
                None
            }
            Err(error) => {
                self.companion.notice(&worker, &error);
                Some(error.to_string())
            }
        };
        let _ = self.failure.try_set(failure);
    }

    /// Asks the worker for something, and then what it has.
    pub(super) fn change(self, method: &'static str, path: String, json: Option<String>) {
        spawn_local(async move {
            let Some(worker) = self.companion.worker.get_untracked() else {
                return;
            };
            let payload = json.map_or(Payload::Nothing, Payload::Json);
            let refusal = match worker.text(method, &path, payload).await {
                Ok(_) => None,
                Err(error) => {
                    self.companion.notice(&worker, &error);
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
        Some(is_under_way && untrack(|| self.companion.machine()).is_some())
    }

    /// How many are finished.
    fn finished(self) -> usize {
        self.with_all(|all| {
            let done = all.iter().filter(|info| info.phase == Phase::Done);
            done.count()
        })
    }

    /// One of them, as it was told last.
    pub(super) fn one(self, id: &str) -> Option<AnalysisInfo> {
        self.with_all(|all| all.iter().find(|info| info.id == id).cloned())
    }

    fn those(self, is_wanted: impl Fn(&AnalysisInfo) -> bool) -> Vec<AnalysisInfo> {
        let wanted = |all: &[AnalysisInfo]| {
            let wanted = all.iter().filter(|info| is_wanted(info));
            wanted.cloned().collect()
        };
        untrack(|| self.with_all(wanted))
    }

    /// What `look` sees in all of them; whoever calls hears when they change.
    fn with_all<T>(self, look: impl FnOnce(&[AnalysisInfo]) -> T) -> T {
        self.analyses
            .with(|all| look(all.as_deref().unwrap_or_default()))
    }
}
