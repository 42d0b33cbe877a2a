//! Charts of numbers over training steps, as SVG.
//!
//! The page and the reports draw with the same code, so what is exported is what was seen. This
//! crate is handed numbers and names; it does not know where they come from.
//!
//! ```
//! use trainscope_plot::{LineChart, Series, layer_colours, Theme};
//!
//! let theme = Theme::Light;
//! let chart = LineChart {
//!     title: "Effective rank".into(),
//!     series: vec![Series {
//!         name: "layer 0".into(),
//!         colour: layer_colours(1, theme)[0],
//!         points: vec![(0.0, Some(0.92)), (100.0, None), (200.0, Some(0.95))],
//!         ..Series::default()
//!     }],
//!     theme,
//!     ..LineChart::default()
//! };
//! assert!(chart.to_svg().contains("layer 0"));
//! ```

mod axis;
mod canvas;
mod cells;
mod clip;
mod colour;
mod figure;
mod heatmap;
mod histogram;
mod line_chart;
mod number;
mod plane;
mod size;
mod theme;
mod words;

pub use axis::{Axis, Scale, Tick};
pub use cells::{Cell, Cells};
pub use colour::{Colour, head_colours, layer_colours, part_colours};
pub use figure::Figure;
pub use heatmap::{Heatmap, Row};
pub use histogram::Histogram;
pub use line_chart::{Dash, LineChart, Series};
pub use number::significant;
pub use plane::Axes;
pub use size::{Rectangle, Size};
pub use theme::Theme;
