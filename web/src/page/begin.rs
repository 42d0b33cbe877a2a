//! From what is to be opened to the part of the program that opens it.

use ckptscope_analysis::service::AnalysisInfo;
use leptos::prelude::*;
use leptos::task::spawn_local;
#[cfg(feature = "split")]
use leptos::wasm_split::wasm_split;

use super::arrival::Arrival;
use super::companion::Brought;
use super::opening::{remote, taking};
use super::state::{DEMO, State, Wish};
use super::workbench;
use crate::drop::Dropped;
use crate::files::RunFiles;
use crate::message::Remote;
use crate::native::NativeWorker;
use crate::part::{MissingPart, begin};
use crate::run_place::RunPlace;

/// Something to open.
pub(super) enum Wanted {
    /// The demo run.
    Demo,
    /// What was dropped on the page.
    Dropped(Dropped),
    /// What was picked.
    Picked(RunFiles),
    /// What was typed in for a run that is not on this machine.
    Place(String),
    /// A run of the native worker's.
    Run(Box<Remote>),
    /// Results that the native worker had.
    Brought(Box<Brought>),
    /// An analysis of a native worker's that is not done.
    Analysis(NativeWorker, Box<AnalysisInfo>),
    /// What the page's address asks for.
    Address(String),
}

impl Wanted {
    /// What it is called while it is on its way.
    fn name(&self) -> String {
        match self {
            Self::Demo => DEMO.to_owned(),
            Self::Dropped(dropped) => dropped.name(),
            Self::Picked(files) => files.name.clone(),
            // A query may be a signature.
            Self::Place(place) => place.split('?').next().unwrap_or_default().to_owned(),
            Self::Run(remote) => remote.place.clone(),
            Self::Brought(brought) => brought.name.clone(),
            Self::Analysis(_, info) => info.name.clone(),
            Self::Address(address) => Arrival::name_of(address),
        }
    }
}

/// Opens something; what was on its way is given up.
pub(super) fn open(state: State, wanted: Wanted) {
    let wish = state.wish(&wanted.name());
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
        Wanted::Place(_) => spawn_local(remote::open_given(state, wish)),
        Wanted::Run(remote) => spawn_local(wish.open(RunPlace::Remote(remote), None)),
        Wanted::Brought(brought) => state.show_brought(*brought),
        Wanted::Analysis(worker, info) => state.follow(worker, *info),
        Wanted::Address(address) => state.arrival.open(state, wish, address),
    }
    Ok(())
}
