//! The ways to draw results: [`CHARTS`].
//!
//! A chart is a file with a [`Chart`] and a line in [`CHARTS`]. The page's choice of views, its
//! drawings and saved pictures, the report's figures and `worker plot --kind` walk that list; none
//! of them asks which chart it has.
//!
//! What they differ in they say in a [`ChartInput`]: how large a drawing is, what stands around it,
//! what curves are called and how they look. A chart makes of it a
//! [`LineChart`](ckptscope_plot::LineChart) or a [`Heatmap`](ckptscope_plot::Heatmap).
//! Those two are told apart, because a cursor stands otherwise on axes than among cells.

mod chart;
mod curve;
mod input;
mod omitted;
mod scale;
mod tiles;

pub use chart::{Along, Chart, Draw, DrawLines, DrawRows, Of};
pub use curve::{Curve, OverLayers, Subjects, over_layers, rank, steps};
pub use input::{ChartInput, RowHeights, StyledCurve};
pub use omitted::omitted;
pub use scale::{scale_of_steps, scale_of_values};
pub use tiles::{Tiles, grouped};

ckptscope_vocabulary::registry! {
    /// All charts, in the order in which people choose among them. The first one is shown where
    /// nobody chose.
    pub const CHARTS: [&Chart] = mod {
        line: CHART;
        heatmap: CHART;
        heads: CHART;
        spread: CHART;
    }
}
