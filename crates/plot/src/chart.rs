//! The line chart.

use crate::axis::{Axis, Scale};
use crate::canvas::{Anchor, Canvas, Layer, Stroke, Text};
use crate::colour::Colour;
use crate::theme::Theme;

/// Lines over training steps, one per series.
#[derive(Clone, Debug, PartialEq)]
pub struct LineChart {
    /// What the chart shows; for screen readers and hover, not drawn.
    pub title: String,
    /// Under the x axis; nothing where empty.
    pub x_label: String,
    /// Above the y axis; nothing where empty.
    pub y_label: String,
    /// How x becomes a position.
    pub x_scale: Scale,
    /// How y becomes a position.
    pub y_scale: Scale,
    /// The lines, drawn in this order.
    pub series: Vec<Series>,
    /// The drawing's size.
    pub size: Size,
    /// Which colours the chart's own parts have.
    pub theme: Theme,
}

/// One line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// What the legend calls it.
    pub name: String,
    /// Its colour.
    pub colour: Colour,
    /// Its dashes.
    pub dash: Dash,
    /// (x, y) by ascending x; the line has a gap where y is none.
    pub points: Vec<(f64, Option<f64>)>,
}

/// How a line is dashed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dash {
    /// Not at all.
    #[default]
    Solid,
    /// Long dashes.
    Dashed,
    /// Dots.
    Dotted,
    /// A dash and a dot.
    DashDotted,
}

/// Width and height in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

/// Where values stand in a drawing, for what is laid over it.
#[derive(Clone, Debug, PartialEq)]
pub struct Axes {
    /// From left to right.
    pub x: Axis,
    /// From bottom to top.
    pub y: Axis,
}

/// Room around the plot, in pixels.
const LEFT: f64 = 48.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 24.0;
const LABEL: f64 = 17.0;
const TICK_TEXT: f64 = 11.0;
/// From here on markers hide the line rather than show its points.
const MOST_MARKED_POINTS: usize = 64;

impl Default for LineChart {
    fn default() -> Self {
        Self {
            title: String::new(),
            x_label: String::new(),
            y_label: String::new(),
            x_scale: Scale::Linear,
            y_scale: Scale::Linear,
            series: Vec::new(),
            size: Size {
                width: 470,
                height: 250,
            },
            theme: Theme::Light,
        }
    }
}

impl LineChart {
    /// The drawing: an SVG element that can stand in a page or, as it is, in a file. Every series
    /// is a group of the class `series` with its name in `data-series`.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let axes = self.axes();
        let mut canvas = Canvas::new(self.size.width, self.size.height, &self.title);
        canvas.group("frame", None, Dash::Solid, |layer| {
            self.draw_frame(&axes, layer);
        });
        for series in &self.series {
            canvas.group("series", Some(&series.name), series.dash, |layer| {
                draw_series(series, &axes, layer);
            });
        }
        canvas.finish()
    }

    /// Where values stand in the drawing.
    #[must_use]
    pub fn axes(&self) -> Axes {
        let (width, height) = (f64::from(self.size.width), f64::from(self.size.height));
        let xs = self
            .points()
            .filter(|point| point.1.is_some())
            .map(|point| point.0);
        let ys = self.points().filter_map(|point| point.1);
        let bottom = if self.x_label.is_empty() {
            BOTTOM
        } else {
            BOTTOM + LABEL
        };
        let top = if self.y_label.is_empty() {
            TOP
        } else {
            TOP + LABEL
        };
        Axes {
            x: Axis::tight(self.x_scale, xs, LEFT, width - RIGHT),
            y: Axis::with_room(self.y_scale, ys, height - bottom, top),
        }
    }

    fn points(&self) -> impl Iterator<Item = (f64, Option<f64>)> + '_ {
        self.series
            .iter()
            .flat_map(|series| series.points.iter().copied())
    }

    fn draw_frame(&self, axes: &Axes, layer: &mut Layer<'_>) {
        let (left, right) = axes.x.pixels();
        let (bottom, top) = axes.y.pixels();
        let text = |anchor| Text {
            size: TICK_TEXT,
            colour: self.theme.dim(),
            anchor,
        };
        let grid = Stroke {
            width: 1.0,
            colour: self.theme.grid(),
        };
        for tick in axes.y.ticks(28.0) {
            layer.line(&[(left, tick.position), (right, tick.position)], grid);
            layer.text(
                &tick.label,
                (left - 6.0, tick.position),
                text(Anchor::Right),
            );
        }
        for tick in axes.x.ticks(34.0) {
            layer.text(
                &tick.label,
                (tick.position, bottom + 14.0),
                text(Anchor::Middle),
            );
        }
        let axis = Stroke {
            width: 1.0,
            colour: self.theme.dim(),
        };
        layer.line(&[(left, bottom), (right, bottom)], axis);
        if !self.x_label.is_empty() {
            let below = ((left + right) / 2.0, bottom + 14.0 + LABEL);
            layer.text(&self.x_label, below, text(Anchor::Middle));
        }
        if !self.y_label.is_empty() {
            layer.text(&self.y_label, (4.0, top - LABEL + 4.0), text(Anchor::Left));
        }
        if self.points().all(|point| point.1.is_none()) {
            let middle = ((left + right) / 2.0, (bottom + top) / 2.0);
            layer.text("no values", middle, text(Anchor::Middle));
        }
    }
}

fn draw_series(series: &Series, axes: &Axes, layer: &mut Layer<'_>) {
    let stroke = Stroke {
        width: 1.8,
        colour: series.colour,
    };
    let runs = runs(series, axes);
    for run in runs.iter().filter(|run| run.len() > 1) {
        layer.line(run, stroke);
    }
    let marked = series.points.len() <= MOST_MARKED_POINTS;
    for run in runs.iter().filter(|run| marked || run.len() == 1) {
        for &point in run {
            layer.dot(point, 2.0, series.colour);
        }
    }
}

/// The positions of a series, broken where a value is missing or has no place on its axis.
fn runs(series: &Series, axes: &Axes) -> Vec<Vec<(f64, f64)>> {
    let mut runs = vec![Vec::new()];
    for &(x, y) in &series.points {
        let position = y.and_then(|y| Some((axes.x.position(x)?, axes.y.position(y)?)));
        match (position, runs.last_mut()) {
            (Some(position), Some(run)) => run.push(position),
            _ => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}
