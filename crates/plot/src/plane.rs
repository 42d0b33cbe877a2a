//! What surrounds lines and bars: axes, ticks, grid and labels.

use crate::axis::{Axis, Scale, Tick};
use crate::canvas::{Anchor, Layer, Stroke, Text};
use crate::size::Size;
use crate::theme::Theme;
use crate::words::{fitting, fitting_name, width_of};

/// Where values stand in a drawing, for what is laid over it.
#[derive(Clone, Debug, PartialEq)]
pub struct Axes {
    /// From left to right.
    pub x: Axis,
    /// From bottom to top.
    pub y: Axis,
}

/// The plane that a chart with two axes is drawn on.
pub(crate) struct Plane<'a> {
    pub size: Size,
    /// Where it begins in the drawing.
    pub top: f64,
    pub theme: Theme,
    pub x_label: Label<'a>,
    pub y_label: Label<'a>,
    /// Kept free at the right of the plot, in pixels.
    pub beside: f64,
}

/// What stands beside an axis: a name, and what scale it has where that is not the plain one.
#[derive(Clone, Copy, Default)]
pub(crate) struct Label<'a> {
    pub name: &'a str,
    pub scale: Scale,
}

impl Label<'_> {
    /// Whether there is nothing to say.
    pub(crate) fn is_empty(self) -> bool {
        self.name.is_empty() && self.scale == Scale::Linear
    }

    /// In words, the name made to fit by `shortened`, which gets the width that it may have.
    pub(crate) fn words(
        self,
        (text, width): (f64, f64),
        shortened: fn(&str, f64, f64) -> String,
    ) -> String {
        const LOGARITHMIC: &str = " (log)";
        match (self.scale, self.name) {
            (Scale::Linear, name) => shortened(name, text, width),
            (Scale::Log | Scale::LogFromZero, "") => shortened("log scale", text, width),
            (Scale::Log | Scale::LogFromZero, name) => {
                let name = shortened(name, text, width - width_of(LOGARITHMIC, text));
                format!("{name}{LOGARITHMIC}")
            }
        }
    }
}

/// Lengths in pixels, by the plane's size.
pub(crate) struct Measures {
    pub text: f64,
    pub top: f64,
    pub bottom: f64,
    pub right: f64,
    /// Between axis labels and the plot.
    pub gap: f64,
    /// From a line of words to the next.
    pub line: f64,
    /// Between ticks of the y axis.
    y_spacing: f64,
}

impl Measures {
    pub(crate) fn of(size: Size) -> Self {
        if size.is_small() {
            Self {
                text: 10.0,
                top: 7.0,
                bottom: 18.0,
                right: 9.0,
                gap: 4.0,
                line: 14.0,
                y_spacing: 24.0,
            }
        } else {
            Self {
                text: 11.0,
                top: 10.0,
                bottom: 24.0,
                right: 14.0,
                gap: 6.0,
                line: 17.0,
                y_spacing: 28.0,
            }
        }
    }

    /// Of labels beside the ends of lines.
    pub(crate) fn end_text(&self) -> f64 {
        self.text - 1.0
    }

    /// How far below the plot its axis' labels are.
    pub(crate) fn below(&self) -> f64 {
        self.gap + self.text * 0.75
    }
}

/// The smallest distance of two labels of the x axis.
const X_SPACING: f64 = 34.0;
/// Between two labels of the x axis.
const BETWEEN_LABELS: f64 = 8.0;

impl Plane<'_> {
    fn measures(&self) -> Measures {
        Measures::of(self.size)
    }

    /// The pixels at which the y axis begins and ends: bottom and top.
    pub(crate) fn height(&self) -> (f64, f64) {
        let measures = self.measures();
        let line = |label: Label<'_>| if label.is_empty() { 0.0 } else { measures.line };
        let bottom = f64::from(self.size.height) - measures.bottom - line(self.x_label);
        let top = measures.top + line(self.y_label);
        (self.top + bottom.max(top), self.top + top)
    }

    /// The pixels at which the x axis begins and ends, beside the labels of `y`.
    pub(crate) fn width(&self, y: &Axis) -> (f64, f64) {
        let measures = self.measures();
        let labels = self
            .y_ticks(y)
            .into_iter()
            .map(|tick| width_of(&tick.label, measures.text));
        let widest = labels.fold(0.0, f64::max);
        let width = f64::from(self.size.width);
        let left = (widest + measures.gap + 3.0).max(24.0).min(width / 2.0);
        (left, (width - measures.right.max(self.beside)).max(left))
    }

    fn y_ticks(&self, y: &Axis) -> Vec<Tick> {
        y.ticks(self.measures().y_spacing)
    }

    /// Ticks whose labels stay apart.
    fn x_ticks(&self, x: &Axis) -> Vec<Tick> {
        let text = self.measures().text;
        let mut spacing = X_SPACING;
        loop {
            let ticks = x.ticks(spacing);
            let widths = ticks.iter().map(|tick| width_of(&tick.label, text));
            let needed = widths.fold(0.0, f64::max) + BETWEEN_LABELS;
            if needed <= spacing || ticks.len() < 2 {
                return ticks;
            }
            spacing = needed;
        }
    }

    /// The grid, the axes and their words.
    pub(crate) fn draw(&self, axes: &Axes, layer: &mut Layer<'_>) {
        let (left, right) = axes.x.pixels();
        let (bottom, top) = axes.y.pixels();
        let measures = self.measures();
        for tick in self.y_ticks(&axes.y) {
            let grid = [(left, tick.position), (right, tick.position)];
            layer.line(&grid, self.stroke(true));
            let place = (left - measures.gap, tick.position);
            layer.text(&tick.label, place, self.text(Anchor::Right));
        }
        self.draw_x_ticks(axes, layer);
        layer.line(&[(left, bottom), (right, bottom)], self.stroke(false));
        let width = f64::from(self.size.width);
        if !self.x_label.is_empty() {
            let label = self.x_label.words((measures.text, right - left), fitting);
            let below = bottom + measures.below() + measures.line;
            layer.text(
                &label,
                ((left + right) / 2.0, below),
                self.text(Anchor::Middle),
            );
        }
        if !self.y_label.is_empty() {
            let label = self
                .y_label
                .words((measures.text, width - 8.0), fitting_name);
            let above = top - measures.line + 3.0;
            layer.text(&label, (4.0, above), self.text(Anchor::Left));
        }
    }

    fn draw_x_ticks(&self, axes: &Axes, layer: &mut Layer<'_>) {
        let measures = self.measures();
        let (bottom, _) = axes.y.pixels();
        let width = f64::from(self.size.width);
        // A label at the end of the axis moves inwards rather than out of the drawing.
        let placed = self.x_ticks(&axes.x).into_iter().map(|tick| {
            let half = width_of(&tick.label, measures.text) / 2.0;
            let middle = tick.position.min(width - half - 1.0).max(half + 1.0);
            (tick, middle, half)
        });
        let mut placed: Vec<(Tick, f64, f64)> = placed.collect();
        // The last one stays, whatever would stand in its way.
        let last = placed.pop();
        let mut free_until = last.as_ref().map_or(f64::INFINITY, |(_, middle, half)| {
            middle - half - BETWEEN_LABELS / 2.0
        });
        let mut drawn: Vec<(Tick, f64)> = Vec::new();
        for (tick, middle, half) in placed.into_iter().rev() {
            if middle + half <= free_until {
                free_until = middle - half - BETWEEN_LABELS / 2.0;
                drawn.push((tick, middle));
            }
        }
        drawn.reverse();
        drawn.extend(last.map(|(tick, middle, _)| (tick, middle)));
        for (tick, middle) in drawn {
            let mark = [
                (tick.position, bottom),
                (tick.position, bottom + measures.gap / 2.0),
            ];
            layer.line(&mark, self.stroke(false));
            let place = (middle, bottom + measures.below());
            layer.text(&tick.label, place, self.text(Anchor::Middle));
        }
    }

    /// Words in the middle, where there is nothing else to draw.
    pub(crate) fn say(&self, words: &str, axes: &Axes, layer: &mut Layer<'_>) {
        let (left, right) = axes.x.pixels();
        let (bottom, top) = axes.y.pixels();
        let middle = ((left + right) / 2.0, (bottom + top) / 2.0);
        layer.text(words, middle, self.text(Anchor::Middle));
    }

    fn stroke(&self, is_grid: bool) -> Stroke {
        Stroke {
            width: 1.0,
            colour: if is_grid {
                self.theme.grid()
            } else {
                self.theme.dim()
            },
        }
    }

    fn text(&self, anchor: Anchor) -> Text {
        Text {
            size: self.measures().text,
            colour: self.theme.dim(),
            anchor,
            is_bold: false,
        }
    }
}
