//! The workbench's side: what was found, and what is asked.

use leptos::prelude::*;

use super::state::State;

/// What is asked, and the way to run it.
#[component]
pub(super) fn SidePanel() -> impl IntoView {
    let state = State::here();
    view! {
        <aside>
            <textarea aria-label="config" prop:value=move || state.ask.text.get()></textarea>
            <button class="primary" data-test="run" on:click=move |_| state.run()>"Run"</button>
            <Show when=move || state.analysis.is_busy()>
                <button data-test="cancel" on:click=move |_| state.analysis.cancel()>"Cancel"</button>
            </Show>
        </aside>
    }
}
