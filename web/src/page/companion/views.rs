//! The part of the program that speaks to a native worker and shows what it has.

use leptos::prelude::*;
use leptos::task::spawn_local;
#[cfg(feature = "split")]
use leptos::wasm_split::wasm_split;

use super::{Companion, history, menu, runs};
use crate::part::MissingPart;

/// What that part does, for whoever does not have it.
#[derive(Clone, Copy)]
pub(super) struct Views {
    /// What is in the worker's menu.
    pub menu: fn() -> AnyView,
    /// Its runs.
    pub runs: fn() -> AnyView,
    /// Its analyses, in a dialog.
    pub history: fn() -> AnyView,
    /// Asks how things stand.
    pub look: fn(Companion),
}

/// Asks how things stand with the worker, where there is one, and shows it from now on.
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
        look: |companion| spawn_local(companion.look()),
    }));
    spawn_local(async move {
        companion.look().await;
        companion.keep_watch().await;
    });
    Ok(())
}
