//! What the page is asked to open.

use ckptscope_protocol::service::AnalysisInfo;
use ckptscope_protocol::tab::Remote;

use super::address;
use super::kept::{KeptInfo, RememberedRun};
use super::native_worker::shown::Brought;
use crate::drop::Dropped;
use crate::files::FileHandles;
use crate::native::NativeWorker;

/// What the demo run is called while it is on its way.
pub(crate) const DEMO: &str = "the demo run";

/// Something to open.
pub(crate) enum OpenRequest {
    /// The demo run.
    Demo,
    /// What was dropped on the page.
    Dropped(Dropped),
    /// What was picked.
    Picked(FileHandles),
    /// A folder that a person is to pick, so that the browser finds it again after a reload.
    PickFolder,
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
    /// What this browser kept. A person has clicked, or the tab was reloaded.
    Kept(Box<KeptInfo>, Wish),
    /// A run of this machine that was open before. A person has clicked.
    Again(RememberedRun),
}

/// What is to be done with a kept analysis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Its results are shown.
    Show,
    /// It goes on: a person has just clicked.
    GoOn,
    /// It goes on where nobody needs to be asked, else its results are shown.
    Restore,
}

impl OpenRequest {
    /// What it is called while it is on its way.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Demo => DEMO.to_owned(),
            Self::Dropped(dropped) => dropped.name(),
            Self::Picked(files) => files.name.clone(),
            Self::PickFolder => "a folder".to_owned(),
            // A query may be a signature.
            Self::Place(place) => place.split('?').next().unwrap_or_default().to_owned(),
            Self::Run(remote) => remote.place.clone(),
            Self::Brought(brought) => brought.name.clone(),
            Self::Analysis(_, info) => info.name.clone(),
            Self::Address(address) => address::name_of(address),
            Self::Kept(info, _) => info.name.clone(),
            Self::Again(run) => run.name.clone(),
        }
    }

    /// The address behind `#` that leads to the same; none where there is no such.
    pub(crate) fn address(&self) -> Option<String> {
        match self {
            Self::Address(address) => Some(address.clone()),
            Self::Analysis(_, info) => Some(address::of_analysis(&info.id)),
            Self::Brought(brought) => brought.id.as_deref().map(address::of_analysis),
            _ => None,
        }
    }
}
