//! A drawn line chart, for its drawing and its legend.

use ckptscope_plot::Axes;

use crate::panel::chart::Plan;

/// A line chart as it is on the screen.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    pub plan: Plan,
    /// Where the cursor can stand, ascending.
    pub xs: Vec<u64>,
    pub axes: Axes,
    pub svg: String,
}
