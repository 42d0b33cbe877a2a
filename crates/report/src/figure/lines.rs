//! Lines: a chart for each value of what colours do not mean.

use std::collections::BTreeSet;

use trainscope_plot::{Facets, Figure, LineChart, Size};

use super::palette::Palette;
use super::{By, COLUMN, Choice, Chosen, Drawn, FigureError, LEAST, PAGE, of_values};
use crate::curve::{Curve, short};
use crate::scale;
use crate::title::Title;

/// A chart that stands alone is as high as 6 cm.
const ALONE: u32 = 227;
/// One of several.
const ONE_OF_SEVERAL: u32 = 150;
/// Several charts are at least this wide each, where the width is not given.
const LEAST_WIDTH: u32 = 150;

/// Draws curves as lines.
pub(super) fn lines(
    chosen: &[Chosen<'_>],
    title: &Title,
    choice: &Choice,
) -> Result<Drawn, FigureError> {
    let palette = Palette::of(chosen, choice);
    let mut names: Vec<String> = Vec::new();
    let mut charts: Vec<LineChart> = Vec::new();
    let steps: BTreeSet<u64> = chosen
        .iter()
        .flat_map(|(_, curve)| curve.points.iter().map(|point| point.step))
        .collect();
    let steps: Vec<u64> = steps.into_iter().collect();
    let x_scale = choice.x.unwrap_or_else(|| scale::of_steps(&steps));
    let y_scale = choice.y.unwrap_or_else(|| of_values(chosen));
    for &(component, curve) in chosen {
        let name = facet(component, curve, choice.by);
        let place = names.iter().position(|other| *other == name);
        let place = place.unwrap_or_else(|| {
            charts.push(LineChart {
                y_label: name.clone(),
                x_scale,
                y_scale,
                ..LineChart::default()
            });
            names.push(name);
            charts.len() - 1
        });
        charts[place].series.push(palette.series(component, curve));
    }
    arrange(charts, &palette, title, choice)
}

/// Finds room for the charts.
fn arrange(
    mut charts: Vec<LineChart>,
    palette: &Palette,
    title: &Title,
    choice: &Choice,
) -> Result<Drawn, FigureError> {
    let count = charts.len();
    let several = if count > 1 { PAGE } else { COLUMN };
    let width = choice.width.unwrap_or(several);
    let columns = most_even(count, (width / LEAST_WIDTH).max(1) as usize);
    let rows = count.div_ceil(columns);
    let of_row = if count > 1 { ONE_OF_SEVERAL } else { ALONE };
    for chart in charts.iter_mut().skip((rows - 1) * columns) {
        chart.x_label = "step".to_owned();
    }
    let mut facets = Facets {
        title: title.line(),
        figure: Figure {
            title: title.name.clone(),
            subtitle: format!("{}{}", title.details, palette.remark()),
        },
        charts,
        columns,
        legend: palette.legend(),
        size: Size {
            width,
            height: of_row.saturating_mul(u32::try_from(rows).unwrap_or(u32::MAX)),
        },
        theme: choice.theme,
    };
    facets.share_axes(!choice.free_y);
    if let Some(height) = choice.height {
        let around = facets.drawn_size().height - facets.size.height;
        facets.size.height = height.saturating_sub(around);
    }
    let each = facets.size_of_each();
    if each.width < LEAST.width || each.height < LEAST.height {
        return Err(FigureError::Crowded {
            charts: count,
            width: each.width,
            height: each.height,
        });
    }
    Ok(Drawn {
        svg: facets.to_svg(),
        size: facets.drawn_size(),
    })
}

/// As many columns as leave the last row fullest.
fn most_even(count: usize, most: usize) -> usize {
    let rows = count.div_ceil(most.clamp(1, count.max(1)));
    count.div_ceil(rows.max(1)).max(1)
}

/// What a chart is of: all but what colours mean.
fn facet(component: &str, curve: &Curve<'_>, by: By) -> String {
    let component = (by != By::Component).then(|| short(component).to_owned());
    let layer = (by != By::Layer).then(|| format!("layer {}", curve.layer));
    let head = curve.head.filter(|_| by != By::Head);
    let head = head.map(|head| format!("head {head}"));
    let parts: Vec<String> = [layer, head, component].into_iter().flatten().collect();
    parts.join(" · ")
}
