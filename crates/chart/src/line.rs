//! A line for each curve.

use ckptscope_plot::{LineChart, Scale, Series};

use crate::chart::are_of_heads;
use crate::{Chart, ChartInput, Draw, Of, StyledCurve, Tiles, steps};

pub(crate) static CHART: Chart = Chart {
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

/// All steps, those without a value too: charts over the same steps are as wide as each other.
fn x_range(input: &ChartInput<'_>) -> Option<(f64, f64)> {
    let curves = || input.curves.iter().map(|curve| curve.curve);
    curves().find(|curve| curve.values().next().is_some())?;
    let steps = steps(curves());
    let has_place = |step: &&u64| input.x_scale != Scale::Log || **step > 0;
    let (first, last) = (steps.iter().find(has_place)?, steps.last()?);
    (first < last).then_some((*first as f64, *last as f64))
}

/// Other lines than the curves, on the axes that the input has.
pub(crate) fn of(input: &ChartInput<'_>, series: Vec<Series>) -> LineChart {
    LineChart {
        title: input.title.clone(),
        x_label: input.x_label.to_string(),
        y_label: input.value_label.to_owned(),
        x_scale: input.x_scale,
        y_scale: input.value_scale,
        x_range: x_range(input),
        series,
        size: input.size,
        theme: input.theme,
        figure: input.figure.clone(),
        ..LineChart::default()
    }
}
