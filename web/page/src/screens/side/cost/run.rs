//! The buttons that have an analysis computed, here or on the native worker.

use ckptscope_protocol::Cost;
use leptos::prelude::*;

use super::estimate::{Place, Power, proposed};
use crate::store::State;

/// The buttons. The proposed one stands out, and Ctrl+Enter is for it.
#[component]
pub(super) fn Run(cost: Memo<Option<Cost>>) -> impl IntoView {
    let state = State::here();
    let has_worker = Memo::new(move |_| state.native_worker.machine().is_some());
    let place = Memo::new(move |_| {
        let worker = Power::of_worker(state);
        let cost = cost.get().unwrap_or_default();
        let has_run = state.run_source().is_some() || state.known_files().is_some();
        proposed(&cost, &Power::here(state), worker.as_ref(), has_run)
    });
    // Typing may still be unchecked when a person asks to run it.
    let wanted = RwSignal::new(None::<Place>);
    Effect::new(move |_| {
        if let Some(place) = wanted.get().filter(|_| !state.ask.is_checking.get()) {
            wanted.set(None);
            untrack(|| run(state, place));
        }
    });
    let ask_to_run = move |place| {
        if state.ask.is_checking.get_untracked() {
            state.ask.hurry();
        }
        wanted.set(Some(place));
    };
    let keys = window_event_listener(leptos::ev::keydown, move |event| {
        if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
            event.prevent_default();
            ask_to_run(place.get_untracked());
        }
    });
    on_cleanup(move || keys.remove());
    view! {
        <div class="run">
            <RunHere has_worker place ask=Callback::new(ask_to_run)/>
            <Show when=move || has_worker.get()>
                <RunOnWorker place ask=Callback::new(ask_to_run)/>
            </Show>
            <Show when=move || state.analysis.is_busy()>
                <button data-test="cancel" on:click=move |_| state.analysis.cancel()>"Cancel"</button>
            </Show>
        </div>
        <p class="label" role="status">
            {move || {
                let has_problems = state.ask.checked.with(|checked| !checked.problems.is_empty());
                (!may_run(state) && has_problems)
                    .then_some("It can be run when the problems above are solved.")
            }}
        </p>
    }
}

#[component]
fn RunHere(has_worker: Memo<bool>, place: Memo<Place>, ask: Callback<Place>) -> impl IntoView {
    let state = State::here();
    let is_right = Memo::new(move |_| may_run(state) && !is_too_large(state));
    let words = move || match (has_worker.get(), state.analysis.is_busy()) {
        (false, false) => "Run",
        (false, true) => "Run again",
        (true, false) => "Run here",
        (true, true) => "Run again here",
    };
    let title = move || {
        if is_too_large(state) {
            "It needs more memory than a browser has"
        } else {
            title(is_right.get(), place.get() == Place::Here)
        }
    };
    view! {
        <button
            class:primary=move || place.get() == Place::Here
            disabled=move || !is_right.get()
            title=title
            data-test="run"
            on:click=move |_| ask.run(Place::Here)
        >
            {words}
        </button>
    }
}

#[component]
fn RunOnWorker(place: Memo<Place>, ask: Callback<Place>) -> impl IntoView {
    let state = State::here();
    let is_right = Memo::new(move |_| may_run(state) && !state.sending.is_busy());
    let title = move || title(may_run(state), place.get() == Place::Worker);
    view! {
        <button
            class:primary=move || place.get() == Place::Worker
            disabled=move || !is_right.get()
            title=title
            data-test="run-on-worker"
            on:click=move |_| ask.run(Place::Worker)
        >
            "Run on worker"
        </button>
    }
}

const fn title(is_right: bool, is_proposed: bool) -> &'static str {
    match (is_right, is_proposed) {
        (true, true) => "Ctrl+Enter",
        (true, false) => "",
        (false, _) => "The config has problems",
    }
}

/// What is being checked may turn out to be right.
fn may_run(state: State) -> bool {
    state.ask.is_checking.get() || state.ask.is_right()
}

fn is_too_large(state: State) -> bool {
    state
        .ask
        .checked
        .with(|checked| checked.too_large.is_some())
}

fn run(state: State, place: Place) {
    if !state.ask.is_right() {
        return;
    }
    match place {
        Place::Here if is_too_large(state) => {}
        Place::Here => state.run_anew(),
        Place::Worker if state.sending.is_busy() => {}
        Place::Worker => state.native_worker.send(),
    }
}
