//! The part of the program that speaks to a native worker and shows what it has.

use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
#[cfg(feature = "split")]
use leptos::wasm_split::wasm_split;
use wasm_bindgen::JsCast;
use web_sys::Node;

use super::{Companion, follow, history, menu, opening, runs};
use crate::native::NativeWorker;
use crate::page::analysis::computer::{Computer, Listener};
use crate::page::state::{State, Wish};
use crate::part::MissingPart;

/// What that part does, for whoever does not have it.
#[derive(Clone, Copy)]
pub(in crate::page) struct Views {
    /// What is in the worker's menu.
    pub menu: fn() -> AnyView,
    /// Its runs.
    pub runs: fn() -> AnyView,
    /// Its analyses, in a dialog.
    pub history: fn() -> AnyView,
    /// Connects to the worker that is named.
    pub arrive: fn(Companion),
    /// Asks how things stand.
    pub look: fn(Companion),
    /// Has the worker compute what is asked.
    pub send: fn(State),
    /// Tells of an analysis of the worker's.
    pub follow: fn(Companion, NativeWorker, String, Listener) -> Box<dyn Computer>,
}

/// Connects to the worker that is named, where one is, and shows it from now on.
#[cfg_attr(
    feature = "split",
    wasm_split(companion, wasm_split_path = ::leptos::wasm_split, fallible)
)]
#[expect(clippy::unnecessary_wraps, reason = "fails where the part is missing")]
pub(super) fn begin(companion: Companion) -> Result<(), MissingPart> {
    // Two may have waited for it.
    if companion.views.with_untracked(Option::is_some) {
        return Ok(());
    }
    companion.views.set(Some(Views {
        menu: menu::view,
        runs: runs::view,
        history: history::view,
        arrive: Companion::arrive,
        look: |companion| spawn_local(companion.look()),
        send: State::send_now,
        follow: follow::listen,
    }));
    fold_by_clicks_elsewhere(companion);
    companion.arrive();
    spawn_local(companion.keep_watch());
    Ok(())
}

/// Opens an analysis by its id, once there is a worker.
#[cfg_attr(
    feature = "split",
    wasm_split(companion, wasm_split_path = ::leptos::wasm_split, fallible)
)]
#[expect(clippy::unnecessary_wraps, reason = "fails where the part is missing")]
pub(in crate::page) fn open_linked(
    state: State,
    wish: Wish,
    id: String,
) -> Result<(), MissingPart> {
    spawn_local(opening::open_linked(state, wish, id));
    Ok(())
}

/// Folds the worker's menu when somebody turns to something else.
fn fold_by_clicks_elsewhere(companion: Companion) {
    // The page lives as long as the tab.
    let _ = window_event_listener(ev::pointerdown, move |event| {
        let target = event.target();
        let target = target.and_then(|target| target.dyn_into::<Node>().ok());
        let menu = document().query_selector(".worker-menu").ok().flatten();
        if menu.is_some_and(|menu| !menu.contains(target.as_ref())) {
            companion.is_menu_open.set(false);
        }
    });
}
