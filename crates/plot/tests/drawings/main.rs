//! Drawings, seen as XML.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod facets;
mod figure;
mod heatmap;
mod histogram;
mod line_chart;
mod svg;
