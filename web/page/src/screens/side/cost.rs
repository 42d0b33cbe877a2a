//! What an analysis will cost, and the ways to run it.

mod advice;
mod estimate;
mod run;
mod sending;

use ckptscope_protocol::Cost;
use leptos::prelude::*;

use self::advice::Advice;
use self::estimate::{Power, about};
use self::run::Run;
use self::sending::SendingStatus;
use super::trouble::Troubles;
use crate::screens::readout;
use crate::store::State;

/// What is wrong, what it costs, and the buttons.
#[component]
pub(super) fn Footer() -> impl IntoView {
    let state = State::here();
    let cost = Memo::new(move |_| state.ask.checked.with(|checked| checked.cost));
    view! {
        <div class="footer">
            <Troubles/>
            <Warnings/>
            <Price cost/>
            <Advice cost/>
            <Threads/>
            <div class="acting">
                <Run cost/>
                <SendingStatus/>
            </div>
        </div>
    }
}

/// What will be skipped or assumed, but for what is told above the charts already.
#[component]
fn Warnings() -> impl IntoView {
    let state = State::here();
    let warnings = Memo::new(move |_| {
        let mut warnings = state.ask.checked.with(|checked| checked.warnings.clone());
        let told = state.analysis.warnings;
        warnings.retain(|message| told.with(|told| !told.contains(message)));
        warnings
    });
    move || {
        let warnings = warnings.get();
        if warnings.is_empty() {
            return None;
        }
        let count = readout::counted(warnings.len() as u64, "warning");
        let lines = warnings
            .into_iter()
            .map(|message| view! { <li>{message}</li> });
        Some(view! {
            <details class="warnings" data-test="plan-warnings">
                <summary>{count}</summary>
                <ul>{lines.collect_view()}</ul>
            </details>
        })
    }
}

#[component]
fn Price(cost: Memo<Option<Cost>>) -> impl IntoView {
    let state = State::here();
    let words = move || {
        let cost = cost.get()?;
        let steps = state.ask.checked.with(|checked| checked.steps);
        let here = Power::here(state);
        let mut parts = vec![
            readout::counted(steps, "step"),
            readout::counted(cost.numbers, "number"),
            format!("{} to read", readout::bytes(cost.read_bytes)),
            readout::operations(cost.work.operations()),
            format!("{} of memory here", readout::bytes(here.peak_bytes(&cost))),
        ];
        let times = [
            (here.seconds(&cost), "here"),
            (
                Power::of_worker(state).and_then(|worker| worker.seconds(&cost)),
                "on the worker",
            ),
        ];
        let times = times.into_iter();
        parts.extend(times.filter_map(|(time, place)| Some(format!("{} {place}", about(time?)))));
        // How fast the network is nobody knows before.
        let is_remote = state
            .opened
            .with(|opened| opened.as_ref().is_some_and(|opened| opened.found.is_some()));
        parts.extend(is_remote.then(|| "reading over the network not counted".to_owned()));
        Some(parts.join(" · "))
    };
    view! { <p class="label" data-test="cost">{words}</p> }
}

/// How many workers compute at once.
#[component]
fn Threads() -> impl IntoView {
    let web_workers = State::here().web_workers;
    let set = move |value: String| {
        if let Ok(size) = value.parse::<usize>() {
            web_workers
                .pool_size
                .set(size.clamp(1, web_workers.threads));
        }
    };
    let words = move || readout::counted(web_workers.pool_size.get() as u64, "thread");
    (web_workers.threads > 1).then(|| {
        view! {
            <label class="field across">
                <span>{words}</span>
                <input
                    type="range"
                    min="1"
                    max=web_workers.threads.to_string()
                    aria-label="Threads"
                    data-test="threads"
                    prop:value=move || web_workers.pool_size.get().to_string()
                    on:input:target=move |event| set(event.target().value())
                />
            </label>
        }
    })
}
