//! Lines: a chart for each value of what colours do not mean.

use ckptscope_chart::{
    Along, ChartInput, DrawLines, StyledCurve, Tiles, grouped, omitted, scale_of_steps, steps,
};
use ckptscope_plot::{Facets, Figure, LineChart, MOST_PARTS, Scale, Size, share_axes};
use ckptscope_results::Subject;

use super::palette::Palette;
use super::{By, COLUMN, Choice, Drawn, FigureError, PAGE, of_values};
use crate::curve::PanelCurves;
use ckptscope_results::title::Title;

/// A chart that stands alone is as high as 6 cm.
const ALONE: u32 = 227;
/// One of several.
const ONE_OF_SEVERAL: u32 = 150;
/// Several charts are at least this wide each, where the width is not given.
const LEAST_WIDTH: u32 = 150;

/// Draws the curves of a panel as lines.
pub(super) fn lines(
    panel: &PanelCurves,
    (draw, along): (DrawLines, Along),
    title: &Title,
    choice: &Choice,
) -> Result<Drawn, FigureError> {
    let components = panel.parts.len();
    if choice.by == By::Component && components > MOST_PARTS {
        return Err(FigureError::Alike { components });
    }
    let palette = Palette::of(panel, choice);
    let x_scale = choice.x.unwrap_or_else(|| match along {
        Along::Steps => scale_of_steps(&steps(panel.curves())),
        Along::Layers => Scale::Linear,
    });
    let value_scale = choice.y.unwrap_or_else(|| of_values(panel));
    let parts = panel.parts.iter();
    let all = parts.flat_map(|part| part.curves.iter().map(move |curve| (part, curve)));
    let facets = grouped(all, |(_, curve)| choice.facet(&curve.subject));
    let charts = facets.into_iter().map(|(facet, curves)| {
        let component = curves.first().map(|(part, _)| part.short.as_str());
        draw(&ChartInput {
            title: String::new(),
            curves: curves
                .into_iter()
                .map(|(part, curve)| StyledCurve {
                    curve,
                    style: palette.style(&part.short, curve),
                })
                .collect(),
            columns: Vec::new(),
            row_name: Box::new(|_| String::new()),
            x_label: "".into(),
            value_label: &name_of(&facet, component),
            x_scale,
            value_scale,
            size: Size {
                width: COLUMN,
                height: ALONE,
            },
            theme: choice.theme,
            figure: None,
        })
    });
    Ok(Drawn {
        omitted: omitted(panel.curves(), value_scale),
        ..arrange(charts.collect(), (along, &palette), title, choice)?
    })
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
    let (above, last) = charts.split_at_mut((rows - 1) * columns);
    above
        .iter_mut()
        .for_each(|chart| chart.x_is_named_below = true);
    for chart in last {
        chart.x_label = along.noun().to_owned();
    }
    share_axes(&mut charts, !choice.free_y);
    let mut facets = Facets {
        title: title.line(),
        figure: Figure {
            title: title.name.clone(),
            subtitle: format!("{}{}", title.details, palette.remark(&charts)),
        },
        legend: palette.legend(&charts),
        charts,
        columns,
        size: Size {
            width,
            height: of_row.saturating_mul(u32::try_from(rows).unwrap_or(u32::MAX)),
        },
        theme: choice.theme,
    };
    if let Some(height) = choice.height {
        let around = facets.drawn_size().height - facets.size.height;
        facets.size.height = height.saturating_sub(around);
    }
    FigureError::if_crowded(count, facets.size_of_each())?;
    Ok(Drawn {
        svg: facets.to_svg(),
        size: facets.drawn_size(),
        omitted: None,
    })
}

/// As many columns as leave the last row fullest.
fn most_even(count: usize, most: usize) -> usize {
    let rows = count.div_ceil(most.clamp(1, count.max(1)));
    count.div_ceil(rows.max(1)).max(1)
}

impl Choice {
    /// What a chart is of: all but what colours mean.
    fn facet(&self, subject: &Subject) -> Subject {
        let Subject { layer, head, .. } = *subject;
        match self.by {
            _ if !self.chart.has_colours => self.chart.tiles.common(subject),
            By::Layer => Subject {
                layer: None,
                ..subject.clone()
            },
            By::Head => Tiles::Layer.common(subject),
            By::Component => Subject {
                layer,
                head,
                ..Subject::default()
            },
        }
    }
}

/// `layer 0 · head 1 · ov_circuit`.
fn name_of(facet: &Subject, component: Option<&str>) -> String {
    let layer = facet.layer.map(|layer| format!("layer {layer}"));
    let head = facet.head.map(|head| format!("head {head}"));
    let component = component.filter(|_| !facet.component.is_empty());
    let parts = [layer, head, component.map(str::to_owned)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}
