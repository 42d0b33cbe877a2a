//! Taking edits back, and doing them again.

use leptos::prelude::*;

use crate::store::State;

/// Two buttons for the edits of both views.
#[component]
pub(super) fn History() -> impl IntoView {
    let ask = State::here().ask;
    view! {
        <span class="row tight">
            <button
                class="quiet"
                disabled=move || !ask.can_undo()
                data-test="undo"
                on:click=move |_| ask.undo()
            >
                "Undo"
            </button>
            <button
                class="quiet"
                disabled=move || !ask.can_redo()
                data-test="redo"
                on:click=move |_| ask.redo()
            >
                "Redo"
            </button>
        </span>
    }
}
