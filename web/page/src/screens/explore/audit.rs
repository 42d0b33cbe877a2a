//! Whether the steps of a repository are what they say.

use std::sync::Arc;

use ckptscope_protocol::tab::{AuditProgress, Audited, OddSteps};
use leptos::prelude::*;

use crate::screens::readout;
use crate::screens::track::Track;
use crate::store::State;
use crate::store::explore::Loadable;

/// So many steps of a finding are led to.
const STEPS_SHOWN: usize = 12;

/// The audit of a repository; nothing where another run is open.
#[component]
pub(super) fn Audit() -> impl IntoView {
    let state = State::here();
    let is_repository = Memo::new(move |_| {
        state.opened.with(|opened| {
            let found = opened.as_ref().and_then(|opened| opened.found.as_ref());
            found.is_some_and(|found| found.is_repository)
        })
    });
    let body = move || match state.audit.found.get() {
        Loadable::NotAsked => view! { <Invitation/> }.into_any(),
        Loadable::Loading => view! { <UnderWay/> }.into_any(),
        Loadable::Failed(message) => view! {
            <p class="failure" role="alert" data-test="audit-failed">{message}</p>
            <Invitation/>
        }
        .into_any(),
        Loadable::Loaded(audited) => view! { <Findings audited/> }.into_any(),
    };
    view! {
        <Show when=move || is_repository.get()>
            <section class="audit card" aria-label="Audit" data-test="audit">
                <header><h3>"Audit"</h3></header>
                {body}
            </section>
        </Show>
    }
}

/// What an audit does, and the way to it.
#[component]
fn Invitation() -> impl IntoView {
    let state = State::here();
    let steps = move || {
        let all = state.opened.with(|opened| {
            let run = opened.as_ref().map(|opened| &opened.run);
            run.map_or(0, |run| run.steps.len() + run.broken_steps.len())
        });
        readout::counted(all as u64, "step")
    };
    view! {
        <div class="row">
            <p class="label grow">
                "Is every step what it says? Weights are compared by the ids of their content, and                  tensors by the headers of their files. No tensor is read."
            </p>
            <button data-test="audit-begin" on:click=move |_| state.audit.begin()>
                "Audit "{steps}
            </button>
        </div>
    }
}

#[component]
fn UnderWay() -> impl IntoView {
    let audit = State::here().audit;
    let words = move || match audit.progress.get() {
        None | Some(AuditProgress::Listing(0)) => "Beginning…".to_owned(),
        Some(AuditProgress::Listing(steps)) => {
            let steps = readout::counted(steps, "step");
            format!("Listing the files of {steps}…")
        }
        Some(AuditProgress::Reading(done, of)) => {
            let (done, of) = (readout::count(done), readout::counted(of, "step"));
            format!("Reading headers: {done} of {of}")
        }
    };
    let percent = move || match audit.progress.get() {
        Some(AuditProgress::Reading(done, of)) => Some(done as f64 / of.max(1) as f64 * 100.0),
        _ => None,
    };
    view! {
        <Track label="audit" percent=Signal::derive(percent)/>
        <div class="row">
            <span class="label grow" role="status" data-test="audit-progress">{words}</span>
            <button data-test="audit-cancel" on:click=move |_| audit.cancel()>"Cancel"</button>
        </div>
    }
}

/// What is odd, or that nothing is.
#[component]
fn Findings(audited: Arc<Audited>) -> impl IntoView {
    let steps = readout::counted(audited.steps, "step");
    let summary = match audited.findings.len() {
        0 => format!("{steps}: nothing is odd about their weights."),
        1 => format!("{steps}: one thing is odd."),
        several => format!("{steps}: {several} things are odd."),
    };
    let findings = audited.findings.iter().cloned();
    let findings = findings.map(|finding| view! { <Finding finding/> });
    view! {
        <p role="status" data-test="audit-summary">{summary}</p>
        <ul class="findings">{findings.collect_view()}</ul>
    }
}

/// One of them, with the way to its steps.
#[component]
fn Finding(finding: OddSteps) -> impl IntoView {
    let state = State::here();
    let step = |number: u64| {
        let step = state.opened.with_untracked(|opened| {
            let steps = &opened.as_ref()?.run.steps;
            steps.iter().find(|step| step.number == number).cloned()
        });
        let step = step?;
        let name = format!("Look at step {number}");
        Some(view! {
            <button
                class="step"
                aria-label=name.clone()
                title=name
                data-test="audit-step"
                on:click=move |_| state.explore.go_to(&step)
            >
                {number}
            </button>
        })
    };
    let shown = finding.steps.iter().copied().take(STEPS_SHOWN);
    let steps: Vec<_> = shown.filter_map(step).collect();
    view! {
        <li data-test="audit-finding">
            <span>{finding.message}</span>
            <span class="steps">{steps}</span>
        </li>
    }
}
