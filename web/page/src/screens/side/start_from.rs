//! Analyses worth doing, to start from.

use ckptscope_protocol::tab::Proposal;
use leptos::html::Details;
use leptos::prelude::*;

use super::editing::Editing;
use crate::store::State;

/// A menu of proposals; the config before can be had back.
#[component]
pub(super) fn StartFrom() -> impl IntoView {
    let state = State::here();
    let editing = Editing::here();
    let menu = NodeRef::<Details>::new();
    let offer = move |proposal: Proposal| {
        let text = proposal.text;
        let take = move |_| {
            if let Some(menu) = menu.get_untracked() {
                menu.set_open(false);
            }
            editing.metric.set(None);
            state.ask.replace(text.clone());
        };
        view! {
            <button class="offer" data-test="proposal" on:click=take>
                <b>{proposal.title}</b>
                <span class="label">{proposal.summary}</span>
            </button>
        }
    };
    let offers = move || {
        let proposals = state
            .opened
            .with(|opened| Some(opened.as_ref()?.proposals.clone()))?;
        Some(proposals.into_iter().map(offer).collect_view())
    };
    view! {
        <details class="menu" node_ref=menu>
            <summary data-test="start-from">"Start from…"</summary>
            <div class="sheet">{offers}</div>
        </details>
    }
}
