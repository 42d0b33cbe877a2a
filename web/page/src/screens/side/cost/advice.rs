//! What to do where a tab is not the place for an analysis.

use ckptscope_protocol::Cost;
use leptos::prelude::*;

use super::estimate::{Power, about, too_much};
use crate::native::NativeWorker;
use crate::screens::native_worker::starting::{Command, WITH_PAGE, from_elsewhere};
use crate::screens::readout;
use crate::store::State;

/// Why a tab is not the place, and what is; nothing where it is.
#[component]
pub(super) fn Advice(cost: Memo<Option<Cost>>) -> impl IntoView {
    let state = State::here();
    let advice = Memo::new(move |_| {
        let cost = cost.get()?;
        let too_large = state.ask.checked.with(|checked| checked.too_large.clone());
        let reason = too_large.or_else(|| too_much(&cost, &Power::here(state)));
        let offer = Power::of_worker(state).map(|worker| offer(&worker, &cost, &host(state)));
        let is_needed = reason.is_some() || offer.as_ref().is_some_and(Result::is_err);
        is_needed.then_some((reason, offer))
    });
    move || {
        let (reason, offer) = advice.get()?;
        let (words, has_worker) = match offer {
            Some(Ok(words) | Err(words)) => (Some(words), true),
            None => (None, false),
        };
        let words = [reason, words].into_iter().flatten();
        let words = words.map(|words| view! { <p>{words}</p> });
        Some(view! {
            <div class="remark" role="status" data-test="too-much">
                <div>
                    {words.collect_view()}
                    {(!has_worker).then(|| view! { <HowToStart/> })}
                </div>
            </div>
        })
    }
}

fn host(state: State) -> String {
    let worker = state.native_worker.worker.get();
    worker
        .map(|worker| worker.host().to_owned())
        .unwrap_or_default()
}

/// What the worker can do for it; or that it cannot.
fn offer(worker: &Power, cost: &Cost, host: &str) -> Result<String, String> {
    let memory = worker.memory_bytes.unwrap_or_default();
    if worker.has_memory(cost) {
        let time = worker.seconds(cost).map(about);
        let time = time.map(|time| format!(" and takes {time}"));
        return Ok(format!(
            "The worker at {host} has {} for analyses{}, and the tab may be closed meanwhile.",
            readout::bytes(memory),
            time.unwrap_or_default()
        ));
    }
    let needed = readout::bytes(worker.peak_bytes(cost));
    let fitting = memory / cost.peak_bytes.max(1);
    let what = if fitting > 0 {
        format!("start it with `--threads {fitting}`, or choose fewer components")
    } else {
        "choose fewer components, or start one on a machine that has more".to_owned()
    };
    Err(format!(
        "The worker at {host} has {} of memory for analyses, and this takes {needed} with {} at \
         a time there: {what}.",
        readout::bytes(memory),
        readout::counted(worker.lanes_at_once(cost), "layer")
    ))
}

/// The command, for a worker that brings its page along or for this page.
#[component]
fn HowToStart() -> impl IntoView {
    let is_elsewhere = NativeWorker::of_this_page("").is_none();
    let (command, then) = match is_elsewhere {
        true => (from_elsewhere(), "Then give its address at the top right."),
        false => (WITH_PAGE.to_owned(), "Then connect to it at the top right."),
    };
    view! {
        <p>"A worker on a machine of yours can do it, and goes on when this tab is closed. Start one:"</p>
        <Command text=command test="start-worker"/>
        <p class="label">
            {then}" Files below --root are read in place; others are copied to it after you agreed."
        </p>
    }
}
