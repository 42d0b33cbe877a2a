//! How far an analysis is, and what it has to say.

mod on_worker;

use ckptscope_protocol::tab::LaneFailure;
use leptos::html::Section;
use leptos::prelude::*;

use self::on_worker::{OnWorkerStatus, waiting_words};
use super::leave_out::{LeaveOut, Then};
use super::{network, readout};
use crate::store::State;
use crate::store::analysis::computer::Connection;
use crate::store::analysis::{Analysis, Phase, Tally};

/// Below this part, what is left cannot be told from what is done.
const LEAST_PART: f64 = 0.03;

/// So many steps are offered to be left out.
const MOST_STEPS: usize = 4;

/// Progress, failures and warnings; nothing before anything was asked for.
#[component]
pub(super) fn ProgressView() -> impl IntoView {
    let state = State::here();
    let is_asked = Memo::new(move |_| state.analysis.phase.with(|phase| *phase != Phase::Idle));
    let is_planning =
        Memo::new(move |_| state.analysis.phase.with(|phase| *phase == Phase::Planning));
    let section = NodeRef::<Section>::new();
    Effect::new(move |_| {
        if let Some(section) = section.get().filter(|_| is_planning.get()) {
            bring_up(&section);
        }
    });
    view! {
        <Show when=move || is_asked.get()>
            <section class="watch" node_ref=section aria-label="Progress" data-test="watch">
                <Progress/>
                <OnWorkerStatus/>
                <Failures/>
                <Warnings/>
            </section>
        </Show>
    }
}

/// On a narrow screen charts stand below what was asked: whoever runs it wants to see them.
fn bring_up(section: &web_sys::Element) {
    let height = window().inner_height().ok();
    let height = height.and_then(|height| height.as_f64());
    if height.is_some_and(|height| section.get_bounding_client_rect().top() > height) {
        section.scroll_into_view();
    }
}

#[component]
fn Progress() -> impl IntoView {
    let state = State::here();
    let analysis = state.analysis;
    let part = Memo::new(move |_| part_done(analysis));
    let percent = move || part.get() * 100.0;
    let stop = Memo::new(move |_| {
        let is_computing = analysis.phase.with(|phase| *phase == Phase::Computing);
        let is_stopping = analysis.on_worker.with(|on_worker| {
            on_worker
                .as_ref()
                .is_some_and(|on_worker| on_worker.is_stopping)
        });
        match (is_stopping, is_computing) {
            (true, _) => "Stopping…",
            (false, true) => "Stop",
            (false, false) => "Cancel",
        }
    });
    let is_planning = Memo::new(move |_| analysis.phase.with(|phase| *phase == Phase::Planning));
    let words = move || in_words(analysis);
    let bar = move || {
        if is_planning.get() {
            view! { <i class="moving"></i> }.into_any()
        } else {
            view! { <i style:width=move || format!("{:.1}%", percent())></i> }.into_any()
        }
    };
    view! {
        <div class="progress">
            <div
                class="track"
                class:over=move || !analysis.is_busy()
                role="progressbar"
                aria-label="Analysis"
                aria-valuemin="0"
                aria-valuemax="100"
                aria-valuenow=move || format!("{:.0}", percent())
                aria-valuetext=words
            >
                {bar}
            </div>
            <div class="row">
                <PhaseWords/>
                <span class="label" data-test="progress">{words}</span>
                <span class="grow"></span>
                <Show when=move || analysis.is_busy()>
                    <button class="quiet" data-test="cancel-analysis" on:click=move |_| analysis.cancel()>
                        {stop}
                    </button>
                </Show>
            </div>
        </div>
    }
}

/// The phase, told to screen readers when it changes.
#[component]
fn PhaseWords() -> impl IntoView {
    let state = State::here();
    let words = move || match state.analysis.phase.get() {
        Phase::Idle | Phase::Failed(_) => ().into_any(),
        Phase::Planning => {
            let words = state
                .analysis
                .on_worker
                .with(|on_worker| on_worker.as_ref().map(waiting_words));
            view! { <b data-test="state-planning">{words.unwrap_or_else(|| "Planning…".to_owned())}</b> }
                .into_any()
        }
        Phase::Computing => view! { <b>"Computing…"</b> }.into_any(),
        Phase::Done(seconds) => {
            let is_past = state.opened.with(Option::is_none) && !state.analysis.is_on_worker();
            let analysis = state.analysis;
            let has_none = analysis.tally.with(|tally| tally.numbers == 0);
            let has_failed = analysis.failures.with(|failures| !failures.is_empty());
            let (words, class) = match () {
                () if is_past => ("Saved results".to_owned(), "ok"),
                () if has_none && has_failed => ("Nothing could be computed".to_owned(), "bad"),
                () if has_failed => ("Done in part".to_owned(), "warn"),
                () => (format!("Done in {}", readout::duration(seconds)), "ok"),
            };
            view! { <b class=class data-test="state-done">{words}</b> }.into_any()
        }
        Phase::Cancelled => {
            view! { <b data-test="state-cancelled">"Stopped; what is here stays"</b> }.into_any()
        }
    };
    let failure = move || match state.analysis.phase.get() {
        Phase::Failed(message) => Some(view! {
            <p class="failure" role="alert" data-test="state-failed">{message}</p>
        }),
        _ => None,
    };
    view! { <span role="status" aria-live="polite">{words}</span> {failure} }
}

/// From 0 to 1.
fn part_done(analysis: Analysis) -> f64 {
    let (done, units) = (analysis.tally.get().units, analysis.cost.get().units);
    match analysis.phase.get() {
        Phase::Done(_) => 1.0,
        Phase::Idle | Phase::Planning => 0.0,
        _ if units == 0 => 0.0,
        Phase::Computing | Phase::Cancelled | Phase::Failed(_) => {
            (done as f64 / units as f64).min(1.0)
        }
    }
}

/// `9 of 12 lanes · 4.2 MB of 5.8 MB · 420 numbers · 0.1 s left`.
fn in_words(analysis: Analysis) -> Option<String> {
    let (cost, tally) = (analysis.cost.get(), analysis.tally.get());
    let phase = analysis.phase.get();
    let has_begun = match phase {
        Phase::Planning => false,
        Phase::Failed(_) => tally.units > 0,
        _ => cost.lanes > 0,
    };
    let waiting = network::waiting(tally.network).filter(|_| analysis.is_busy());
    if !has_begun {
        return waiting;
    }
    // A native worker tells of layer-steps, in no order.
    let lanes = (!analysis.is_on_worker()).then(|| {
        let lanes = readout::counted(cost.lanes, "lane");
        format!("{} of {lanes}", readout::count(tally.lanes))
    });
    let mut parts: Vec<String> = lanes.into_iter().collect();
    parts.push(format!(
        "{} of {}",
        readout::count(tally.units),
        readout::counted(cost.units, "layer step")
    ));
    parts.push(format!(
        "{} of {}",
        readout::bytes(tally.read_bytes),
        readout::bytes(cost.read_bytes)
    ));
    parts.push(readout::counted(tally.numbers, "number"));
    let is_heard = analysis.on_worker.with(|on_worker| {
        let connection = on_worker.as_ref().map(|on_worker| &on_worker.connection);
        connection.is_none_or(|connection| *connection == Connection::Up)
    });
    if phase == Phase::Computing && is_heard {
        parts.extend(left(tally, cost.units));
    }
    parts.extend(network::traffic(tally.network).map(|words| format!("network: {words}")));
    parts.extend(waiting);
    Some(parts.join(" · "))
}

/// What is left, by how fast it went; what was there before says nothing of that.
fn left(tally: Tally, units: u64) -> Option<String> {
    let done = tally.units.saturating_sub(tally.head_start) as f64;
    let all = units.saturating_sub(tally.head_start) as f64;
    let seconds = tally.seconds * (all - done) / done;
    (done > LEAST_PART * all).then(|| format!("{} left", readout::duration(seconds)))
}

/// Layers that could not be computed.
#[component]
fn Failures() -> impl IntoView {
    let state = State::here();
    move || {
        let failures = state.analysis.failures.get();
        if failures.is_empty() {
            return None;
        }
        let count = readout::counted(failures.len() as u64, "layer");
        let others = match state.analysis.tally.with(|tally| tally.numbers) {
            0 => "could not be computed.",
            _ => "could not be computed to the end; what the others found is here.",
        };
        let mut steps: Vec<u64> = failures.iter().filter_map(|(_, it)| it.step).collect();
        steps.sort_unstable();
        steps.dedup();
        let leave_out = steps.into_iter().take(MOST_STEPS);
        let leave_out = leave_out.map(|step| view! { <LeaveOut step then=Then::Run/> });
        let leave_out = leave_out.collect_view();
        let lines = in_lines(&failures)
            .into_iter()
            .map(|line| view! { <li>{line}</li> });
        Some(view! {
            <div class="remark bad" role="alert" data-test="failures">
                <div>
                    <p><b>{count}" "{others}</b></p>
                    <ul>{lines.collect_view()}</ul>
                    <p>"Run it again, with fewer threads if memory ran out, or leave out what is named."</p>
                    <div class="row">{leave_out}</div>
                </div>
            </div>
        })
    }
}

/// A line for each thing that went wrong; what went wrong at one step in many layers is said once.
fn in_lines(failures: &[(String, LaneFailure)]) -> Vec<String> {
    let mut lines: Vec<(Option<u64>, String, u64)> = Vec::new();
    for (name, failure) in failures {
        let known = lines.iter_mut().find(|(step, ..)| *step == failure.step);
        match known.filter(|_| failure.step.is_some()) {
            Some((.., others)) => *others += 1,
            None => {
                // A message of a step names its layer already.
                let words = match failure.step {
                    Some(_) => failure.message.clone(),
                    None => format!("{name}: {}", failure.message),
                };
                lines.push((failure.step, words, 0));
            }
        }
    }
    let line = |(step, words, others): (Option<u64>, String, u64)| match (others, step) {
        (0, _) | (_, None) => words,
        (others, Some(step)) => format!(
            "{words} (and {} at step {})",
            readout::counted(others, "other layer"),
            readout::count(step)
        ),
    };
    lines.into_iter().map(line).collect()
}

#[component]
fn Warnings() -> impl IntoView {
    let state = State::here();
    let count = Memo::new(move |_| state.analysis.warnings.with(Vec::len));
    let words = move || readout::counted(count.get() as u64, "warning");
    let lines = move || {
        state.analysis.warnings.with(|warnings| {
            let lines = warnings
                .iter()
                .map(|message| view! { <li>{message.clone()}</li> });
            lines.collect_view()
        })
    };
    view! {
        <Show when=move || { count.get() > 0 }>
            <details class="warnings" data-test="warnings">
                <summary>{words}</summary>
                <ul>{lines}</ul>
            </details>
        </Show>
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn one_reason_of_many_layers_is_said_once() {
        let failure = |name: &str, message: &str, step| {
            let message = message.to_owned();
            (name.to_owned(), LaneFailure { message, step })
        };
        let failures = [
            failure("layer 0", "layer 0, step 5: cut off", Some(5)),
            failure("layer 1", "no memory", None),
            failure("layer 2", "layer 2, step 5: cut off", Some(5)),
        ];
        assert_eq!(
            in_lines(&failures),
            [
                "layer 0, step 5: cut off (and 1 other layer at step 5)",
                "layer 1: no memory"
            ]
        );
    }

    #[test]
    fn what_is_left_follows_from_what_is_done() {
        let tally = |units, head_start| Tally {
            units,
            head_start,
            seconds: 3.0,
            ..Tally::default()
        };
        assert_eq!(left(tally(25, 0), 100).as_deref(), Some("9.0 s left"));
        assert_eq!(left(tally(1, 0), 100), None);
        assert_eq!(left(tally(75, 50), 150).as_deref(), Some("9.0 s left"));
        assert_eq!(left(tally(50, 50), 150), None);
    }
}
