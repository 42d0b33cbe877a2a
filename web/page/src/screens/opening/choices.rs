//! What a message names to choose from, as a choice.

use leptos::prelude::*;

use crate::store::State;
use crate::store::open_request::OpenRequest;

/// So many are offered.
const MOST_CHOICES: usize = 24;

/// What a message names to choose from.
#[component]
pub(crate) fn Choices() -> impl IntoView {
    let state = State::here();
    let choice = move |path: String| {
        let label = path.clone();
        let open = move |_| match state.web_workers.chosen(&path) {
            Some(files) => state.open(OpenRequest::Picked(files)),
            None => {
                state.given.give(path.clone(), None);
                state.open(OpenRequest::Place(path.clone()));
            }
        };
        view! { <button data-test="open-choice" on:click=open>"Open "{label}</button> }
    };
    move || {
        let paths = state.web_workers.choices.get();
        (!paths.is_empty()).then(|| {
            let named = paths.into_iter().filter(|path| !path.is_empty());
            let shown = named.take(MOST_CHOICES).map(choice).collect_view();
            view! { <div class="row choices-offered">{shown}</div> }
        })
    }
}
