//! What a person sees.

mod arrival;
mod begin;
mod dialog;
mod explore;
mod kept;
mod menus;
mod native_worker;
mod network;
mod opening;
mod progress;
mod readout;
mod results;
mod side;
mod workbench;

use ckptscope_protocol::tab::RunSummary;
use leptos::mount::mount_to_body;
use leptos::prelude::*;

use arrival::ArrivalNotice;
use native_worker::NativeWorkerMenu;
use native_worker::fetching;
use opening::{DropZone, OpenMenu, Opening, UnderWay};

use crate::store::State;

/// Puts the page into the document.
pub fn mount() {
    mount_to_body(Page);
}

/// The whole page: the opening until a run is there, then the workbench.
#[component]
fn Page() -> impl IntoView {
    let state = State::new(begin::open);
    provide_context(state);
    fetching::begin(state);
    arrival::follow_address(state);
    menus::begin();
    begin::prepare(state);
    let is_open = Memo::new(move |_| state.has_content());
    Effect::new(move |_| document().set_title(&title(state)));
    view! {
        <TopBar/>
        <ArrivalNotice/>
        <Show when=move || is_open.get() fallback=|| view! { <Opening/> }>
            <UnderWay/>
            {move || state.workbench.get_value().map(|workbench| workbench())}
        </Show>
        <DropZone/>
        {fetching::shown(state.native_worker, |views| (views.history)())}
    }
}

/// What the tab is called: the analysis and its run.
fn title(state: State) -> String {
    let run = state
        .opened
        .with(|opened| opened.as_ref().map(|opened| opened.run.name.clone()));
    let (analysis, source) = state.analysis.results.with(|results| {
        let results = results.as_ref();
        results
            .map(|results| (results.analysis_name.clone(), results.source.clone()))
            .unzip()
    });
    let parts = [analysis, run.or(source), Some("ckptscope".to_owned())];
    let mut parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.dedup();
    parts.join(" · ")
}

#[component]
fn TopBar() -> impl IntoView {
    let state = State::here();
    let run = move || {
        state
            .opened
            .with(|opened| Some(summary(&opened.as_ref()?.run)))
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
                "ckptscope"
            </span>
            {run}
            <span class="grow"></span>
            <Show when=move || state.has_content()><OpenMenu/></Show>
            <NativeWorkerMenu/>
        </header>
    }
}

/// What was found, in one line.
fn summary(run: &RunSummary) -> impl IntoView + use<> {
    let shared = run.n_kv_heads.filter(|n| run.n_heads != Some(*n));
    let shared = shared.map(|n| format!(" ({n} kv)")).unwrap_or_default();
    let heads = run
        .n_heads
        .map(|n| format!(" × {}{shared}", readout::counted(n, "head")));
    let layers = run.n_layers.map(|n| readout::counted(n, "layer"));
    let shape = layers.map(|layers| layers + &heads.unwrap_or_default());
    let width = run.d_model.map(|n| format!("d_model {n}"));
    let steps = Some(readout::counted(run.steps.len() as u64, "step"));
    let parts: Vec<String> = [steps, shape, width].into_iter().flatten().collect();
    view! { <span class="chip source"><b>{run.name.clone()}</b>" · "{parts.join(" · ")}</span> }
}
