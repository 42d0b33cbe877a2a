//! Which of a native worker's analyses is shown.

use ckptscope_results::Results;
use leptos::prelude::*;

use crate::link::Source;
use crate::page::state::State;

/// Short enough for a chat: `#analysis=ID`, to which the worker's `s/ID` leads.
pub(in crate::page) const ANALYSIS_MARK: &str = "#analysis=";

/// An analysis of the worker's whose results are shown.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shown {
    link: String,
    /// What it shows, without the records.
    results: Results,
}

/// Results that a worker had.
pub(in crate::page) struct Brought {
    /// Of an analysis, or of several.
    pub name: String,
    /// The worker, for people.
    pub from: String,
    pub results: Results,
    /// The short link to them, where there is one.
    pub link: Option<String>,
    /// What leads to the same run without the worker; none where nothing does, or where there are
    /// several.
    pub origin: Option<Source>,
}

impl State {
    /// The short link to what is shown, where the worker has it.
    pub(in crate::page) fn short_link(self) -> Option<String> {
        let shown = self.companion.shown.get()?;
        let is_shown = self.analysis.results.with(|results| {
            let results = results.as_ref();
            results.is_some_and(|results| *results == shown.results)
        });
        is_shown.then_some(shown.link)
    }

    /// Shows results that a worker had.
    pub(in crate::page) fn show_brought(self, brought: Brought) {
        self.show_results(brought.results);
        self.arrival.bring(&brought.name, &brought.from);
        self.origin.set_value(brought.origin);
        self.companion.shown.set(None);
        if let Some(link) = brought.link {
            self.is_at(link);
        }
    }

    /// What is shown now has this short link.
    pub(super) fn is_at(self, link: String) {
        let results = self.analysis.results.get_untracked();
        let shown = results.map(|results| Shown { link, results });
        self.companion.shown.set(shown);
    }
}

/// What leads to an analysis for whoever reaches the worker.
pub(super) fn short_link(address: &str, id: &str) -> String {
    format!("{address}s/{}", js_sys::encode_uri_component(id))
}
