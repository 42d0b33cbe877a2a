//! What is on its way, and what could not be opened.

use leptos::prelude::*;

use crate::screens::track::Track;
use crate::screens::{network, readout};
use crate::store::{Stage, State};

/// Above the workbench: what is being opened, or why it could not be. What is open stays usable.
#[component]
pub(crate) fn UnderWay() -> impl IntoView {
    let state = State::here();
    let is_needed = Memo::new(move |_| state.stage.with(needs_words));
    view! {
        <Show when=move || is_needed.get()>
            <div class="under-way"><Status/></div>
        </Show>
    }
}

/// The same on any ground.
#[component]
pub(super) fn Status() -> impl IntoView {
    let state = State::here();
    move || match state.stage.get() {
        Stage::Opening { what, bytes } => view! { <Progress what bytes/> }.into_any(),
        Stage::Failed(message) => view! { <Failure message/> }.into_any(),
        Stage::Landing | Stage::Open => ().into_any(),
    }
}

#[component]
fn Progress(what: String, bytes: Option<(u64, u64)>) -> impl IntoView {
    let state = State::here();
    let percent = bytes.map(|(bytes, of)| bytes as f64 / of.max(1) as f64 * 100.0);
    let amount =
        bytes.map(|(bytes, of)| format!(", {} of {}", readout::bytes(bytes), readout::bytes(of)));
    let listing = move || network::listing(state.web_workers.opening.get()?.get());
    view! {
        <div class="opening" data-test="opening">
            <Track label="opening" percent=Signal::stored(percent)/>
            <span class="label" role="status">"Opening "<b>{what}</b>{amount}"…"</span>
            <button data-test="cancel-opening" on:click=move |_| state.settle()>"Cancel"</button>
            <span class="label listing" data-test="listing">{listing}</span>
        </div>
    }
}

#[component]
fn Failure(message: String) -> impl IntoView {
    let state = State::here();
    let choices = state.workbench.get_value().map(|views| (views.choices)());
    view! {
        <div class="remark bad" role="alert" data-test="state-failed">
            <div>
                <p>{message}</p>
                {choices}
            </div>
            <button
                class="quiet"
                aria-label="Dismiss"
                title="Dismiss"
                data-test="dismiss"
                on:click=move |_| state.settle()
            >
                "×"
            </button>
        </div>
    }
}

const fn needs_words(stage: &Stage) -> bool {
    matches!(stage, Stage::Opening { .. } | Stage::Failed(_))
}
