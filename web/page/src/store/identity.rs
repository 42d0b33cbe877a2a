//! What leads to the open run again.

use leptos::prelude::*;

use super::kept::RunIdentity;
use super::state::State;
use crate::link::LinkSource;
use crate::run_place::RunPlace;

impl State {
    /// What the shown analysis is of.
    pub(crate) fn link_source(self) -> LinkSource {
        let found = self.opened.with_untracked(|opened| {
            let opened = opened.as_ref()?;
            Some(LinkSource::Remote {
                name: opened.run.name.clone(),
                place: opened.found.as_ref()?.place.clone(),
            })
        });
        if let Some(source) = found.or_else(|| self.origin.get_value()) {
            return source;
        }
        let run = self.opened.with_untracked(|opened| {
            let run = &opened.as_ref()?.run;
            let is_demo = run.name == crate::demo::NAME
                && run.files == crate::demo::FILES.len() as u64
                && run.bytes == crate::demo::bytes();
            Some((last_part(&run.name), is_demo))
        });
        let (name, is_demo) = run.unwrap_or_else(|| {
            let results = self.analysis.results.get_untracked();
            let name = results.map(|results| last_part(&results.source));
            let name = name.unwrap_or_default();
            let is_demo = name == crate::demo::NAME;
            (name, is_demo)
        });
        if is_demo {
            LinkSource::Demo
        } else {
            LinkSource::Files { name }
        }
    }

    /// The run that is open, so that it can be found again after a reload. Files of this machine that
    /// look like the demo run are not taken for it.
    pub(super) fn identity(self) -> RunIdentity {
        let files_of = |name: String| LinkSource::Files { name };
        match self.web_workers.place() {
            Some(RunPlace::Files(files)) => RunIdentity {
                place: if files.are_fetched() {
                    LinkSource::Demo
                } else {
                    files_of(files.name.clone())
                },
                mark: files.mark(),
                handles: files.handles,
            },
            // The worker's runs are not found by their names.
            Some(RunPlace::Remote(remote)) if remote.run.is_some() => RunIdentity {
                place: files_of(remote.place.clone()),
                mark: String::new(),
                handles: None,
            },
            _ => RunIdentity {
                place: self.link_source(),
                mark: String::new(),
                handles: None,
            },
        }
    }
}

/// The last part of a path: where a folder lies is nobody else's business.
pub(crate) fn last_part(path: &str) -> String {
    let mut parts = path.split(['/', '\\']).rev();
    let last = parts.find(|part| !part.is_empty());
    last.unwrap_or(path).to_owned()
}
