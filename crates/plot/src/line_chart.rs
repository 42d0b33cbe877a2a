//! The line chart.

use crate::axis::{Axis, Scale};
use crate::canvas::{Canvas, Stroke};
use crate::clip::{Position, clipped};
use crate::colour::Colour;
use crate::ends::{self, End};
use crate::figure::{Entry, Figure, Sheet};
use crate::plane::{Axes, Label, Measures, Plane};
use crate::size::Size;
use crate::theme::Theme;

/// Lines over training steps, or over whatever has an order, one per series.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LineChart {
    /// What the chart shows; for screen readers and hover, not drawn.
    pub title: String,
    /// Under the x axis; nothing where empty. An axis that is not linear says so besides.
    pub x_label: String,
    /// Whether a chart below has the same x axis and names it, so that this one does not.
    pub x_is_named_below: bool,
    /// Above the y axis; nothing where empty. An axis that is not linear says so besides.
    pub y_label: String,
    /// How x becomes a position.
    pub x_scale: Scale,
    /// How y becomes a position.
    pub y_scale: Scale,
    /// The smallest and largest x of the axis; the series' own where it is none. For charts that
    /// share an axis. What lies outside is not drawn.
    pub x_range: Option<(f64, f64)>,
    /// As `x_range`, for y. As ever, the y axis has a little room at both ends.
    pub y_range: Option<(f64, f64)>,
    /// The lines, drawn in this order, the faded ones first.
    pub series: Vec<Series>,
    /// The plot's size, which is the drawing's where there is no figure. Small ones (below 260
    /// pixels wide or 150 high) have fewer ticks and smaller margins.
    pub size: Size,
    /// Which colours the chart's own parts have.
    pub theme: Theme,
    /// Makes a figure that can be published: a heading above, a legend below, a ground. The
    /// drawing becomes higher than `size`.
    pub figure: Option<Figure>,
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
    /// Whether it stands back behind the others, thinner and paler.
    pub faded: bool,
    /// What stands beside the line's end, in its colour; nothing where empty. For lines in an
    /// order, of which a legend would have to be searched: `0`, `1`, `2`. Such a line is not in the
    /// legend. Where there is no room for all labels, every second or third is drawn.
    pub end_label: String,
    /// (x, y) by ascending x; the line has a gap where y is none.
    pub points: Vec<(f64, Option<f64>)>,
}

/// How a line is dashed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
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

impl Dash {
    /// All of them, the plainest first.
    pub(crate) const ALL: [Self; 4] = [Self::Solid, Self::Dashed, Self::Dotted, Self::DashDotted];
}

/// From here on markers hide the line rather than show its points.
const MOST_MARKED_POINTS: usize = 64;
/// As they do where points are nearer to each other than this, in pixels, on the whole.
const LEAST_DISTANCE: f64 = 5.5;
/// How far a faded line is on its way to the ground's colour.
const FADED: f64 = 0.65;

impl LineChart {
    /// The drawing: an SVG element that can stand in a page or, as it is, in a file. Every series
    /// is a group of the class `series` with its name in `data-series`.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let sheet = self.sheet();
        let plane = self.plane(&sheet);
        let axes = self.axes();
        let mut canvas = sheet.canvas(&self.title);
        canvas.group("frame", |layer| {
            plane.draw(&axes, layer);
            if self.points().all(|point| point.1.is_none()) {
                plane.say("no values", &axes, layer);
            }
        });
        let (faded, clear): (Vec<_>, Vec<_>) = self.series.iter().partition(|line| line.faded);
        for series in faded.into_iter().chain(clear) {
            self.draw_series(series, &axes, &mut canvas);
        }
        let ends = self.ends(&axes);
        if !ends.is_empty() {
            let text = Measures::of(self.size).end_text();
            canvas.group("ends", |layer| ends::draw(ends, &axes, text, layer));
        }
        canvas.finish()
    }

    /// The size of the whole drawing, with its figure if it has one.
    #[must_use]
    pub fn drawn_size(&self) -> Size {
        self.sheet().size()
    }

    /// Where values stand in the drawing.
    #[must_use]
    pub fn axes(&self) -> Axes {
        let xs = self
            .points()
            .filter(|point| point.1.is_some())
            .map(|point| point.0);
        let ys = self.points().filter_map(|point| point.1);
        let plane = self.plane(&self.sheet());
        let y = Axis::over(self.y_scale, self.y_range, ys, plane.height()).with_room();
        let are_whole = xs.clone().all(|x| x.fract() == 0.0);
        let x = Axis::over(self.x_scale, self.x_range, xs, plane.width(&y));
        let x = if are_whole { x.counting() } else { x };
        Axes { x, y }
    }

    fn points(&self) -> impl Iterator<Item = (f64, Option<f64>)> + Clone + '_ {
        self.series
            .iter()
            .flat_map(|series| series.points.iter().copied())
    }

    fn sheet(&self) -> Sheet<'_> {
        // A number at a line's end needs the name behind it.
        let named = self.series.iter().filter(|line| {
            let label = &line.end_label;
            label.is_empty() || (*label != line.name && line.name.starts_with(label.as_str()))
        });
        let entries = named.map(|series| Entry {
            name: &series.name,
            colour: self.colour(series),
            dash: series.dash,
        });
        Sheet {
            figure: self.figure.as_ref(),
            plot: self.size,
            theme: self.theme,
            entries: entries.collect(),
        }
    }

    fn plane(&self, sheet: &Sheet<'_>) -> Plane<'_> {
        Plane {
            size: self.size,
            top: sheet.top(),
            theme: self.theme,
            x_label: match self.x_is_named_below {
                true => Label::default(),
                false => Label {
                    name: &self.x_label,
                    scale: self.x_scale,
                },
            },
            y_label: Label {
                name: &self.y_label,
                scale: self.y_scale,
            },
            beside: ends::width(
                self.series.iter().map(|series| series.end_label.as_str()),
                Measures::of(self.size).end_text(),
            ),
        }
    }

    /// The labels beside the lines' ends.
    fn ends(&self, axes: &Axes) -> Vec<End<'_>> {
        let end = |series: &'_ Series| {
            let last = *runs(series, axes).last()?.last()?;
            axes.contain(last).then_some(last)
        };
        let labelled = self.series.iter().filter(|line| !line.end_label.is_empty());
        let ends = labelled.filter_map(|series| {
            Some(End {
                label: &series.end_label,
                at: end(series)?,
                colour: self.colour(series),
            })
        });
        ends.collect()
    }

    fn colour(&self, series: &Series) -> Colour {
        if series.faded {
            series.colour.towards(self.theme.ground(), FADED)
        } else {
            series.colour
        }
    }

    fn draw_series(&self, series: &Series, axes: &Axes, canvas: &mut Canvas) {
        let (thin, small) = (series.faded, self.size.is_small());
        let stroke = Stroke {
            width: if thin || small { 1.4 } else { 1.8 },
            colour: self.colour(series),
        };
        let runs = runs(series, axes);
        canvas.open(&[
            ("class", "series"),
            ("data-series", &series.name),
            ("stroke-linejoin", "round"),
            ("stroke-dasharray", series.dash.pattern()),
        ]);
        canvas.draw(|layer| {
            for line in runs.iter().flat_map(|run| clipped(run, axes)) {
                layer.line(&line, stroke);
            }
        });
        let marked = is_marked(series, axes);
        let dots: Vec<Position> = runs
            .iter()
            .filter(|run| marked || run.len() == 1)
            .flatten()
            .copied()
            .filter(|&point| axes.contain(point))
            .collect();
        canvas.dots(&dots, if small { 1.6 } else { 2.0 }, stroke.colour);
        canvas.close();
    }
}

/// Whether every point has a dot, rather than only those that no line goes to.
fn is_marked(series: &Series, axes: &Axes) -> bool {
    let (left, right) = axes.x.pixels();
    let count = series.points.len();
    count <= MOST_MARKED_POINTS && (right - left) / count.max(1) as f64 >= LEAST_DISTANCE
}

/// The positions of a series, broken where a value is missing or has no place on its axis.
fn runs(series: &Series, axes: &Axes) -> Vec<Vec<Position>> {
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
