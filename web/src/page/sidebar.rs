//! What was found and what was asked.

use leptos::prelude::*;

use super::readout;
use super::state::{Phase, State};
use crate::panel::Panels;

/// The run's steps and the metrics.
#[component]
pub(super) fn Sidebar() -> impl IntoView {
    view! {
        <aside>
            <Metrics/>
            <Steps/>
        </aside>
    }
}

#[component]
fn Metrics() -> impl IntoView {
    let state = State::here();
    let labels = Memo::new(move |_| state.panels.with(Panels::labels));
    let is_computing = move || state.phase.get() == Phase::Computing;
    let choice = move |label: Option<String>| {
        let name = label.clone().unwrap_or_else(|| "All metrics".to_owned());
        let own = label.clone();
        let is_chosen = Memo::new(move |_| state.metric.get() == own);
        view! {
            <button
                class="choice"
                class:on=is_chosen
                aria-pressed=move || is_chosen.get().to_string()
                on:click=move |_| state.metric.set(label.clone())
            >
                {name}
            </button>
        }
    };
    view! {
        <section aria-label="metrics">
            <h2>"Metrics"</h2>
            <div class="choices">
                {choice(None)}
                <For each=move || labels.get() key=Clone::clone let:label>{choice(Some(label))}</For>
            </div>
            <Show when=is_computing>
                <button on:click=move |_| state.cancel()>"Cancel"</button>
            </Show>
        </section>
    }
}

#[component]
fn Steps() -> impl IntoView {
    let state = State::here();
    let step = move |number: u64| {
        let is_at = Memo::new(move |_| state.cursor.get() == Some(number));
        let toggle = move |_| {
            state
                .cursor
                .update(|cursor| *cursor = (*cursor != Some(number)).then_some(number));
        };
        view! {
            <button class="step" class:on=is_at data-test="step" on:click=toggle>{number}</button>
        }
    };
    move || {
        let run = state.run.get()?;
        let words = format!("{} files, {}", run.files, readout::bytes(run.bytes));
        Some(view! {
            <section aria-label="steps">
                <h2>{run.steps.len()}" steps"</h2>
                <div class="steps">{run.steps.into_iter().map(step).collect_view()}</div>
                <span class="label">{words}</span>
            </section>
        })
    }
}
