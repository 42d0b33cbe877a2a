//! The page while a run or results are open.

use leptos::prelude::*;

use super::explore::ExploreView;
use super::results::ResultsView;
use super::side::SidePanel;
use super::store::{Side, State};
use super::watch::Watch;

/// What is found and asked on one side; on the other what is looked at, or what came of it.
pub(super) fn workbench() -> AnyView {
    let state = State::here();
    let is_exploring =
        Memo::new(move |_| state.side.get() == Side::Explore && state.opened.with(Option::is_some));
    view! {
        <div class="shell">
            <SidePanel/>
            <main>
                <Watch/>
                <Show when=move || is_exploring.get() fallback=|| view! { <ResultsView/> }>
                    <ExploreView/>
                </Show>
            </main>
        </div>
    }
    .into_any()
}
