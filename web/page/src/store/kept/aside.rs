//! Results that others took the place of.

use ckptscope_results::Results;

use crate::link::LinkSource;

/// Results as they were shown.
#[derive(Clone, Debug)]
pub(crate) struct Aside {
    /// With their numbers.
    pub results: Results,
    /// After so many seconds, where they were complete.
    pub seconds: Option<f64>,
    /// What they are of, where that was known.
    pub origin: Option<LinkSource>,
}
