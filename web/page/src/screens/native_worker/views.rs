//! The part of the program that speaks to a native worker and shows what it has.

use ckptscope_web_browser::part::MissingPart;
#[cfg(feature = "split")]
use ckptscope_web_browser::wasm_split::wasm_split;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{history, menu, runs};
use crate::store::native_worker::{NativeConnection, Views, follow, opening};
use crate::store::{OpenTask, State};

/// Connects to the worker that is named, where one is, and shows it from now on.
#[cfg_attr(
    feature = "split",
    wasm_split(companion, wasm_split_path = ::ckptscope_web_browser::wasm_split, fallible)
)]
#[expect(clippy::unnecessary_wraps, reason = "fails where the part is missing")]
pub(super) fn begin(state: State) -> Result<(), MissingPart> {
    let native_worker = state.native_worker;
    // Two may have waited for it.
    if native_worker.views.with_untracked(Option::is_some) {
        return Ok(());
    }
    native_worker.views.set(Some(Views {
        menu: menu::view,
        runs: runs::view,
        history: history::view,
        arrive: NativeConnection::arrive,
        look: |native_worker| spawn_local(native_worker.look()),
        send: Callback::new(move |()| state.send_now()),
        follow: follow::listen,
    }));
    native_worker.arrive();
    spawn_local(native_worker.keep_watch());
    Ok(())
}

/// Opens an analysis by its id, once there is a worker.
#[cfg_attr(
    feature = "split",
    wasm_split(companion, wasm_split_path = ::ckptscope_web_browser::wasm_split, fallible)
)]
#[expect(clippy::unnecessary_wraps, reason = "fails where the part is missing")]
pub(crate) fn open_linked(state: State, task: OpenTask, id: String) -> Result<(), MissingPart> {
    spawn_local(opening::open_linked(state, task, id));
    Ok(())
}
