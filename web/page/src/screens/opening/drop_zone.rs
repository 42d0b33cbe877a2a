//! The whole page takes what is dropped on it.

use leptos::ev;
use leptos::prelude::*;
use web_sys::{DragEvent, KeyboardEvent};

use crate::drop::Dropped;
use crate::store::open_request::OpenRequest;
use crate::store::{Stage, State};

/// Listens for files over the page, and says so while they are there. Escape gives up what is
/// being opened.
#[component]
pub(crate) fn DropZone() -> impl IntoView {
    let state = State::here();
    // Elements within the page are entered before others are left.
    let depth = RwSignal::new(0_i32);
    let enter = window_event_listener(ev::dragenter, move |event| {
        if has_files(&event) {
            event.prevent_default();
            depth.update(|depth| *depth += 1);
        }
    });
    let over = window_event_listener(ev::dragover, |event| {
        if has_files(&event) {
            event.prevent_default();
        }
    });
    let leave = window_event_listener(ev::dragleave, move |event| {
        if has_files(&event) {
            depth.update(|depth| *depth = (*depth - 1).max(0));
        }
    });
    let dropped = window_event_listener(ev::drop, move |event| {
        depth.set(0);
        if has_files(&event) {
            event.prevent_default();
            let transfer = event.data_transfer();
            let dropped = transfer.map(|it| Dropped::of(&it)).unwrap_or_default();
            state.open(OpenRequest::Dropped(dropped));
        }
    });
    let escape = window_event_listener(ev::keydown, move |event: KeyboardEvent| {
        let is_opening = matches!(state.stage.get_untracked(), Stage::Opening { .. });
        if event.key() == "Escape" && is_opening {
            state.settle();
        }
    });
    on_cleanup(move || {
        for listener in [enter, over, leave, dropped, escape] {
            listener.remove();
        }
    });
    view! {
        <Show when=move || { depth.get() > 0 }>
            <div class="overlay" data-test="drop-overlay">
                <div>
                    <strong>"Drop it anywhere"</strong>
                    <span>"A run folder, checkpoint files, or a results file. Nothing is uploaded."</span>
                </div>
            </div>
        </Show>
    }
}

/// Text that is dragged, into the YAML for one, is not ours.
fn has_files(event: &DragEvent) -> bool {
    let types = event.data_transfer().map(|transfer| transfer.types());
    types.is_some_and(|types| types.includes(&"Files".into(), 0))
}
