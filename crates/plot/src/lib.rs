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
mod chart;
mod colour;
mod number;
mod theme;

pub use axis::{Axis, Scale, Tick};
pub use chart::{Axes, Dash, LineChart, Series, Size};
pub use colour::{Colour, layer_colours};
pub use number::significant;
pub use theme::Theme;
