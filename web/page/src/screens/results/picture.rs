//! A drawn line chart, for its drawing and its legend.

use ckptscope_plot::Axes;

use crate::panel::chart::ChartPlan;

/// A line chart as it is on the screen.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    pub plan: ChartPlan,
    /// Where the cursor can stand, ascending.
    pub xs: Vec<u64>,
    pub axes: Axes,
    pub svg: String,
}
