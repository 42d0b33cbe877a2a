//! How far an analysis is.

use leptos::prelude::*;

use super::analysis::Phase;
use super::readout;
use super::state::State;

/// Progress, warnings and failures.
#[component]
pub(super) fn Watch() -> impl IntoView {
    view! {
        <Progress/>
        <Warnings/>
    }
}

#[component]
fn Progress() -> impl IntoView {
    let state = State::here();
    let part = move || {
        let (done, units) = (
            state.analysis.tally.get().units,
            state.analysis.cost.get().units,
        );
        if units == 0 {
            0.0
        } else {
            done as f64 / units as f64 * 100.0
        }
    };
    let words = move || {
        let (cost, tally) = (state.analysis.cost.get(), state.analysis.tally.get());
        format!(
            "{} of {} layer steps · {} of {} · {} numbers",
            tally.units,
            cost.units,
            readout::bytes(tally.read_bytes),
            readout::bytes(cost.read_bytes),
            tally.numbers,
        )
    };
    let phase = move || match state.analysis.phase.get() {
        Phase::Failed(message) => view! {
            <p class="failure" role="alert" data-test="state-failed">{message}</p>
        }
        .into_any(),
        Phase::Done(seconds) => view! {
            <span class="label" data-test="state-done">{format!(" · done in {seconds:.1} s")}</span>
        }
        .into_any(),
        _ => ().into_any(),
    };
    view! {
        <div class="progress">
            <div class="track" role="progressbar" aria-label="analysis" aria-valuenow=move || format!("{:.0}", part())>
                <i style:width=move || format!("{:.1}%", part())></i>
            </div>
            <div><span class="label">{words}</span>{phase}</div>
        </div>
    }
}

#[component]
fn Warnings() -> impl IntoView {
    let state = State::here();
    move || {
        let warnings = state.analysis.warnings.get();
        let count = match warnings.len() {
            0 => return None,
            1 => "1 warning".to_owned(),
            several => format!("{several} warnings"),
        };
        let lines = warnings
            .into_iter()
            .map(|message| view! { <li>{message}</li> });
        Some(view! {
            <details class="warnings" data-test="warnings">
                <summary>{count}</summary>
                <ul>{lines.collect_view()}</ul>
            </details>
        })
    }
}
