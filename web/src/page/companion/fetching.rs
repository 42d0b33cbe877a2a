//! From a native worker that is named to the part of the program that speaks to it.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::views;
use crate::page::store::State;
use crate::page::store::companion::{Companion, Standing, Views, storage};
use crate::part::begin;

/// Connects to the worker that the page came from, else to the one that was given last time.
pub(in crate::page) fn begin(state: State) {
    let companion = state.companion;
    let told = storage::take_token_out_of_the_address();
    companion.told.set_value(told);
    if storage::names_a_worker() {
        companion.standing.set(Standing::Connecting);
        match companion.views.get_untracked() {
            Some(views) => (views.arrive)(companion),
            None => fetch_views(state),
        }
    }
}

/// Takes a token out of the address when that changes: somebody pasted what the worker said.
pub(in crate::page) fn look_at_address(state: State) {
    if storage::has_token_in_address() {
        begin(state);
    }
}

/// Fetches the part of the program that speaks to a worker, and has it do so.
pub(super) fn fetch_views(state: State) {
    let companion = state.companion;
    if companion.views.with_untracked(Option::is_some) {
        return;
    }
    companion.missing.set(None);
    spawn_local(async move {
        if let Err(missing) = begin!(views::begin(state)) {
            companion.missing.set(Some(missing.to_string()));
        }
    });
}

/// What that part of the program shows, once it is there.
pub(in crate::page) fn shown(companion: Companion, what: fn(Views) -> AnyView) -> AnyView {
    (move || companion.views.get().map(what)).into_any()
}
