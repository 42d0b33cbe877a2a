//! How far apart curves are: median, quartiles and extremes at each step.
//!
//! Where there are a thousand heads, lines and rows say little; these five lines say what most do.
//! Quartiles are interpolated between the two nearest values, as NumPy does unless told otherwise
//! (Hyndman and Fan 1996, definition 7). Values that do not exist are left out.

use ckptscope_plot::{Dash, LineChart, Series};

use crate::{Along, Chart, ChartInput, Draw, Of, Tiles, line, steps};

pub(crate) const CHART: Chart = Chart {
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
            .map(|(x, values)| (*x, quantile(values, part)))
            .collect(),
        ..Series::default()
    });
    line::of(input, lines.into())
}

/// The value at a part of the way from the first to the last of sorted ones.
fn quantile(sorted: &[f64], part: f64) -> Option<f64> {
    let place = part * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (place.floor(), place.ceil());
    let (low, high) = (*sorted.get(below as usize)?, *sorted.get(above as usize)?);
    // What is infinite has no difference to itself.
    let rest = if low < high {
        (high - low) * (place - below)
    } else {
        0.0
    };
    Some(low + rest).filter(|value| !value.is_nan())
}

#[cfg(test)]
mod tests {
    use super::quantile;

    #[test]
    fn quartiles_lie_between_the_nearest_values() {
        // numpy.quantile([1, 2, 4, 8], [0, 0.25, 0.5, 0.75, 1])
        let of = |part| quantile(&[1.0, 2.0, 4.0, 8.0], part);
        let quartiles = [0.0, 0.25, 0.5, 0.75, 1.0].map(|part| of(part).unwrap());
        assert_eq!(quartiles, [1.0, 1.75, 3.0, 5.0, 8.0]);
        assert_eq!(quantile(&[3.0], 0.25), Some(3.0));
        assert_eq!(quantile(&[], 0.5), None);
        let infinite = [1.0, f64::INFINITY, f64::INFINITY];
        assert_eq!(quantile(&infinite, 0.75), Some(f64::INFINITY));
    }
}
