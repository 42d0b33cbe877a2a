//! From a native worker that is named to the part of the program that speaks to it.

use ckptscope_web_browser::part::begin;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::views;
use crate::store::State;
use crate::store::native_worker::{NativeConnection, Standing, Views, storage};

/// Connects to the worker that the page came from, else to the one that was given last time.
pub(crate) fn begin(state: State) {
    let native_worker = state.native_worker;
    let told = storage::take_token_out_of_the_address();
    native_worker.told.set_value(told);
    if storage::names_a_worker() {
        native_worker.standing.set(Standing::Connecting);
        match native_worker.views.get_untracked() {
            Some(views) => (views.arrive)(native_worker),
            None => fetch_views(state),
        }
    }
}

/// Takes a token out of the address when that changes: somebody pasted what the worker said.
pub(crate) fn look_at_address(state: State) {
    if storage::has_token_in_address() {
        begin(state);
    }
}

/// Fetches the part of the program that speaks to a worker, and has it do so.
pub(super) fn fetch_views(state: State) {
    let native_worker = state.native_worker;
    if native_worker.views.with_untracked(Option::is_some) {
        return;
    }
    native_worker.missing.set(None);
    spawn_local(async move {
        if let Err(missing) = begin!(views::begin(state)) {
            native_worker.missing.set(Some(missing.to_string()));
        }
    });
}

/// What that part of the program shows, once it is there.
pub(crate) fn shown(native_worker: NativeConnection, what: fn(Views) -> AnyView) -> AnyView {
    (move || native_worker.views.get().map(what)).into_any()
}
