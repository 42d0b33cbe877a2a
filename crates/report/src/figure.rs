//! Single figures for a paper: the curves of one panel, chosen and arranged.

use std::collections::BTreeSet;

use trainscope_analysis::results::Entry;
use trainscope_plot::{
    Colour, Facets, Figure, Heatmap, LineChart, Row, Scale, Series, Size, Theme, head_colours,
    layer_colours, part_colours,
};

use crate::curve::{Curve, Panel, short};
use crate::scale;
use crate::title::Title;

/// How a panel is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Components, as records name them; all where empty.
    pub components: Vec<String>,
    /// Layers; all where it is none.
    pub layers: Option<BTreeSet<u64>>,
    /// Heads instead of whole layers.
    pub heads: bool,
    /// Lines or cells.
    pub kind: Kind,
    /// What colours mean; every chart has one value of what else there is.
    pub by: By,
    /// The axis of steps; chosen by the steps where it is none.
    pub x: Option<Scale>,
    /// The axis of values; chosen by the values where it is none.
    pub y: Option<Scale>,
    /// Whether each chart has a y axis of its own.
    pub free_y: bool,
    /// Which colours the figure's own parts have.
    pub theme: Theme,
    /// The whole drawing's width in CSS pixels; one or two columns of a paper where it is none.
    pub width: Option<u32>,
    /// The whole drawing's height in CSS pixels; as many as its charts want where it is none.
    pub height: Option<u32>,
}

/// What shows values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Lines over steps.
    #[default]
    Line,
    /// Rows of cells.
    Heatmap,
}

/// What colours mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// The layer, in an order.
    #[default]
    Layer,
    /// The head, in an order.
    Head,
    /// The component.
    Component,
}

/// A drawing and how large it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// An SVG document whose texts are texts.
    pub svg: String,
    /// In CSS pixels.
    pub size: Size,
}

/// A figure that cannot be drawn.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FigureError {
    /// Nothing is left to draw.
    #[error("there is nothing to draw: {reason}")]
    Nothing {
        /// Why.
        reason: String,
    },
    /// Too many charts for the size.
    #[error(
        "{charts} charts do not fit: each would be {width} by {height} pixels; make the figure \
         larger, or choose fewer layers, components or heads"
    )]
    Crowded {
        /// How many there would be.
        charts: usize,
        /// Of each.
        width: u32,
        /// Of each.
        height: u32,
    },
}

/// A column of a paper, 8.5 cm.
const COLUMN: u32 = 321;
/// The width of a page, 17 cm.
const PAGE: u32 = 643;
/// A chart that stands alone is as high as 6 cm.
const ALONE: u32 = 227;
/// One of several.
const ONE_OF_SEVERAL: u32 = 150;
/// Several charts are at least this wide each, where the width is not given.
const LEAST_WIDTH: u32 = 150;
/// Below this a chart says nothing.
const LEAST: Size = Size {
    width: 90,
    height: 60,
};
/// As many lines have a legend; more have their numbers at their ends.
const MOST_IN_LEGEND: usize = 6;
/// Of a row of a heatmap.
const ROW: u32 = 13;

/// A curve and its component.
type Chosen<'a> = (&'a str, &'a Curve<'a>);

/// Draws a panel of results with these entries.
///
/// # Errors
/// [`FigureError`].
pub fn draw(panel: &Panel<'_>, entries: &[Entry], choice: &Choice) -> Result<Drawn, FigureError> {
    let chosen = chosen(panel, choice)?;
    let title = Title::of(&panel.key, entries);
    match choice.kind {
        Kind::Line => lines(&chosen, &title, choice),
        Kind::Heatmap => Ok(heatmap(&chosen, &title, choice)),
    }
}

fn chosen<'a>(panel: &'a Panel<'a>, choice: &Choice) -> Result<Vec<Chosen<'a>>, FigureError> {
    let heads = choice.heads || choice.by == By::Head;
    let mut chosen = Vec::new();
    for part in &panel.parts {
        let is_wanted = choice.components.is_empty()
            || choice.components.iter().any(|name| name == part.component);
        let curves = part.curves.iter().filter(|curve| {
            let layers = choice.layers.as_ref();
            curve.head.is_some() == heads && layers.is_none_or(|all| all.contains(&curve.layer))
        });
        if is_wanted {
            chosen.extend(curves.map(|curve| (part.component, curve)));
        }
    }
    if chosen.is_empty() {
        let what = if heads { "heads" } else { "whole layers" };
        let reason = format!("no values of {what} were computed for what was chosen");
        return Err(FigureError::Nothing { reason });
    }
    Ok(chosen)
}

fn lines(chosen: &[Chosen<'_>], title: &Title, choice: &Choice) -> Result<Drawn, FigureError> {
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

fn heatmap(chosen: &[Chosen<'_>], title: &Title, choice: &Choice) -> Drawn {
    let steps: BTreeSet<u64> = chosen
        .iter()
        .flat_map(|(_, curve)| curve.points.iter().map(|point| point.step))
        .collect();
    let one_component = chosen
        .iter()
        .all(|(component, _)| *component == chosen[0].0);
    let row = |&(component, curve): &Chosen<'_>| {
        let number = match curve.head {
            None => curve.layer.to_string(),
            Some(head) => format!("{} · h{head}", curve.layer),
        };
        let name = if one_component {
            number
        } else {
            format!("{number} · {}", short(component))
        };
        let values = steps.iter().map(|&step| curve.at(step)).collect();
        Row { name, values }
    };
    let rows: Vec<Row> = chosen.iter().map(row).collect();
    let scale = choice.y.unwrap_or_else(|| of_values(chosen));
    let wanted = u32::try_from(rows.len())
        .unwrap_or(u32::MAX)
        .saturating_mul(ROW);
    let component = if one_component {
        format!("{} · ", chosen[0].0)
    } else {
        String::new()
    };
    let mut heatmap = Heatmap {
        title: title.line(),
        x_label: "step".to_owned(),
        value_label: if scale == Scale::Linear {
            ""
        } else {
            "log scale"
        }
        .to_owned(),
        rows,
        columns: steps.iter().map(u64::to_string).collect(),
        scale,
        size: Size {
            width: choice.width.unwrap_or(COLUMN),
            height: wanted.saturating_add(60).clamp(120, 640),
        },
        theme: choice.theme,
        figure: Some(Figure {
            title: title.name.clone(),
            subtitle: format!("{component}{}", title.details),
        }),
        ..Heatmap::default()
    };
    if let Some(height) = choice.height {
        let around = heatmap.drawn_size().height - heatmap.size.height;
        heatmap.size.height = height.saturating_sub(around);
    }
    Drawn {
        svg: heatmap.to_svg(),
        size: heatmap.drawn_size(),
    }
}

fn of_values(chosen: &[Chosen<'_>]) -> Scale {
    let values = chosen.iter().flat_map(|(_, curve)| curve.values());
    scale::of_values(values.map(|(_, value)| value))
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

/// What colours stand for.
struct Palette {
    by: By,
    names: Vec<String>,
    colours: Vec<Colour>,
}

impl Palette {
    fn of(chosen: &[Chosen<'_>], choice: &Choice) -> Self {
        let by = choice.by;
        let mut names: Vec<String> = match by {
            By::Component => chosen.iter().map(|(name, _)| (*name).to_owned()).collect(),
            By::Layer | By::Head => {
                let numbers: BTreeSet<u64> = chosen
                    .iter()
                    .filter_map(|(_, curve)| match by {
                        By::Head => curve.head,
                        By::Layer | By::Component => Some(curve.layer),
                    })
                    .collect();
                numbers.iter().map(u64::to_string).collect()
            }
        };
        let mut seen = BTreeSet::new();
        names.retain(|name| seen.insert(name.clone()));
        let colours = match by {
            By::Layer => layer_colours,
            By::Head => head_colours,
            By::Component => part_colours,
        };
        Self {
            by,
            colours: colours(names.len(), choice.theme),
            names,
        }
    }

    fn series(&self, component: &str, curve: &Curve<'_>) -> Series {
        let name = match self.by {
            By::Layer => curve.layer.to_string(),
            By::Head => curve.head.unwrap_or_default().to_string(),
            By::Component => component.to_owned(),
        };
        let place = self.names.iter().position(|other| *other == name);
        let end_label = if self.is_at_ends() {
            name.clone()
        } else {
            String::new()
        };
        let points = curve.points.iter();
        Series {
            name: self.said(&name),
            colour: place
                .and_then(|place| self.colours.get(place))
                .copied()
                .unwrap_or_default(),
            end_label,
            points: points
                .map(|point| (point.step as f64, point.value))
                .collect(),
            ..Series::default()
        }
    }

    /// Whether lines have their numbers at their ends instead of in a legend.
    fn is_at_ends(&self) -> bool {
        self.by != By::Component && self.names.len() > MOST_IN_LEGEND
    }

    fn said(&self, name: &str) -> String {
        match self.by {
            By::Layer => format!("layer {name}"),
            By::Head => format!("head {name}"),
            By::Component => name.to_owned(),
        }
    }

    fn legend(&self) -> Vec<Series> {
        if self.is_at_ends() {
            return Vec::new();
        }
        let entries = self.names.iter().zip(&self.colours);
        entries
            .map(|(name, &colour)| Series {
                name: self.said(name),
                colour,
                ..Series::default()
            })
            .collect()
    }

    fn remark(&self) -> &'static str {
        match self.by {
            By::Layer if self.is_at_ends() => " · numbers: layers",
            By::Head if self.is_at_ends() => " · numbers: heads",
            _ => "",
        }
    }
}
