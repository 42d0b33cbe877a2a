//! What a person sees.

mod card;
mod opening;
mod readout;
mod sidebar;
mod state;
mod surroundings;
mod toolbar;

use leptos::mount::mount_to_body;
use leptos::prelude::*;

use opening::Opening;
use sidebar::Sidebar;
use state::{Phase, State};
use toolbar::Toolbar;

/// Puts the page into the document.
pub fn mount() {
    mount_to_body(Page);
}

/// The whole page: the opening until a run is there, then the workbench.
#[component]
fn Page() -> impl IntoView {
    let state = State::new();
    provide_context(state);
    let is_open = Memo::new(move |_| state.run.with(Option::is_some));
    view! {
        <TopBar/>
        <Show when=move || is_open.get() fallback=|| view! { <Opening/> }>
            <Workbench/>
        </Show>
    }
}

#[component]
fn TopBar() -> impl IntoView {
    let state = State::here();
    let run = move || {
        let run = state.run.get()?;
        let layers = run
            .n_layers
            .map(|n| format!(" · {n} layers"))
            .unwrap_or_default();
        let heads = run
            .n_heads
            .map(|n| format!(" × {n} heads"))
            .unwrap_or_default();
        let shared = run.n_kv_heads.filter(|n| run.n_heads != Some(*n));
        let shared = shared.map(|n| format!(" ({n} kv)")).unwrap_or_default();
        let width = run
            .d_model
            .map(|n| format!(" · d_model {n}"))
            .unwrap_or_default();
        let rest = format!(" · {} steps{layers}{heads}{shared}{width}", run.steps.len());
        Some(view! { <span class="chip source"><b>{run.name}</b>{rest}</span> })
    };
    view! {
        <header class="bar">
            <span class="logo">
                <svg viewBox="0 0 22 22" width="22" height="22" aria-hidden="true">
                    <rect x="1" y="1" width="20" height="20" rx="6" fill="var(--accent)"/>
                    <polyline
                        points="4,15 8,13 11,14 14,8 18,6"
                        fill="none"
                        stroke="var(--accent-ink)"
                        stroke-width="2"
                        stroke-linecap="round"
                        stroke-linejoin="round"
                    />
                </svg>
                "trainscope"
            </span>
            {run}
            <span class="grow"></span>
            <span class="chip"><span class="ok">"●"</span>" computes in this tab"</span>
        </header>
    }
}

#[component]
fn Workbench() -> impl IntoView {
    let state = State::here();
    let shown = Memo::new(move |_| state.shown_panels());
    view! {
        <div class="shell">
            <Sidebar/>
            <main>
                <Progress/>
                <Warnings/>
                <Toolbar/>
                <div class="cards" data-test="chart">
                    <For each=move || 0..shown.with(Vec::len) key=|index| *index let:index>
                        <card::Card panel=Signal::derive(move || shown.with(|all| all.get(index).cloned()))/>
                    </For>
                </div>
            </main>
        </div>
    }
}

#[component]
fn Progress() -> impl IntoView {
    let state = State::here();
    let part = move || {
        let (done, units) = (state.done_units.get(), state.cost.get().units);
        if units == 0 {
            0.0
        } else {
            done as f64 / units as f64 * 100.0
        }
    };
    let words = move || {
        let (cost, done) = (state.cost.get(), state.done_units.get());
        format!(
            "{done} of {} layer steps · {} of {} · {} numbers",
            cost.units,
            readout::bytes(state.read_bytes.get()),
            readout::bytes(cost.read_bytes),
            state.numbers.get(),
        )
    };
    let phase = move || {
        match state.phase.get() {
        Phase::Failed(message) => view! {
            <p class="failure" role="alert" data-test="state-failed">{message}</p>
        }
        .into_any(),
        Phase::Done => view! {
            <span class="label" data-test="state-done">{move || format!(" · done in {:.1} s", state.seconds.get())}</span>
        }
        .into_any(),
        _ => ().into_any(),
    }
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
        let warnings = state.warnings.get();
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
