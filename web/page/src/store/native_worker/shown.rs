//! Which of a native worker's analyses is shown.

use ckptscope_results::Results;

use crate::link::LinkSource;

/// An analysis of the worker's whose results are shown.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shown {
    pub link: String,
    /// What it shows, without the numbers.
    pub results: Results,
}

/// Results that a worker had.
pub(crate) struct Brought {
    /// Of an analysis, or of several.
    pub name: String,
    /// The worker, for people.
    pub from: String,
    pub results: Results,
    /// The worker's name for the analysis; none of several.
    pub id: Option<String>,
    /// The short link to them, where there is one.
    pub link: Option<String>,
    /// What leads to the same run without the worker; none where nothing does, or where there are
    /// several.
    pub origin: Option<LinkSource>,
}

/// What leads to an analysis for whoever reaches the worker.
pub(crate) fn short_link(address: &str, id: &str) -> String {
    format!("{address}s/{}", js_sys::encode_uri_component(id))
}
