//! The page while a run or results are open.

use leptos::prelude::*;

use super::kept::KeptNotices;
use super::progress::ProgressView;
use super::results::ResultsView;
use super::side::{self, SidePanel};
use crate::store::State;

/// What is found and asked on one side; on the other what is looked at, or what came of it.
pub(super) fn workbench() -> AnyView {
    let state = State::here();
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
                <KeptNotices/>
                <ProgressView/>
                {main}
            </main>
        </div>
    }
    .into_any()
}
