//! The way to a run on the Hugging Face Hub, or at any address.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use crate::store::State;
use crate::store::open_request::OpenRequest;

/// Fields for a place and a token.
#[component]
pub(super) fn RemoteFields() -> impl IntoView {
    let state = State::here();
    let given = state.given;
    let open = move |event: SubmitEvent| {
        event.prevent_default();
        let place = given.place.get_untracked();
        state.open(OpenRequest::Place(place));
    };
    view! {
        <div class="remote" on:click=|event| event.stop_propagation()>
            <label class="label" for="remote-place">"Hugging Face repository or address"</label>
            <form class="row" on:submit=open>
                <input
                    id="remote-place"
                    type="text"
                    placeholder="owner/name"
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    data-test="remote-place"
                    prop:value=given.place
                    on:input=move |event| given.place.set(event_target_value(&event))
                />
                <button type="submit" data-test="remote-open">"Open"</button>
            </form>
            <details>
                <summary data-test="remote-more">"Private or gated? What can be opened?"</summary>
                <label>
                    "Token"
                    <input
                        type="password"
                        autocomplete="off"
                        data-test="remote-token"
                        prop:value=given.token
                        on:input=move |event| given.token.set(event_target_value(&event))
                    />
                </label>
                <span class="label">
                    "Kept in this tab only, and sent to the Hub itself only. It is never in links, results or \
                     addresses."
                </span>
                <span class="label">
                    "A repository ("<code>"owner/name"</code>"), with a branch, tag, commit or pattern of them ("
                    <code>"owner/name@revision"</code>", "<code>"owner/name@step{N}"</code>
                    "), an address of it in the browser, or any address of a checkpoint file whose server allows \
                     ranges and other sites to read (CORS)."
                </span>
            </details>
        </div>
    }
}
