//! Curves as drawings.

use ckptscope_plot::{
    Colour, Heatmap, LineChart, Row, Scale, Series, Size, Theme, head_colours, layer_colours,
};

use crate::curve::{Curve, LayersAndHeads};
use crate::markup::escaped;
use crate::scale;

/// As wide as a small screen lets a drawing be, so that words in it are never scaled.
const WIDTH: u32 = 350;
const LINES_HEIGHT: u32 = 236;
/// Of a row of a heatmap, where there is room.
const ROW: u32 = 13;
/// Around the rows.
const REST: u32 = 44;
const LEAST_HEIGHT: u32 = 84;
const SMALL: Size = Size {
    width: 176,
    height: 118,
};

/// What all drawings of a report have in common.
pub(crate) struct Pen {
    seen: LayersAndHeads,
    layers: Vec<Colour>,
    heads: Vec<Colour>,
    steps: Scale,
}

impl Pen {
    pub(crate) fn new(seen: LayersAndHeads, steps: &[u64]) -> Self {
        Self {
            layers: layer_colours(seen.layers.len(), Theme::Light),
            heads: head_colours(seen.heads.len(), Theme::Light),
            seen,
            steps: scale::of_steps(steps),
        }
    }

    /// What is under the x axis.
    pub(crate) fn steps_label(&self) -> &'static str {
        match self.steps {
            Scale::Linear => "step",
            Scale::Log | Scale::LogFromZero => "step (log)",
        }
    }

    /// Lines over steps with the number of the layer, or of the head, at their ends.
    pub(crate) fn lines<'a, 'b: 'a>(
        &self,
        title: &str,
        curves: impl Iterator<Item = &'a Curve<'b>> + Clone,
    ) -> String {
        let values = curves.clone().flat_map(Curve::values);
        let y_scale = scale::of_values(values.map(|(_, value)| value));
        let chart = LineChart {
            title: title.to_owned(),
            x_label: self.steps_label().to_owned(),
            y_label: label_of(y_scale).to_owned(),
            x_scale: self.steps,
            y_scale,
            series: curves.map(|curve| self.series(curve)).collect(),
            size: Size {
                width: WIDTH,
                height: LINES_HEIGHT,
            },
            ..LineChart::default()
        };
        plain(&chart.to_svg())
    }

    /// One line over layers, where there is a single step.
    pub(crate) fn over_layers(&self, title: &str, over: &Curve<'_>) -> String {
        let y_scale = scale::of_values(over.values().map(|(_, value)| value));
        let series = Series {
            name: "all layers".to_owned(),
            end_label: String::new(),
            ..self.series(over)
        };
        let chart = LineChart {
            title: title.to_owned(),
            x_label: "layer".to_owned(),
            y_label: label_of(y_scale).to_owned(),
            y_scale,
            series: vec![series],
            size: Size {
                width: WIDTH,
                height: LINES_HEIGHT,
            },
            ..LineChart::default()
        };
        plain(&chart.to_svg())
    }

    /// A small chart of a layer's heads, on the axes of all layers' heads.
    pub(crate) fn small(&self, title: &str, curves: &[&Curve<'_>], axes: &SharedAxes) -> String {
        let chart = LineChart {
            title: title.to_owned(),
            x_scale: self.steps,
            y_scale: axes.scale,
            x_range: axes.x,
            y_range: axes.y,
            series: curves.iter().map(|curve| self.series(curve)).collect(),
            size: SMALL,
            ..LineChart::default()
        };
        plain(&chart.to_svg())
    }

    fn series(&self, curve: &Curve<'_>) -> Series {
        let (rank, number, colours) = match curve.head {
            None => (
                rank(&self.seen.layers, curve.layer),
                curve.layer,
                &self.layers,
            ),
            Some(head) => (rank(&self.seen.heads, head), head, &self.heads),
        };
        Series {
            name: name_of(curve),
            colour: colours.get(rank).copied().unwrap_or_default(),
            end_label: number.to_string(),
            points: curve.pairs().map(|(x, value)| (x as f64, value)).collect(),
            ..Series::default()
        }
    }
}

/// The axes of several small charts, so that they can be compared.
pub(crate) struct SharedAxes {
    x: Option<(f64, f64)>,
    y: Option<(f64, f64)>,
    scale: Scale,
}

impl SharedAxes {
    /// Of all curves that are drawn on them.
    pub(crate) fn of(curves: &[&Curve<'_>]) -> Self {
        let points = || curves.iter().flat_map(|curve| curve.values());
        Self {
            x: ends(points().map(|(step, _)| step as f64)),
            y: ends(points().map(|(_, value)| value)),
            scale: scale::of_values(points().map(|(_, value)| value)),
        }
    }
}

/// Rows of a heatmap are thinner than their names where there are more.
pub(crate) const MOST_NAMED_ROWS: usize = 48;

/// A row for each curve, a column for each step.
pub(crate) fn heatmap<'a, 'b: 'a>(
    title: &str,
    curves: impl Iterator<Item = &'a Curve<'b>> + Clone,
    (x_label, columns): (&str, &[u64]),
    (row_name, most_height): (fn(&Curve<'_>) -> String, u32),
) -> String {
    let values = curves.clone().flat_map(Curve::values);
    let row = |curve: &Curve<'_>| Row {
        name: row_name(curve),
        values: columns.iter().map(|&step| curve.at(step)).collect(),
    };
    let rows: Vec<Row> = curves.map(row).collect();
    let wanted = u32::try_from(rows.len())
        .unwrap_or(u32::MAX)
        .saturating_mul(ROW)
        .saturating_add(REST);
    let scale = scale::of_values(values.map(|(_, value)| value));
    let heatmap = Heatmap {
        title: title.to_owned(),
        x_label: x_label.to_owned(),
        value_label: label_of(scale).to_owned(),
        rows,
        columns: columns.iter().map(u64::to_string).collect(),
        scale,
        size: Size {
            width: WIDTH,
            height: wanted.clamp(LEAST_HEIGHT, most_height),
        },
        ..Heatmap::default()
    };
    plain(&heatmap.to_svg())
}

/// `layer 0 · head 3`.
pub(crate) fn name_of(curve: &Curve<'_>) -> String {
    match curve.head {
        None => format!("layer {}", curve.layer),
        Some(head) => format!("layer {} · head {head}", curve.layer),
    }
}

/// `<i>` in a layer's or head's colour before its number: a legend's entry.
pub(crate) fn swatch(colour: Colour, name: &str) -> String {
    let name = escaped(name);
    format!(
        "<span class=key><svg width=\"10\" height=\"10\" aria-hidden=\"true\"><rect width=\"10\" \
         height=\"10\" fill=\"{}\"/></svg>{name}</span> ",
        colour.to_string().to_uppercase()
    )
}

fn label_of(scale: Scale) -> &'static str {
    match scale {
        Scale::Linear => "",
        Scale::Log | Scale::LogFromZero => "log scale",
    }
}

fn rank(all: &std::collections::BTreeSet<u64>, number: u64) -> usize {
    all.range(..number).count()
}

fn ends(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let ends = values.fold(None, |ends: Option<(f64, f64)>, value| {
        let (low, high) = ends.unwrap_or((value, value));
        Some((low.min(value), high.max(value)))
    });
    ends.filter(|(low, high)| low < high)
}

/// What the style sheet says once for all drawings, or nobody needs: a report has thousands of
/// lines and words.
const SAID_ONCE: [(&str, &str); 10] = [
    (" stroke=\"none\"", ""),
    (" xmlns=\"http://www.w3.org/2000/svg\"", ""),
    (
        " font-family=\"system-ui, -apple-system, Segoe UI, Roboto, DejaVu Sans, sans-serif\"",
        "",
    ),
    (" opacity=\"1\"", ""),
    (" fill=\"none\"", ""),
    (" stroke-linejoin=\"round\"", ""),
    (" stroke-linecap=\"butt\"", ""),
    (" shape-rendering=\"crispEdges\"", ""),
    (" \"/>\n", "\"/>"),
    ("\">\n", "\">"),
];

/// A drawing without what the document says once for all of them, and with its lines' names as
/// titles, which browsers show under the pointer.
fn plain(svg: &str) -> String {
    let mut plain = svg.to_owned();
    for (words, instead) in SAID_ONCE {
        plain = plain.replace(words, instead);
    }
    let plain = without_attribute(&plain, " aria-label=\"", |_| String::new());
    without_attribute(&plain, " data-series=\"", |name| {
        format!("<title>{name}</title>")
    })
}

/// Takes out an attribute wherever it is; what `instead` makes of its value stands in the element
/// instead.
fn without_attribute(svg: &str, attribute: &str, instead: impl Fn(&str) -> String) -> String {
    let mut pieces = svg.split(attribute);
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        // Values and other attributes have neither quotes nor angle brackets of their own.
        let (value, rest) = piece.split_once('"').unwrap_or((piece, ""));
        let (attributes, inside) = rest.split_once('>').unwrap_or((rest, ""));
        plain.push_str(attributes);
        plain.push('>');
        plain.push_str(&instead(value));
        plain.push_str(inside);
    }
    plain
}
