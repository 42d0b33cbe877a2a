//! Drawn charts: lines with their legend on the screen, and any chart for a file.

use ckptscope_plot::{Axes, Size};

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

/// A chart as a file has it.
pub(super) struct Drawn {
    pub svg: String,
    pub size: Size,
}
