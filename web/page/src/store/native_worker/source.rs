//! Where a native worker reads the run that is open here.

use ckptscope_protocol::service::RunSource;
use leptos::prelude::*;

use super::sending::Known;
use crate::run_place::RunPlace;
use crate::store::state::State;

impl State {
    /// Where the worker reads the run that is open: under its folders, or on the Hub. None where
    /// none is open, or where it is neither; whoever asks hears when that changes.
    pub(crate) fn run_source(self) -> Option<RunSource> {
        let found = self.opened.with(|opened| {
            let found = opened.as_ref()?.found.as_ref();
            Some(found.map(|found| found.place.clone()))
        })?;
        match self.web_workers.place() {
            Some(RunPlace::Remote(remote)) => match &remote.run {
                Some(run) => {
                    let worker = self.native_worker.worker.get()?;
                    let is_its = worker.address() == run.address;
                    is_its.then(|| RunSource::Root(run.id.clone()))
                }
                // Else an address of a file, or of a part of a repository.
                None => found
                    .filter(|place| is_repository(place))
                    .map(RunSource::Hub),
            },
            Some(RunPlace::Files(_)) | None => None,
        }
    }

    /// Where the worker has the files that are open here, in place or as a copy, where that was
    /// found out; whoever asks hears when that changes.
    pub(crate) fn known_files(self) -> Option<Known> {
        let worker = self.native_worker.worker.get()?;
        let known = self.sending.known.get()?;
        (known.worker.address() == worker.address()).then_some(known)
    }
}

fn is_repository(place: &str) -> bool {
    !place.contains("://")
}
