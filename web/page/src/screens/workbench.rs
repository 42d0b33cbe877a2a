//! The page while a run or results are open.

use ckptscope_protocol::tab::RunSummary;
use leptos::prelude::*;

use super::arrival::ArrivalNotice;
use super::opening::{Choices, OpenMenu};
use super::progress::ProgressView;
use super::readout;
use super::results::ResultsView;
use super::side::{self, SidePanel};
use crate::store::{State, WorkbenchViews};

/// What is shown of what is open.
pub(super) const VIEWS: WorkbenchViews = WorkbenchViews {
    main: workbench,
    bar: || view! { <Bar/> }.into_any(),
    arrival: || view! { <ArrivalNotice/> }.into_any(),
    choices: || view! { <Choices/> }.into_any(),
};

/// What is found and asked on one side; on the other what is looked at, or what came of it.
fn workbench() -> AnyView {
    let state = State::here();
    let notices = move || state.kept.part.get().map(|part| (part.notices)());
    // Tabs beside which results stand are one here: going from one to the other keeps them.
    let tab = Memo::new(move |_| side::current(state).filter(|tab| tab.main.is_some()));
    let main = move || match tab.get().and_then(|tab| tab.main) {
        Some(view) => view(),
        None => view! { <ResultsView/> }.into_any(),
    };
    view! {
        <div class="shell">
            <SidePanel/>
            <main>
                {notices}
                <ProgressView/>
                {main}
            </main>
        </div>
    }
    .into_any()
}

/// What is open, in one line, and the ways to something else. The tab is called after it.
#[component]
fn Bar() -> impl IntoView {
    let state = State::here();
    Effect::new(move |_| document().set_title(&title(state)));
    on_cleanup(|| document().set_title("ckptscope"));
    let run = move || {
        state
            .opened
            .with(|opened| Some(summary(&opened.as_ref()?.run)))
    };
    view! {
        {run}
        <span class="grow"></span>
        <OpenMenu/>
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
