//! Charts of numbers over training steps, as SVG.
//!
//! The page and the reports draw with the same code, so what is exported is what was seen. This
//! crate is handed numbers and names; it does not know where they come from.
//!
//! A chart is a struct with public fields and a default: [`LineChart`], [`Heatmap`],
//! [`Histogram`]. `to_svg` draws it; [`LineChart::axes`], [`Heatmap::cells`] and
//! [`Histogram::axes`] say where everything stands, so that a page can lay hover and focus over
//! the drawing. With a [`Figure`] the drawing has a heading, a legend and a ground of its own and
//! can be published as it is.
//!
//! ```
//! use ckptscope_plot::{Figure, LineChart, Series, Theme, layer_colours};
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
//!
//! let figure = LineChart {
//!     figure: Some(Figure {
//!         title: "Effective rank".into(),
//!         subtitle: "weights, val".into(),
//!     }),
//!     ..chart
//! };
//! assert!(figure.drawn_size().height > figure.size.height);
//! ```
//!
//! ```
//! use ckptscope_plot::{Cell, Heatmap, Row};
//!
//! let heatmap = Heatmap {
//!     title: "Gini coefficient of gradients".into(),
//!     rows: vec![Row {
//!         name: "0 · v_proj".into(),
//!         values: vec![Some(0.41), None, Some(0.62)],
//!     }],
//!     columns: vec!["0".into(), "100".into(), "200".into()],
//!     ..Heatmap::default()
//! };
//! assert!(heatmap.to_svg().contains("0 · v_proj"));
//! let cells = heatmap.cells();
//! let area = cells.rectangle(0, 2).unwrap();
//! let under_the_pointer = cells.at(area.left + 1.0, area.top + 1.0);
//! assert_eq!(under_the_pointer, Some(Cell { row: 0, column: 2 }));
//! ```

mod axis;
mod canvas;
mod cell_lines;
mod cells;
mod clip;
mod colour;
mod ends;
mod facets;
mod figure;
mod heatmap;
mod histogram;
mod line_chart;
mod number;
mod plane;
mod shared_pixels;
mod size;
mod stretches;
mod theme;
mod words;

pub use axis::{Axis, Scale, Tick};
pub use cells::{Cell, Cells};
pub use colour::{
    Colour, MOST_PARTS, Twins, head_colours, layer_colours, part_colours, part_dashes,
};
pub use facets::{Facets, share_axes};
pub use figure::Figure;
pub use heatmap::{Heatmap, Row, between};
pub use histogram::Histogram;
pub use line_chart::{Dash, LineChart, Series};
pub use number::significant;
pub use plane::Axes;
pub use size::{Rectangle, Size};
pub use theme::Theme;
