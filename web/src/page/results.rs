//! What came of an analysis.

mod card;
mod toolbar;

use leptos::prelude::*;

use super::state::State;
use card::Card;
use toolbar::Toolbar;

/// The charts of an analysis.
#[component]
pub(super) fn ResultsView() -> impl IntoView {
    let state = State::here();
    let shown = move || {
        let metric = state.view.metric.get();
        let is_shown = |label: &str| metric.as_ref().is_none_or(|metric| metric == label);
        state.analysis.panels.with(|panels| {
            let shown = panels.all.iter().filter(|slot| is_shown(&slot.key.label));
            shown.cloned().collect::<Vec<_>>()
        })
    };
    view! {
        <Toolbar/>
        <div class="cards" data-test="chart">
            <For each=shown key=|slot| slot.key.clone() let:slot>
                <Card panel=slot.panel/>
            </For>
        </div>
    }
}
