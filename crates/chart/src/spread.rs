//! How far apart curves are: median, quartiles and extremes at each step.
//!
//! Where there are a thousand heads, lines and rows say little; these five lines say what most do.
//! Values that do not exist are left out.

use ckptscope_plot::{Dash, LineChart, Series};
use ckptscope_vocabulary::quantile_of_sorted;

use crate::{Along, Chart, ChartInput, Draw, Of, Tiles, line, steps};

pub(crate) static CHART: Chart = Chart {
    name: "spread",
    title: "Spread",
    summary: "Median, quartiles and extremes of all layers, or of all heads",
    marks: "median, quartiles and extremes over each",
    of: Of::LayersOrHeads,
    tiles: Tiles::Component,
    has_colours: false,
    is_reported: |curves, along| along == Along::Steps && curves.len() >= LEAST_REPORTED,
    lacking: "nothing to draw",
    draw: Draw::Lines(draw),
};

/// Of fewer curves a report shows each, which is as easily read.
const LEAST_REPORTED: usize = 16;

/// What lines are called, and where among the sorted values they are: 0 for the smallest, 1 for
/// the largest.
const LINES: [(&str, f64, Dash); 5] = [
    ("max", 1.0, Dash::Dotted),
    ("75 %", 0.75, Dash::Dashed),
    ("median", 0.5, Dash::Solid),
    ("25 %", 0.25, Dash::Dashed),
    ("min", 0.0, Dash::Dotted),
];

fn draw(input: &ChartInput<'_>) -> LineChart {
    let curves = || input.curves.iter().map(|curve| curve.curve);
    let sorted = |step: u64| {
        let mut values: Vec<f64> = Vec::new();
        for value in curves()
            .filter_map(|curve| curve.at(step))
            .filter(|value| !value.is_nan())
        {
            // Sorting all at once would add more to the page than it saves of its time.
            values.insert(values.partition_point(|other| *other < value), value);
        }
        (step as f64, values)
    };
    let sorted: Vec<(f64, Vec<f64>)> = steps(curves()).into_iter().map(sorted).collect();
    let mut styles = input.curves.iter().map(|curve| &curve.style);
    let is_labelled = styles.any(|style| !style.end_label.is_empty());
    let lines = LINES.map(|(name, part, dash)| Series {
        name: name.to_owned(),
        end_label: if is_labelled { name } else { "" }.to_owned(),
        colour: match dash {
            Dash::Solid => input.theme.ink(),
            _ => input.theme.dim(),
        },
        dash,
        points: sorted
            .iter()
            .map(|(x, values)| (*x, quantile_of_sorted(part, values)))
            .collect(),
        ..Series::default()
    });
    line::of(input, lines.into())
}
