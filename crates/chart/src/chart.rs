//! What a chart is.

use ckptscope_plot::{Heatmap, LineChart};

use crate::{CHARTS, ChartInput, Curve, Tiles};

/// A way to draw curves. Two are the same that have one name.
#[derive(Debug)]
pub struct Chart {
    /// What links and the command line call it.
    pub name: &'static str,
    /// What people choose it by.
    pub title: &'static str,
    /// What it shows, for help.
    pub summary: &'static str,
    /// What there is for each curve, before the word for one: `a line for each`.
    pub marks: &'static str,
    /// Which curves it is of.
    pub of: Of,
    /// What has a drawing of its own.
    pub tiles: Tiles,
    /// Whether people choose what colours mean.
    pub has_colours: bool,
    /// Whether a report shows it of these curves of one component, all of layers or all of heads.
    pub is_reported: fn(&[&Curve], Along) -> bool,
    /// What is said in place of a drawing where there is no curve.
    pub lacking: &'static str,
    /// What draws it.
    pub draw: Draw,
}

/// What draws a chart, and what of.
#[derive(Clone, Copy, Debug)]
pub enum Draw {
    /// Lines between axes. There is room for any number of curves.
    Lines(DrawLines),
    /// Rows of cells. Curves need room for their rows.
    Rows(DrawRows),
}

/// Draws lines.
pub type DrawLines = fn(&ChartInput<'_>) -> LineChart;

/// Draws rows.
pub type DrawRows = fn(&ChartInput<'_>) -> Heatmap;

/// Which curves a chart is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Those of layers or those of heads, as people choose.
    LayersOrHeads,
    /// Those of heads.
    Heads,
}

/// What is along the x axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Along {
    /// Training steps.
    Steps,
    /// Layers, where there is a single step.
    Layers,
}

impl Chart {
    /// The chart of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        CHARTS.iter().copied().find(|chart| chart.name == name)
    }

    /// Whether it has an x axis, which can be logarithmic.
    #[must_use]
    pub const fn has_x_axis(&self) -> bool {
        matches!(self.draw, Draw::Lines(_))
    }
}

impl PartialEq for Chart {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Chart {}

impl Along {
    /// `step` or `layer`.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Steps => "step",
            Self::Layers => "layer",
        }
    }
}

/// Whether curves are of heads.
pub(crate) fn are_of_heads(curves: &[&Curve]) -> bool {
    curves.iter().any(|curve| curve.subject.head.is_some())
}
