//! The heads of each layer side by side, on the same axes.

use ckptscope_plot::{Dash, LineChart, Series};

use crate::chart::are_of_heads;
use crate::{Along, Chart, ChartInput, Draw, Of, Tiles, line};

pub(crate) static CHART: Chart = Chart {
    name: "heads",
    title: "Heads",
    summary: "A small chart for each layer, a line for each head",
    marks: "a line for each",
    of: Of::Heads,
    tiles: Tiles::Layer,
    has_colours: false,
    is_reported: |curves, along| along == Along::Steps && are_of_heads(curves),
    lacking: "no heads here: this was measured for whole layers only",
    draw: Draw::Lines(draw),
};

/// Of one layer: dashes have nothing to tell apart.
fn draw(input: &ChartInput<'_>) -> LineChart {
    let lines = input.curves.iter().map(|curve| Series {
        dash: Dash::Solid,
        ..curve.line()
    });
    line::of(input, lines.collect())
}
