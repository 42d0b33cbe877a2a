//! How a native worker is started: the command, to be copied.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::save;

/// Of a worker that brings this page along.
pub(crate) const WITH_PAGE: &str = "worker serve --root PATH/TO/RUNS --open";

/// Of a worker that is used from a page that came from somewhere else.
pub(crate) fn from_elsewhere() -> String {
    let origin = window().location().origin().unwrap_or_default();
    format!("worker serve --allow-origin {origin} --root PATH/TO/RUNS")
}

/// A command, and a button that copies it.
#[component]
pub(crate) fn Command(#[prop(into)] text: String, test: &'static str) -> impl IntoView {
    view! {
        <pre class="command" data-test=test>{text.clone()}</pre>
        <CopyButton text label="Copy" test="copy-command"/>
    }
}

/// A button that puts a text on the clipboard, and says what came of it.
#[component]
pub(super) fn CopyButton(text: String, label: &'static str, test: &'static str) -> impl IntoView {
    let outcome = RwSignal::new(None::<Result<(), String>>);
    let copy = move |_| {
        let text = text.clone();
        spawn_local(async move {
            let copied = save::copy(&text).await;
            // Nobody waits for it where the button is gone.
            let _ = outcome.try_set(Some(copied));
        });
    };
    let words = move || match outcome.get() {
        None => label.to_owned(),
        Some(Ok(())) => "Copied".to_owned(),
        Some(Err(_)) => "Not allowed: select it".to_owned(),
    };
    view! {
        <button class="copy" data-test=test on:click=copy><span aria-live="polite">{words}</span></button>
    }
}
