//! From what is to be opened to the part of the program that opens it.

use leptos::prelude::*;
use leptos::task::spawn_local;
#[cfg(feature = "split")]
use leptos::wasm_split::wasm_split;

use super::opening::taking;
use super::store::wanted::Wanted;
use super::store::{State, Wish};
use super::{arrival, workbench};
use crate::part::{MissingPart, begin};
use crate::run_place::RunPlace;

/// Opens something with the part of the program that does so.
pub(super) fn open(state: State, wish: Wish, wanted: Wanted) {
    spawn_local(async move {
        if let Err(missing) = begin!(open_with(state, wish, wanted)) {
            wish.fail(&missing);
        }
    });
}

/// Fetches the part of the program that opens things before anything is to be opened.
pub(super) fn prepare() {
    #[cfg(feature = "split")]
    spawn_local(async {
        // Whoever needs it tries again, and says so when it fails.
        let _ = fetch_workbench().await;
    });
}

#[cfg_attr(
    feature = "split",
    wasm_split(
        workbench,
        wasm_split_path = ::leptos::wasm_split,
        fallible,
        preload(fetch_workbench)
    )
)]
#[expect(clippy::unnecessary_wraps, reason = "fails where the part is missing")]
fn open_with(state: State, wish: Wish, wanted: Wanted) -> Result<(), MissingPart> {
    state.workbench.set_value(Some(workbench::workbench));
    match wanted {
        Wanted::Demo => spawn_local(wish.open_demo(None)),
        Wanted::Dropped(dropped) => taking::dropped(state, wish, dropped),
        Wanted::Picked(files) => taking::picked(state, wish, files),
        Wanted::Place(_) => spawn_local(wish.open_given()),
        Wanted::Run(remote) => spawn_local(wish.open(RunPlace::Remote(remote), None)),
        Wanted::Brought(brought) => state.show_brought(*brought),
        Wanted::Analysis(worker, info) => state.follow(worker, *info),
        Wanted::Address(address) => arrival::open(state, wish, address),
    }
    Ok(())
}
