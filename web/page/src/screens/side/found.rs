//! What was found in a run, and which step and part of it is looked at.

use std::collections::BTreeMap;

use ckptscope_protocol::tab::{BrokenStepSummary, PartSummary, RunSummary, StepSummary};
use ckptscope_vocabulary::sort::sort_by_key;
use leptos::prelude::*;

use super::tab::Tab;
use crate::screens::explore::ExploreView;
use crate::screens::{network, readout};
use crate::store::explore::named;
use crate::store::{Side, State};

/// What was found, beside the tensors of a part.
pub(super) static TAB: Tab = Tab {
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
    let run = Memo::new(move |_| {
        let run = state
            .opened
            .with(|opened| Some(opened.as_ref()?.run.clone()));
        run.unwrap_or_default()
    });
    view! {
        <section class="chooser">
            <Steps run/>
            <Parts run/>
        </section>
        <Facts run/>
        <Warnings run/>
    }
}

/// The step that is looked at, and the way to the one before and after.
#[component]
fn Steps(run: Memo<RunSummary>) -> impl IntoView {
    let explore = State::here().explore;
    let now = Memo::new(move |_| {
        explore
            .part
            .with(|part| part.as_ref().map(|part| part.step))
    });
    let place_of = move |number: Option<u64>| {
        run.with(|run| {
            run.steps
                .iter()
                .position(|step| Some(step.number) == number)
        })
    };
    let at = move || place_of(now.get());
    let go = move |index: Option<usize>| {
        let step = run.with_untracked(|run| run.steps.get(index?).cloned());
        if let Some(step) = step {
            explore.go_to(&step);
        }
    };
    let last = move || run.with(|run| run.steps.len().saturating_sub(1));
    let is_first = move || at().is_none_or(|at| at == 0);
    let is_last = move || at().is_none_or(|at| at == last());
    let choose = move |value: String| go(untrack(|| place_of(value.parse().ok())));
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
                    <Options run now/>
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

/// The steps to choose from, those that cannot be read marked.
#[component]
fn Options(run: Memo<RunSummary>, now: Memo<Option<u64>>) -> impl IntoView {
    let State { explore, ask, .. } = State::here();
    let choices = Memo::new(move |_| {
        let mut read = explore.unreadable.get();
        ask.checked.with(|checked| {
            let steps = checked.unreadable_steps.iter();
            read.extend(steps.map(|step| (step.number, step.reason.clone())));
        });
        run.with(|run| choices(run, &read))
    });
    let option = move |choice: StepChoice| {
        let number = choice.number;
        let is_now = move || now.get() == Some(number);
        let mark = choice.trouble.is_some().then_some(" · cannot be read");
        view! {
            <option
                value=number.to_string()
                prop:selected=is_now
                disabled=choice.is_broken
                title=choice.trouble
            >
                {number}{mark}
            </option>
        }
    };
    move || choices.get().into_iter().map(option).collect_view()
}

/// A step to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
struct StepChoice {
    number: u64,
    /// Why it cannot be read.
    trouble: Option<String>,
    /// Whether its names say so already, so that there is nothing to look at.
    is_broken: bool,
}

/// All steps, ascending; `read` has those that turned out not to be readable, with reasons.
fn choices(run: &RunSummary, read: &BTreeMap<u64, String>) -> Vec<StepChoice> {
    let found = run.steps.iter().map(|step| StepChoice {
        number: step.number,
        trouble: read.get(&step.number).cloned(),
        is_broken: false,
    });
    let broken = run.broken_steps.iter().map(|step| StepChoice {
        number: step.number,
        trouble: Some(step.reason.clone()),
        is_broken: true,
    });
    let mut all: Vec<StepChoice> = found.chain(broken).collect();
    sort_by_key(&mut all, |choice| choice.number);
    all
}

/// The kinds of data that the step has.
#[component]
fn Parts(run: Memo<RunSummary>) -> impl IntoView {
    let explore = State::here().explore;
    let step = Memo::new(move |_| {
        let now = explore
            .part
            .with(|part| part.as_ref().map(|part| part.step));
        run.with(|run| {
            let step = run.steps.iter().find(|step| Some(step.number) == now);
            step.cloned()
        })
    });
    let button = move |step: &StepSummary, part: PartSummary| {
        let name = named(step.number, &part);
        let chosen = name.clone();
        let is_on = Memo::new(move |_| explore.part.with(|now| now.as_ref() == Some(&name)));
        let split = part.split.clone().map(|split| format!(" · {split}"));
        let size = (!step.is_assumed).then(|| {
            let files = readout::counted(part.files, "file");
            format!("{files}, {}", readout::bytes(part.bytes))
        });
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
        let step = step.get()?;
        let parts = step.parts.iter().cloned();
        Some(parts.map(|part| button(&step, part)).collect_view())
    };
    view! {
        <div class="field">
            <span>"Data"</span>
            <div class="parts" role="group" aria-label="Data">{buttons}</div>
        </div>
    }
}

#[component]
fn Facts(run: Memo<RunSummary>) -> impl IntoView {
    let state = State::here();
    let network = move || {
        let words = network::traffic(state.web_workers.meter.get().get())?;
        Some(view! { <div><dt>"network"</dt><dd data-test="network">{words}</dd></div> })
    };
    let facts = move || {
        let place = state.opened.with_untracked(|opened| {
            let found = opened.as_ref()?.found.as_ref()?;
            Some(found.place.clone())
        });
        let facts = run.with(|run| facts(run, place)).into_iter();
        let fact = |(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> };
        facts.map(fact).collect_view()
    };
    view! { <dl class="facts-list" data-test="run-facts">{facts}{network}</dl> }
}

/// What there is to say of a run that was read from that place, by name.
fn facts(run: &RunSummary, place: Option<String>) -> Vec<(&'static str, String)> {
    let number = |count: Option<u64>| count.map(|count| count.to_string());
    let assumed = run.steps.iter().filter(|step| step.is_assumed).count();
    let of_listed = (assumed > 0).then(|| {
        let listed = (run.steps.len() - assumed) as u64;
        let steps = readout::counted(listed, "step");
        format!(", of the {steps} that were listed so far")
    });
    let of_listed = of_listed.unwrap_or_default();
    let facts = [
        ("run", Some(run.name.clone())),
        ("read from", place),
        ("layout", Some(run.layout.clone())),
        ("steps", Some(steps_in_words(&run.steps))),
        ("cannot be read", broken_in_words(&run.broken_steps)),
        ("stacks of layers", stacks_in_words(&run.stacks)),
        ("architecture", run.architecture.clone()),
        ("layers", number(run.n_layers)),
        ("heads", number(run.n_heads)),
        ("key-value heads", number(run.n_kv_heads)),
        ("experts", number(run.experts)),
        ("d_model", number(run.d_model)),
        (
            "unembedding",
            run.is_tied.then(|| "is the embedding".to_owned()),
        ),
        ("files", Some(readout::count(run.files) + &of_listed)),
        ("size", Some(readout::bytes(run.bytes))),
    ];
    let facts = facts.into_iter();
    facts
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// `154, from 0 to 143000`.
fn steps_in_words(steps: &[StepSummary]) -> String {
    match steps {
        [first, .., last] => {
            let count = readout::count(steps.len() as u64);
            format!("{count}, from {} to {}", first.number, last.number)
        }
        [only] => only.number.to_string(),
        [] => "none".to_owned(),
    }
}

/// `decoder.block (12 layers), encoder.block (12 layers)`; none where there is only one.
fn stacks_in_words(stacks: &[(String, u64)]) -> Option<String> {
    let stack = |(name, layers): &(String, u64)| {
        let layers = readout::counted(*layers, "layer");
        format!("{name} ({layers})")
    };
    let several = Some(stacks).filter(|stacks| stacks.len() > 1)?;
    Some(several.iter().map(stack).collect::<Vec<_>>().join(", "))
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
fn Warnings(run: Memo<RunSummary>) -> impl IntoView {
    let warnings =
        Memo::new(move |_| run.with(|run| [run.warnings.as_slice(), &run.file_warnings].concat()));
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
            <details class="warnings" open data-test="run-warnings">
                <summary>{count}</summary>
                <ul>{lines.collect_view()}</ul>
            </details>
        })
    }
}
