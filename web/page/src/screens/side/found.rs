//! What was found in a run, and which step and part of it is looked at.

use ckptscope_protocol::tab::{BrokenStepSummary, PartSummary, RunSummary, StepSummary};
use leptos::prelude::*;

use super::tab::Tab;
use crate::screens::explore::ExploreView;
use crate::screens::{network, readout};
use crate::store::explore::named;
use crate::store::{Side, State};

/// What was found, beside the tensors of a part.
pub(super) const TAB: Tab = Tab {
    name: Side::EXPLORE,
    title: "Explore",
    is_shown: State::is_run_open,
    view: || view! { <Found/> }.into_any(),
    main: Some(|| view! { <ExploreView/> }.into_any()),
    is_wide: false,
    has_footer: false,
};

/// Facts, choosers and warnings.
#[component]
fn Found() -> impl IntoView {
    let state = State::here();
    move || {
        let run = state
            .opened
            .with(|opened| Some(opened.as_ref()?.run.clone()))?;
        let steps = StoredValue::new(run.steps.clone());
        Some(view! {
            <section class="chooser">
                <Steps steps broken=run.broken_steps.clone()/>
                <Parts steps/>
            </section>
            <Facts run=run.clone()/>
            <Warnings warnings=run.warnings/>
        })
    }
}

/// The step that is looked at, and the way to the one before and after.
#[component]
fn Steps(steps: StoredValue<Vec<StepSummary>>, broken: Vec<BrokenStepSummary>) -> impl IntoView {
    let explore = State::here().explore;
    let now = Memo::new(move |_| {
        explore
            .part
            .with(|part| part.as_ref().map(|part| part.step))
    });
    let at = move || {
        let now = now.get()?;
        steps.with_value(|steps| steps.iter().position(|step| step.number == now))
    };
    let go = move |index: Option<usize>| {
        let step = steps.with_value(|steps| steps.get(index?).cloned());
        if let Some(step) = step {
            explore.go_to(&step);
        }
    };
    let last = steps.with_value(Vec::len).saturating_sub(1);
    let is_first = move || at().is_none_or(|at| at == 0);
    let is_last = move || at().is_none_or(|at| at == last);
    let options = steps.with_value(|steps| {
        let readable = steps.iter().map(|step| (step.number, None));
        let broken = broken
            .into_iter()
            .map(|step| (step.number, Some(step.reason)));
        let mut all: Vec<(u64, Option<String>)> = readable.chain(broken).collect();
        all.sort_by_key(|(number, _)| *number);
        let option = move |(number, reason): (u64, Option<String>)| {
            let is_now = move || now.get() == Some(number);
            let is_broken = reason.is_some();
            let mark = if is_broken { " · cannot be read" } else { "" };
            view! {
                <option
                    value=number.to_string()
                    prop:selected=is_now
                    disabled=is_broken
                    title=reason
                >
                    {number}{mark}
                </option>
            }
        };
        all.into_iter().map(option).collect_view()
    });
    let choose = move |value: String| {
        let number = value.parse::<u64>().ok();
        go(steps.with_value(|steps| steps.iter().position(|step| Some(step.number) == number)));
    };
    view! {
        <div class="field">
            <span id="explore-step">"Step"</span>
            <span class="row tight">
                <button
                    aria-label="The step before"
                    disabled=is_first
                    data-test="explore-step-before"
                    on:click=move |_| go(at().and_then(|at| at.checked_sub(1)))
                >
                    "‹"
                </button>
                <select
                    class="grow"
                    aria-labelledby="explore-step"
                    data-test="explore-step"
                    on:change:target=move |event| choose(event.target().value())
                >
                    {options}
                </select>
                <button
                    aria-label="The step after"
                    disabled=is_last
                    data-test="explore-step-after"
                    on:click=move |_| go(at().map(|at| at + 1))
                >
                    "›"
                </button>
            </span>
        </div>
    }
}

/// The kinds of data that the step has.
#[component]
fn Parts(steps: StoredValue<Vec<StepSummary>>) -> impl IntoView {
    let explore = State::here().explore;
    let parts = Memo::new(move |_| {
        let now = explore
            .part
            .with(|part| part.as_ref().map(|part| part.step));
        steps.with_value(|steps| {
            let step = steps.iter().find(|step| Some(step.number) == now);
            step.map(|step| (step.number, step.parts.clone()))
        })
    });
    let button = move |step: u64, part: PartSummary| {
        let name = named(step, &part);
        let chosen = name.clone();
        let is_on = Memo::new(move |_| explore.part.with(|now| now.as_ref() == Some(&name)));
        let split = part.split.clone().map(|split| format!(" · {split}"));
        let size = format!(
            "{}, {}",
            readout::counted(part.files, "file"),
            readout::bytes(part.bytes)
        );
        view! {
            <button
                class="part"
                class:on=move || is_on.get()
                aria-pressed=move || is_on.get().to_string()
                data-test="explore-part"
                on:click=move |_| explore.part.set(Some(chosen.clone()))
            >
                <span>{part.data_type}{split}</span>
                <span class="label">{size}</span>
            </button>
        }
    };
    let buttons = move || {
        let (step, parts) = parts.get()?;
        Some(
            parts
                .into_iter()
                .map(|part| button(step, part))
                .collect_view(),
        )
    };
    view! {
        <div class="field">
            <span>"Data"</span>
            <div class="parts" role="group" aria-label="Data">{buttons}</div>
        </div>
    }
}

#[component]
fn Facts(run: RunSummary) -> impl IntoView {
    let number = |count: Option<u64>| count.map(|count| count.to_string());
    let steps = match (run.steps.first(), run.steps.last()) {
        (Some(first), Some(last)) if run.steps.len() > 1 => {
            let count = readout::count(run.steps.len() as u64);
            format!("{count}, from {} to {}", first.number, last.number)
        }
        (Some(only), _) => only.number.to_string(),
        _ => "none".to_owned(),
    };
    let state = State::here();
    let place = state.opened.with_untracked(|opened| {
        let found = opened.as_ref()?.found.as_ref()?;
        Some(found.place.clone())
    });
    let network = move || {
        let words = network::traffic(state.web_workers.meter.get().get())?;
        Some(view! { <div><dt>"network"</dt><dd data-test="network">{words}</dd></div> })
    };
    let facts = [
        ("run", Some(run.name)),
        ("read from", place),
        ("layout", Some(run.layout)),
        ("steps", Some(steps)),
        ("cannot be read", broken_in_words(&run.broken_steps)),
        ("layers", number(run.n_layers)),
        ("heads", number(run.n_heads)),
        ("key-value heads", number(run.n_kv_heads)),
        ("d_model", number(run.d_model)),
        ("files", Some(readout::count(run.files))),
        ("size", Some(readout::bytes(run.bytes))),
    ];
    let facts = facts
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    let facts = facts.map(|(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> });
    view! { <dl class="facts-list" data-test="run-facts">{facts.collect_view()}{network}</dl> }
}

/// `step 400`, `3 steps`; none where all can be read.
fn broken_in_words(broken: &[BrokenStepSummary]) -> Option<String> {
    match broken {
        [] => None,
        [only] => Some(format!("step {}", only.number)),
        several => Some(readout::counted(several.len() as u64, "step")),
    }
}

#[component]
fn Warnings(warnings: Vec<String>) -> impl IntoView {
    if warnings.is_empty() {
        return None;
    }
    let count = readout::counted(warnings.len() as u64, "warning");
    let lines = warnings
        .into_iter()
        .map(|message| view! { <li>{message}</li> });
    Some(view! {
        <details class="warnings" open data-test="run-warnings">
            <summary>{count}</summary>
            <ul>{lines.collect_view()}</ul>
        </details>
    })
}
