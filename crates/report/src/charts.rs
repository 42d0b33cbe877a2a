//! Curves as drawings.

use ckptscope_chart::{
    Along, CHARTS, Chart, ChartInput, Curve, Draw, DrawLines, RowHeights, StyledCurve, Subjects,
    Tiles, grouped, rank, scale_of_steps, scale_of_values,
};
use ckptscope_plot::{
    Colour, LineChart, Scale, Series, Size, Theme, head_colours, layer_colours, share_axes,
};
use ckptscope_results::{Subject, layer_in_words};

use crate::markup::escaped;

/// As wide as a small screen lets a drawing be, so that words in it are never scaled.
const WIDTH: u32 = 350;
const LINES_HEIGHT: u32 = 236;
const SMALL: Size = Size {
    width: 176,
    height: 118,
};

/// What all drawings of a report have in common.
pub(crate) struct Pen {
    seen: Subjects,
    layers: Vec<Colour>,
    heads: Vec<Colour>,
    steps: Scale,
}

/// Curves of one component, all of layers or all of heads, and how a report shows them.
pub(crate) struct Reported<'a> {
    /// The metric and the component.
    pub(crate) name: String,
    /// What each is of: `layer` or `head`.
    pub(crate) each: &'static str,
    pub(crate) curves: &'a [&'a Curve],
    pub(crate) along: Along,
    /// The steps, or layers.
    pub(crate) columns: &'a [u64],
    pub(crate) row_name: fn(&Subject) -> String,
    /// Of drawings that have rows.
    pub(crate) most_height: u32,
}

impl Reported<'_> {
    /// The charts that a report has of them.
    pub(crate) fn charts(&self) -> impl Iterator<Item = &'static Chart> {
        let charts = CHARTS.iter().copied();
        charts.filter(|chart| (chart.is_reported)(self.curves, self.along))
    }

    fn value_scale(&self) -> Scale {
        let values = self.curves.iter().flat_map(|curve| curve.values());
        scale_of_values(values.map(|(_, value)| value))
    }
}

impl Pen {
    pub(crate) fn new(seen: Subjects, steps: &[u64]) -> Self {
        Self {
            layers: layer_colours(seen.layers.len(), Theme::Light),
            heads: head_colours(seen.heads.len(), Theme::Light),
            seen,
            steps: scale_of_steps(steps),
        }
    }

    /// All charts of curves, one after the other, each as one drawing.
    pub(crate) fn all(&self, reported: &Reported<'_>) -> String {
        let charts = reported.charts();
        charts.map(|chart| self.whole(chart, reported)).collect()
    }

    /// A chart of all curves together, with the numbers of layers or heads at lines' ends.
    pub(crate) fn whole(&self, chart: &Chart, reported: &Reported<'_>) -> String {
        let (name, each, marks) = (&reported.name, reported.each, chart.marks);
        let x = reported.along.noun();
        let input = self.input(reported.curves, reported, reported.value_scale());
        plain(&match chart.draw {
            Draw::Lines(draw) => draw(&ChartInput {
                title: match reported.along {
                    Along::Layers => format!("{name} over layers"),
                    Along::Steps => format!("{name} over steps, {marks} {each}"),
                },
                x_label: x.into(),
                ..input
            })
            .to_svg(),
            Draw::Rows(draw) => draw(&ChartInput {
                title: format!("{name}, {marks} {each}, a column for each {x}"),
                x_label: x.into(),
                size: Size {
                    width: WIDTH,
                    height: heights(reported.most_height).of(reported.curves.len()),
                },
                ..input
            })
            .to_svg(),
        })
    }

    /// A small chart for each layer, on the axes of all of them: layers, and their charts.
    pub(crate) fn by_layer(
        &self,
        (chart, draw): (&Chart, DrawLines),
        reported: &Reported<'_>,
    ) -> Vec<(u64, String)> {
        let value_scale = reported.value_scale();
        let groups = grouped(reported.curves.iter().copied(), |curve| {
            Tiles::Layer.common(&curve.subject)
        });
        let (layers, mut charts): (Vec<u64>, Vec<LineChart>) = groups
            .iter()
            .map(|(of, curves)| {
                let layer = of.layer.unwrap_or_default();
                let (name, each, marks) = (&reported.name, reported.each, chart.marks);
                let drawn = draw(&ChartInput {
                    title: format!("{name}, layer {layer}, {marks} {each}"),
                    size: SMALL,
                    ..self.input(curves, reported, value_scale)
                });
                (layer, drawn)
            })
            .unzip();
        share_axes(&mut charts, true);
        let drawn = charts.iter().map(|chart| plain(&chart.to_svg()));
        layers.into_iter().zip(drawn).collect()
    }

    /// Some of the curves, without words around them.
    fn input<'a>(
        &self,
        curves: &[&'a Curve],
        reported: &'a Reported<'_>,
        value_scale: Scale,
    ) -> ChartInput<'a> {
        ChartInput {
            title: String::new(),
            curves: curves.iter().map(|curve| self.styled(curve)).collect(),
            columns: reported.columns.to_vec(),
            row_name: Box::new(&reported.row_name),
            x_label: "".into(),
            value_label: "",
            x_scale: match reported.along {
                Along::Steps => self.steps,
                Along::Layers => Scale::Linear,
            },
            value_scale,
            size: Size {
                width: WIDTH,
                height: LINES_HEIGHT,
            },
            theme: Theme::Light,
            figure: None,
        }
    }

    fn styled<'a>(&self, curve: &'a Curve) -> StyledCurve<'a> {
        let Subject { layer, head, .. } = curve.subject;
        let (rank, number, colours) = match head {
            None => (rank(&self.seen.layers, layer), layer, &self.layers),
            Some(_) => (rank(&self.seen.heads, head), head, &self.heads),
        };
        let style = Series {
            name: name_of(curve),
            colour: colours.get(rank).copied().unwrap_or_default(),
            end_label: number.map_or_else(String::new, |number| number.to_string()),
            ..Series::default()
        };
        StyledCurve { curve, style }
    }
}

/// Rows of a heatmap are thinner than their names where there are more.
pub(crate) const MOST_NAMED_ROWS: usize = 48;

const fn heights(most: u32) -> RowHeights {
    RowHeights {
        row: 13,
        around: 44,
        least: 84,
        most,
    }
}

/// `layer 0 · head 3`.
fn name_of(curve: &Curve) -> String {
    let Subject { layer, head, .. } = curve.subject;
    match (layer, head) {
        (None, None) if curve.series.id.layer.is_none() => layer_in_words(None),
        (None, None) => "all layers".to_owned(),
        (Some(layer), None) => format!("layer {layer}"),
        (None, Some(head)) => format!("head {head}"),
        (Some(layer), Some(head)) => format!("layer {layer} · head {head}"),
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
