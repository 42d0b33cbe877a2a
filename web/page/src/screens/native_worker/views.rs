//! The part of the program that speaks to a native worker and shows what it has.

use ckptscope_web_browser::part::MissingPart;
#[cfg(feature = "split")]
use ckptscope_web_browser::wasm_split::wasm_split;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{history, menu, runs};
use crate::run_place::RunPlace;
use crate::store::analysis::Phase;
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
    look_when_reading_fails(state);
    Ok(())
}

/// A run of the worker's that cannot be read may say that the worker is gone.
fn look_when_reading_fails(state: State) {
    Effect::new(move |_| {
        let is_broken = state
            .analysis
            .failures
            .with(|failures| !failures.is_empty())
            || state.ask.failure.with(Option::is_some)
            || state.explore.unreadable.with(|steps| !steps.is_empty())
            || matches!(state.analysis.phase.get(), Phase::Failed(_));
        let is_its = match state.web_workers.place() {
            Some(RunPlace::Remote(remote)) => remote.run.is_some(),
            _ => false,
        };
        if is_broken && is_its {
            spawn_local(state.native_worker.look());
        }
    });
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
