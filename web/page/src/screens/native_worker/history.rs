//! The analyses of a native worker: what was computed, what is, and what waits.

mod row;

use std::collections::BTreeSet;

use ckptscope_protocol::service::AnalysisInfo;
use leptos::html::Dialog;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::screens::dialog::show_modal;
use crate::screens::readout;
use crate::store::State;
use crate::store::native_worker::NativeConnection;
use crate::store::native_worker::history::History;
use crate::store::native_worker::opening::open_several;
use row::Row;

/// The dialog, folded until it is asked for.
pub(super) fn view() -> AnyView {
    let native_worker = State::here().native_worker;
    let dialog = NodeRef::<Dialog>::new();
    let is_open = native_worker.is_history_open;
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
                <Content native_worker/>
            </Show>
        </dialog>
    }
    .into_any()
}

#[component]
fn Content(native_worker: NativeConnection) -> impl IntoView {
    let history = History::new(native_worker);
    provide_context(history);
    spawn_local(history.keep_up());
    Effect::new(move |before: Option<bool>| {
        let is_ready = native_worker.machine().is_some();
        if is_ready && before == Some(false) {
            spawn_local(history.refresh());
        }
        is_ready
    });
    let close = move |_| native_worker.is_history_open.set(false);
    let kept = State::here().kept;
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
        {move || kept.part.get().map(|part| (part.list)())}
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
        history.native_worker.is_history_open.set(false);
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
