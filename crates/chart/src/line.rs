//! A line for each curve.

use ckptscope_plot::{LineChart, Series};

use crate::chart::are_of_heads;
use crate::{Chart, ChartInput, Draw, Of, StyledCurve, Tiles};

pub(crate) const CHART: Chart = Chart {
    name: "line",
    title: "Lines",
    summary: "Lines over steps",
    marks: "a line for each",
    of: Of::LayersOrHeads,
    tiles: Tiles::All,
    has_colours: true,
    // Lines of all heads of all layers cannot be told apart on paper.
    is_reported: |curves, _| !are_of_heads(curves),
    lacking: "nothing to draw",
    draw: Draw::Lines(draw),
};

fn draw(input: &ChartInput<'_>) -> LineChart {
    of(input, input.curves.iter().map(StyledCurve::line).collect())
}

/// Other lines than the curves, on the axes that the input has.
pub(crate) fn of(input: &ChartInput<'_>, series: Vec<Series>) -> LineChart {
    LineChart {
        title: input.title.clone(),
        x_label: input.x_label.to_string(),
        y_label: input.value_label.to_owned(),
        x_scale: input.x_scale,
        y_scale: input.value_scale,
        series,
        size: input.size,
        theme: input.theme,
        figure: input.figure.clone(),
        ..LineChart::default()
    }
}
