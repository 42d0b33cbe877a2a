//! Between an analysis and the part of the program that keeps it.

use ckptscope_protocol::{Cost, LaneUpdate};
use ckptscope_results::Results;

use super::info::{KeptInfo, RunIdentity};

/// Keeps one analysis.
pub(crate) trait Keep {
    /// Appends what a lane told.
    fn add(&self, update: &LaneUpdate);

    /// Nothing more will come; whether all is there.
    fn end(&self, is_over: bool);
}

/// An analysis that is to be kept.
pub(crate) struct Keeping {
    pub run: RunIdentity,
    pub results: Results,
    pub cost: Cost,
    /// What it goes on from.
    pub earlier: Option<KeptInfo>,
}
