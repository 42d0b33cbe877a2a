//! Everything that is wrong with the config, in one list.

use ckptscope_protocol::ConfigProblem;
use leptos::prelude::*;

use super::editing::Editing;
use crate::screens::leave_out::{LeaveOut, Then};
use crate::screens::readout;
use crate::store::{Side, State};

/// Problems; a click leads to the line or to the field.
#[component]
pub(super) fn Troubles() -> impl IntoView {
    let state = State::here();
    let problems = Memo::new(move |_| state.ask.checked.with(|checked| checked.problems.clone()));
    let failure = move || {
        let message = state.ask.failure.get()?;
        Some(view! { <p class="failure" role="alert">{message}</p> })
    };
    let list = move || {
        let problems = problems.get();
        if problems.is_empty() {
            return None;
        }
        let count = readout::counted(problems.len() as u64, "problem");
        let lines = problems
            .into_iter()
            .map(|problem| view! { <Trouble problem/> });
        Some(view! {
            <div class="troubles" role="status" data-test="problems">
                <p>{count}</p>
                <ul>{lines.collect_view()}</ul>
            </div>
        })
    };
    view! { {failure} {list} }
}

#[component]
fn Trouble(problem: ConfigProblem) -> impl IntoView {
    let state = State::here();
    let editing = Editing::here();
    let line = problem.location.line;
    let metric = metric_of(&problem.location.path);
    let go = move |_| match (state.side.get_untracked(), metric) {
        (Side::ASK, Some(metric)) if !untrack(|| state.ask.is_form_behind()) => {
            editing.metric.set(Some(metric));
        }
        _ => {
            state.side.set(Side::YAML);
            editing.line.set(Some(line));
        }
    };
    let leave_out = problem
        .step
        .map(|step| view! { <LeaveOut step then=Then::Look/> });
    let place = match (line, problem.location.path) {
        (0, path) => path,
        (line, path) if path.is_empty() => format!("line {line}"),
        (line, path) => format!("line {line}, {path}"),
    };
    view! {
        <li>
            <button class="trouble" data-test="problem" on:click=go>
                <span class="mono">{place}</span>
                <span>{problem.message}</span>
            </button>
            {leave_out}
        </li>
    }
}

/// The metric that a path is in.
fn metric_of(path: &str) -> Option<usize> {
    let rest = path.strip_prefix("metrics[")?;
    rest.split_once(']')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_path_says_its_metric() {
        assert_eq!(metric_of("metrics[12].components[1].layers"), Some(12));
        assert_eq!(metric_of("steps.start"), None);
    }
}
