//! What came of an analysis.

mod basis;
mod card;
mod drawing;
pub(super) mod enlarged;
mod export;
mod legend;
mod lines;
mod near;
mod picture;
mod pins;
mod render_queue;
mod rows;
mod saving;
mod share;
mod shown;
mod table;
mod tiles;
mod toolbar;

use ckptscope_chart::Tiles;
use leptos::prelude::*;

use crate::panel::PanelSlot;
use crate::store::State;
use crate::store::analysis::Phase;
use basis::Basis;
use card::Card;
use enlarged::Enlarged;
use render_queue::RenderQueue;
use shown::Shown;
use toolbar::Toolbar;

/// The charts of an analysis.
#[component]
pub(super) fn ResultsView() -> impl IntoView {
    let state = State::here();
    provide_context(RenderQueue::new());
    provide_context(Basis::new(state));
    let shown = move || {
        let metric = state.view.metric.get();
        state.analysis.panels.with(|panels| {
            // A metric that an older analysis had, or a link names, may not be there.
            let metric = metric.filter(|metric| panels.labels().contains(metric));
            let is_shown = |slot: &&PanelSlot| {
                metric
                    .as_ref()
                    .is_none_or(|label| **label == *slot.id.entry.label)
            };
            panels
                .all
                .iter()
                .filter(is_shown)
                .cloned()
                .collect::<Vec<_>>()
        })
    };
    let is_wide = move || {
        let chart = state.view.mode.with(Shown::of).chart();
        chart.is_none_or(|chart| chart.tiles != Tiles::All)
    };
    let is_busy = move || state.analysis.is_feeding.get().then_some("true");
    view! {
        <section
            class="results"
            aria-label="results"
            aria-busy=is_busy
            data-test="results"
        >
            <Toolbar/>
            <Nothing/>
            <div class="cards" class:wide=is_wide data-test="chart">
                <For each=shown key=|slot| slot.id.clone() let:chart>
                    <Card chart/>
                </For>
            </div>
            <Enlarged/>
        </section>
    }
}

/// Says why there are no charts, where there are none.
#[component]
fn Nothing() -> impl IntoView {
    let state = State::here();
    let words = move || {
        if state.analysis.panels.with(|panels| !panels.all.is_empty()) {
            return None;
        }
        match state.analysis.phase.get() {
            Phase::Idle => Some("Nothing is computed yet: choose what to ask, then run it."),
            Phase::Planning | Phase::Computing => Some("Charts appear here as numbers come in."),
            Phase::Done(_) => Some("There are no numbers in these results."),
            Phase::Cancelled => Some("It was stopped before there were any numbers."),
            Phase::Failed(_) => None,
        }
    };
    move || words().map(|words| view! { <p class="nothing" data-test="no-charts">{words}</p> })
}
