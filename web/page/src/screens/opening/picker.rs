//! File and folder pickers.

use ckptscope_web_browser::text_of;
use leptos::ev::Event;
use leptos::html::{Details, Input};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::remote::RemoteFields;
use crate::drop;
use crate::handles;
use crate::screens::native_worker::fetching::shown;
use crate::store::State;
use crate::store::open_request::OpenRequest;

/// The ways to another run, while one is open.
#[component]
pub(crate) fn OpenMenu() -> impl IntoView {
    let state = State::here();
    let menu = NodeRef::<Details>::new();
    let fold = move || {
        if let Some(menu) = menu.get_untracked() {
            menu.set_open(false);
        }
    };
    view! {
        <details class="menu" node_ref=menu>
            <summary data-test="open-menu">"Open…"</summary>
            <div class="sheet" on:click=move |_| fold()>
                <Pickers/>
                <RemoteFields/>
                {shown(state.native_worker, |views| (views.runs)())}
                {move || state.kept.part.get().map(|part| (part.list)())}
                <button data-test="demo" on:click=move |_| state.open(OpenRequest::Demo)>"Demo run"</button>
                <button data-test="close" on:click=move |_| state.leave()>"Close this one"</button>
            </div>
        </details>
    }
}

/// Buttons that open the browser's pickers.
#[component]
pub(super) fn Pickers() -> impl IntoView {
    let files = NodeRef::<Input>::new();
    let folder = NodeRef::<Input>::new();
    folder.on_load(|input| input.set_webkitdirectory(true));
    view! {
        <Picker input=files test="pick-files" label="Choose files"/>
        <Picker input=folder test="pick-folder" label="Choose a folder" is_folder=true/>
    }
}

#[component]
fn Picker(
    input: NodeRef<Input>,
    test: &'static str,
    label: &'static str,
    #[prop(optional)] is_folder: bool,
) -> impl IntoView {
    let state = State::here();
    let take = move |_: Event| {
        let Some(input) = input.get_untracked() else {
            return;
        };
        if let Some(list) = input.files() {
            state.open(OpenRequest::Picked(drop::picked(&list)));
        }
        // The same file may be picked again.
        input.set_value("");
    };
    view! {
        <input
            type="file"
            multiple
            hidden
            aria-label=label
            data-test=format!("{test}-input")
            node_ref=input
            on:change=take
            on:click=|event| event.stop_propagation()
        />
        <button
            data-test=test
            on:click=move |_| match is_folder && handles::has_picker() {
                true => state.open(OpenRequest::PickFolder),
                false => press(input),
            }
        >
            {label}
        </button>
    }
}

/// A button that reads one text file.
#[component]
pub(crate) fn PickText(
    label: &'static str,
    test: &'static str,
    accept: &'static str,
    take: Callback<Result<String, String>>,
) -> impl IntoView {
    let input = NodeRef::<Input>::new();
    let read = move |_: Event| {
        let Some(input) = input.get_untracked() else {
            return;
        };
        let file = input.files().and_then(|files| files.get(0));
        input.set_value("");
        if let Some(file) = file {
            spawn_local(async move {
                let text = text_of(&file).await;
                let named = |reason| format!("{} could not be read: {reason}", file.name());
                take.run(text.map_err(named));
            });
        }
    };
    view! {
        <input
            type="file"
            hidden
            accept=accept
            aria-label=label
            data-test=format!("{test}-input")
            node_ref=input
            on:change=read
        />
        <button data-test=test on:click=move |_| press(input)>{label}</button>
    }
}

fn press(input: NodeRef<Input>) {
    if let Some(input) = input.get_untracked() {
        input.click();
    }
}
