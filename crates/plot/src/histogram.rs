//! The histogram.

use crate::axis::{Axis, Scale};
use crate::colour::Colour;
use crate::figure::{Figure, Sheet};
use crate::plane::{Axes, Label, Plane};
use crate::size::{Rectangle, Size};
use crate::theme::Theme;

/// How many values lie where, as bars.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// What the chart shows; for screen readers and hover, not drawn.
    pub title: String,
    /// Under the x axis; nothing where empty.
    pub x_label: String,
    /// Above the y axis; nothing where empty.
    pub y_label: String,
    /// Where bins begin and end, ascending: one more than there are counts.
    pub edges: Vec<f64>,
    /// How many values each bin has.
    pub counts: Vec<u64>,
    /// How a count becomes a height. On both logarithmic scales a count of 1 is seen, and one of 0
    /// has no bar.
    pub count_scale: Scale,
    /// The bars' colour.
    pub colour: Colour,
    /// The plot's size, which is the drawing's where there is no figure.
    pub size: Size,
    /// Which colours the chart's own parts have.
    pub theme: Theme,
    /// Makes a figure that can be published: a heading above, a ground. The drawing becomes
    /// higher than `size`.
    pub figure: Option<Figure>,
}

/// Bars of this width and wider have a line between them.
const ROOMY: f64 = 4.0;

impl Histogram {
    /// The drawing: an SVG element that can stand in a page or, as it is, in a file. The bars are
    /// a group of the class `bars`.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let sheet = self.sheet();
        let plane = self.plane(&sheet);
        let axes = self.axes();
        let mut canvas = sheet.canvas(&self.title);
        canvas.group("frame", |layer| {
            plane.draw(&axes, layer);
            if self.counts.iter().all(|&count| count == 0) {
                plane.say("no values", &axes, layer);
            }
        });
        canvas.group("bars", |layer| {
            for index in 0..self.counts.len() {
                if let Some(bar) = self.bar_between(&axes, index) {
                    layer.rectangle(bar, self.colour);
                }
            }
        });
        canvas.finish()
    }

    /// The size of the whole drawing, with its figure if it has one.
    #[must_use]
    pub fn drawn_size(&self) -> Size {
        self.sheet().size()
    }

    /// Where values and counts stand in the drawing.
    #[must_use]
    pub fn axes(&self) -> Axes {
        let plane = self.plane(&self.sheet());
        let counts = self.counts.iter().map(|&count| count as f64);
        let most = counts.clone().fold(0.0, f64::max);
        let (least, room) = match self.count_scale {
            Scale::Linear => (0.0, 1.05),
            Scale::Log => (0.5, 1.5),
            Scale::LogFromZero => (0.0, 1.5),
        };
        let range = Some((least, most.max(1.0) * room));
        let y = Axis::over(self.count_scale, range, counts, plane.height()).counting();
        let x = Axis::tight(Scale::Linear, self.edges.iter().copied(), plane.width(&y));
        Axes { x, y }
    }

    /// The area of a bar; `None` where there is nothing to draw.
    #[must_use]
    pub fn bar(&self, index: usize) -> Option<Rectangle> {
        self.bar_between(&self.axes(), index)
    }

    fn bar_between(&self, axes: &Axes, index: usize) -> Option<Rectangle> {
        let count = self.counts.get(index).filter(|&&count| count > 0)?;
        let left = axes.x.position(*self.edges.get(index)?)?;
        let right = axes.x.position(*self.edges.get(index + 1)?)?;
        let line = if right - left >= ROOMY { 1.0 } else { 0.0 };
        let (bottom, _) = axes.y.pixels();
        let top = axes.y.position(*count as f64)?;
        let bar = Rectangle {
            left,
            top,
            width: right - left - line,
            height: bottom - top,
        };
        (bar.width > 0.0 && bar.height > 0.0).then_some(bar)
    }

    fn sheet(&self) -> Sheet<'_> {
        Sheet {
            figure: self.figure.as_ref(),
            plot: self.size,
            theme: self.theme,
            entries: Vec::new(),
        }
    }

    fn plane(&self, sheet: &Sheet<'_>) -> Plane<'_> {
        Plane {
            size: self.size,
            top: sheet.top(),
            theme: self.theme,
            x_label: Label {
                name: &self.x_label,
                scale: Scale::Linear,
            },
            y_label: Label {
                name: &self.y_label,
                scale: self.count_scale,
            },
            beside: 0.0,
        }
    }
}
