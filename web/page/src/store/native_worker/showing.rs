//! Showing what a native worker has computed.

use leptos::prelude::*;

use super::shown::{Brought, Shown};
use crate::store::state::State;

impl State {
    /// The short link to what is shown, where the worker has it.
    pub(crate) fn short_link(self) -> Option<String> {
        let shown = self.native_worker.shown.get()?;
        let is_shown = self.analysis.results.with(|results| {
            let results = results.as_ref();
            results.is_some_and(|results| *results == shown.results)
        });
        is_shown.then_some(shown.link)
    }

    /// Shows results that a worker had.
    pub(crate) fn show_brought(self, brought: Brought) {
        self.show_results(brought.results);
        self.arrival.bring(&brought.name, &brought.from);
        self.origin.set_value(brought.origin);
        self.native_worker.shown.set(None);
        if let Some(link) = brought.link {
            self.is_at(link);
        }
    }

    /// What is shown now has this short link.
    pub(crate) fn is_at(self, link: String) {
        let results = self.analysis.results.get_untracked();
        let shown = results.map(|results| Shown { link, results });
        self.native_worker.shown.set(shown);
    }
}
