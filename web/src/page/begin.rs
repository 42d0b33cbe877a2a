//! From what is to be opened to the part of the program that opens it.

use leptos::prelude::*;
use leptos::task::spawn_local;
#[cfg(feature = "split")]
use leptos::wasm_split::wasm_split;
use trainscope_analysis::service::{AnalysisInfo, RunFound};

use super::arrival::Arrival;
use super::companion::{open_run, open_several};
use super::opening::{remote, taking};
use super::state::{DEMO, State, Wish};
use super::workbench;
use crate::drop::Dropped;
use crate::files::RunFiles;
use crate::part::{MissingPart, begin};

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
    Run(RunFound),
    /// Analyses of the native worker's: one, or several beside each other.
    Analyses(Arrival, Vec<AnalysisInfo>),
    /// What the page's address asks for.
    Address(Arrival, String),
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
            Self::Run(run) => run.name.clone(),
            Self::Analyses(_, analyses) => {
                let names: Vec<&str> = analyses.iter().map(|it| it.name.as_str()).collect();
                names.join(" and ")
            }
            Self::Address(_, address) => Arrival::name_of(address),
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
        Wanted::Run(run) => spawn_local(open_run(state, wish, run)),
        Wanted::Analyses(arrival, analyses) => {
            spawn_local(open_several(state, wish, arrival, analyses));
        }
        Wanted::Address(arrival, address) => arrival.open(state, wish, address),
    }
    Ok(())
}
