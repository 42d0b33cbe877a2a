//! Lines: a chart for each value of what colours do not mean.

use ckptscope_plot::{Facets, Figure, LineChart, MOST_PARTS, Scale, Size};

use super::palette::Palette;
use super::{By, COLUMN, Choice, Drawn, FigureError, PAGE, of_values};
use crate::curve::{Curve, PanelCurves};
use crate::scale;
use ckptscope_results::title::Title;

/// A chart that stands alone is as high as 6 cm.
const ALONE: u32 = 227;
/// One of several.
const ONE_OF_SEVERAL: u32 = 150;
/// Several charts are at least this wide each, where the width is not given.
const LEAST_WIDTH: u32 = 150;

/// What is along the x axis.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Along {
    Steps,
    Layers,
}

/// Draws the curves of a panel as lines.
pub(super) fn lines(
    panel: &PanelCurves<'_>,
    along: Along,
    title: &Title,
    choice: &Choice,
) -> Result<Drawn, FigureError> {
    let components = panel.parts.len();
    if choice.by == By::Component && components > MOST_PARTS {
        return Err(FigureError::Alike { components });
    }
    let palette = Palette::of(panel, choice);
    let x_scale = choice.x.unwrap_or_else(|| match along {
        Along::Steps => scale::of_steps(&panel.steps()),
        Along::Layers => Scale::Linear,
    });
    let y_scale = choice.y.unwrap_or_else(|| of_values(panel));
    let mut facets: Vec<Facet<'_>> = Vec::new();
    let mut charts: Vec<LineChart> = Vec::new();
    for part in &panel.parts {
        for curve in &part.curves {
            let facet = Facet::of(panel.brief(part), curve, (along, choice.by));
            let place = facets.iter().position(|other| *other == facet);
            let place = place.unwrap_or_else(|| {
                charts.push(LineChart {
                    y_label: facet.name(),
                    x_scale,
                    y_scale,
                    ..LineChart::default()
                });
                facets.push(facet);
                charts.len() - 1
            });
            let series = palette.series(&part.name, curve);
            charts[place].series.push(series);
        }
    }
    arrange(charts, (along, &palette), title, choice)
}

/// Finds room for the charts.
fn arrange(
    mut charts: Vec<LineChart>,
    (along, palette): (Along, &Palette),
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
        chart.x_label = along.noun().to_owned();
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
    FigureError::if_crowded(count, facets.size_of_each())?;
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

impl Along {
    const fn noun(self) -> &'static str {
        match self {
            Self::Steps => "step",
            Self::Layers => "layer",
        }
    }
}

/// What a chart is of: all but what colours mean, and what is along the x axis.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Facet<'a> {
    component: Option<&'a str>,
    layer: Option<u64>,
    head: Option<u64>,
}

impl<'a> Facet<'a> {
    fn of(component: &'a str, curve: &Curve<'_>, (along, by): (Along, By)) -> Self {
        let has_layer = along == Along::Steps && by != By::Layer;
        Self {
            component: (by != By::Component).then_some(component),
            layer: has_layer.then_some(curve.layer),
            head: curve.head.filter(|_| by != By::Head),
        }
    }

    /// `layer 0 · head 1 · ov_circuit`.
    fn name(&self) -> String {
        let layer = self.layer.map(|layer| format!("layer {layer}"));
        let head = self.head.map(|head| format!("head {head}"));
        let component = self.component.map(str::to_owned);
        let parts: Vec<String> = [layer, head, component].into_iter().flatten().collect();
        parts.join(" · ")
    }
}
