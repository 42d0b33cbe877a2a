//! What an analysis will cost, and the way to run it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use trainscope_analysis::protocol::Cost;

use super::trouble::Troubles;
use crate::page::readout;
use crate::page::state::State;
use crate::save;

/// Memory of one lane that a web worker may not have.
const MOST_BYTES: u64 = 2_000_000_000;

/// Seconds above which a machine of one's own is the better place.
const LONG_SECONDS: f64 = 300.0;

/// What the native worker is started with.
const COMMAND: &str = "worker analyze --config config.yaml --run-path PATH/TO/RUN";

/// What is wrong, what it costs, and the button.
#[component]
pub(super) fn Footer() -> impl IntoView {
    view! {
        <div class="footer">
            <Troubles/>
            <Warnings/>
            <Price/>
            <Threads/>
            <Run/>
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

/// How many lanes are computed at once, at most.
fn workers(state: State, cost: &Cost) -> u64 {
    let lanes = cost.lanes.max(1);
    (state.desk.pool_size.get() as u64).clamp(1, lanes)
}

/// How long it will take here; none where this machine's speed is not known.
fn seconds(state: State, cost: &Cost) -> Option<f64> {
    let speed = state
        .opened
        .with(|opened| Some(opened.as_ref()?.flops_per_second))?;
    (speed > 0.0).then(|| cost.flops / speed / workers(state, cost) as f64)
}

#[component]
fn Price() -> impl IntoView {
    let state = State::here();
    let cost = Memo::new(move |_| state.ask.checked.with(|checked| checked.cost));
    let words = move || {
        let cost = cost.get()?;
        let steps = state.ask.checked.with(|checked| checked.steps);
        let memory = cost.peak_bytes.saturating_mul(workers(state, &cost));
        let mut parts = vec![
            readout::counted(steps, "step"),
            readout::counted(cost.records, "number"),
            format!("{} to read", readout::bytes(cost.read_bytes)),
            readout::operations(cost.flops),
            format!("{} of memory", readout::bytes(memory)),
        ];
        parts.extend(seconds(state, &cost).map(|time| format!("{} here", about(time))));
        Some(parts.join(" · "))
    };
    let advice = move || {
        let cost = cost.get()?;
        let reason = too_much(&cost, seconds(state, &cost))?;
        Some(view! { <Advice reason/> })
    };
    view! {
        <p class="label" data-test="cost">{words}</p>
        {advice}
    }
}

/// Of a short analysis the operations say little: starting workers and reading take longer.
fn about(seconds: f64) -> String {
    if seconds < 1.0 {
        "a second or two".to_owned()
    } else {
        format!("about {}", readout::duration(seconds))
    }
}

/// Why a tab is not the place for it.
fn too_much(cost: &Cost, seconds: Option<f64>) -> Option<String> {
    if cost.peak_bytes > MOST_BYTES {
        return Some(format!(
            "One layer needs {} of memory, more than a tab has. Choose fewer components, or use the native worker:",
            readout::bytes(cost.peak_bytes)
        ));
    }
    let seconds = seconds.filter(|seconds| *seconds > LONG_SECONDS)?;
    Some(format!(
        "This takes {} in a tab that has to stay open. The native worker is faster and can resume:",
        about(seconds)
    ))
}

#[component]
fn Advice(reason: String) -> impl IntoView {
    let said = RwSignal::new("Copy");
    let copy = move |_| {
        spawn_local(async move {
            let copied = save::copy(COMMAND).await;
            said.set(if copied.is_ok() {
                "Copied"
            } else {
                "Select it and copy it"
            });
        });
    };
    view! {
        <div class="remark" role="status" data-test="too-much">
            <div>
                <p>{reason}</p>
                <pre class="command">{COMMAND}</pre>
                <p class="label">"Save the config from the YAML tab first."</p>
            </div>
            <button on:click=copy>{move || said.get()}</button>
        </div>
    }
}

/// How many workers compute at once.
#[component]
fn Threads() -> impl IntoView {
    let desk = State::here().desk;
    let set = move |value: String| {
        if let Ok(size) = value.parse::<usize>() {
            desk.pool_size.set(size.clamp(1, desk.threads));
        }
    };
    let words = move || readout::counted(desk.pool_size.get() as u64, "thread");
    (desk.threads > 1).then(|| {
        view! {
            <label class="field across">
                <span>{words}</span>
                <input
                    type="range"
                    min="1"
                    max=desk.threads.to_string()
                    aria-label="Threads"
                    data-test="threads"
                    prop:value=move || desk.pool_size.get().to_string()
                    on:input:target=move |event| set(event.target().value())
                />
            </label>
        }
    })
}

#[component]
fn Run() -> impl IntoView {
    let state = State::here();
    // Typing may still be unchecked when a person asks to run it.
    let is_wanted = RwSignal::new(false);
    Effect::new(move |_| {
        if is_wanted.get() && !state.ask.is_checking.get() {
            is_wanted.set(false);
            if untrack(|| state.ask.is_right()) {
                state.run();
            }
        }
    });
    let ask_to_run = move || {
        if state.ask.is_checking.get_untracked() {
            state.ask.hurry();
        }
        is_wanted.set(true);
    };
    let keys = window_event_listener(leptos::ev::keydown, move |event| {
        if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
            event.prevent_default();
            ask_to_run();
        }
    });
    on_cleanup(move || keys.remove());
    let is_busy = move || state.analysis.is_busy();
    let is_right = Memo::new(move |_| state.ask.is_checking.get() || state.ask.is_right());
    let words = move || if is_busy() { "Run again" } else { "Run" };
    view! {
        <div class="run">
            <button
                class="primary"
                disabled=move || !is_right.get()
                title=move || if is_right.get() { "Ctrl+Enter" } else { "The config has problems" }
                data-test="run"
                on:click=move |_| ask_to_run()
            >
                {words}
            </button>
            <Show when=is_busy>
                <button data-test="cancel" on:click=move |_| state.analysis.cancel()>"Cancel"</button>
            </Show>
        </div>
        <p class="label" role="status">
            {move || {
                let has_problems = state.ask.checked.with(|checked| !checked.problems.is_empty());
                (!is_right.get() && has_problems).then_some("It can be run when the problems above are solved.")
            }}
        </p>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_tab_cannot_do_is_said() {
        let small = Cost::default();
        assert_eq!(too_much(&small, Some(2.0)), None);
        let wide = Cost {
            peak_bytes: 3_100_000_000,
            ..small
        };
        assert!(too_much(&wide, None).is_some_and(|words| words.contains("3.1 GB")));
        assert!(too_much(&small, Some(7200.0)).is_some_and(|words| words.contains("2.0 hours")));
    }
}
