//! Drawing with plotters' SVG backend.
//!
//! plotters counts in whole pixels, so everything is drawn [`UNITS`] times as large and the
//! `viewBox` brings it back. It knows neither dashes nor groups, so each group is drawn for itself
//! and wrapped.

use plotters::prelude::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, RGBColor, TextStyle};

use crate::chart::Dash;
use crate::colour::Colour;

/// Units of the drawing per CSS pixel.
const UNITS: f64 = 10.0;
/// plotters divides font sizes by this.
const FONT_FACTOR: f64 = 1.24;
const FONT: &str = "system-ui, -apple-system, Segoe UI, Roboto, DejaVu Sans, sans-serif";

/// A drawing in the making.
pub(crate) struct Canvas {
    width: u32,
    height: u32,
    svg: String,
}

/// One group of a drawing.
pub(crate) struct Layer<'a> {
    backend: SVGBackend<'a>,
}

/// How a line looks.
#[derive(Clone, Copy)]
pub(crate) struct Stroke {
    /// In pixels.
    pub width: f64,
    pub colour: Colour,
}

/// How words look.
#[derive(Clone, Copy)]
pub(crate) struct Text {
    /// In pixels.
    pub size: f64,
    pub colour: Colour,
    pub anchor: Anchor,
}

/// Which point of some words is placed.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    /// The middle of the left edge.
    Left,
    /// The centre.
    Middle,
    /// The middle of the right edge.
    Right,
}

impl Canvas {
    pub(crate) fn new(width: u32, height: u32, title: &str) -> Self {
        let title = escaped(title);
        let (units_wide, units_high) = (units(f64::from(width)), units(f64::from(height)));
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {units_wide} {units_high}\" role=\"img\" aria-label=\"{title}\">\n\
             <title>{title}</title>\n"
        );
        Self { width, height, svg }
    }

    /// Adds a group that `draw` fills.
    pub(crate) fn group(
        &mut self,
        class: &str,
        series: Option<&str>,
        dash: Dash,
        draw: impl FnOnce(&mut Layer<'_>),
    ) {
        let mut text = String::new();
        let size = (self.width * UNITS as u32, self.height * UNITS as u32);
        draw(&mut Layer {
            backend: SVGBackend::with_string(&mut text, size),
        });
        let name = series.map(|name| format!(" data-series=\"{}\"", escaped(name)));
        let name = name.unwrap_or_default();
        let dashes = dash.pattern();
        let body = inside(&text);
        self.svg
            .push_str(&format!("<g class=\"{class}\"{name}{dashes}>{body}</g>\n"));
    }

    pub(crate) fn finish(mut self) -> String {
        self.svg.push_str("</svg>\n");
        self.svg
    }
}

impl Layer<'_> {
    pub(crate) fn line(&mut self, points: &[(f64, f64)], stroke: Stroke) {
        let style = rgb(stroke.colour).stroke_width(units(stroke.width).unsigned_abs());
        let points = points.iter().map(|&point| in_units(point));
        certain(self.backend.draw_path(points, &style));
    }

    pub(crate) fn dot(&mut self, centre: (f64, f64), radius: f64, colour: Colour) {
        let radius = units(radius).unsigned_abs();
        certain(
            self.backend
                .draw_circle(in_units(centre), radius, &rgb(colour).filled(), true),
        );
    }

    pub(crate) fn text(&mut self, words: &str, place: (f64, f64), text: Text) {
        let font = (FONT, text.size * UNITS * FONT_FACTOR).into_font();
        let colour = rgb(text.colour);
        let style = TextStyle::from(font).color(&colour).pos(text.anchor.pos());
        certain(self.backend.draw_text(words, &style, in_units(place)));
    }
}

impl Anchor {
    fn pos(self) -> Pos {
        let horizontal = match self {
            Self::Left => HPos::Left,
            Self::Middle => HPos::Center,
            Self::Right => HPos::Right,
        };
        Pos::new(horizontal, VPos::Center)
    }
}

impl Dash {
    /// The attribute that dashes a group's lines.
    fn pattern(self) -> &'static str {
        match self {
            Self::Solid => "",
            Self::Dashed => " stroke-dasharray=\"55 35\"",
            Self::Dotted => " stroke-dasharray=\"18 28\"",
            Self::DashDotted => " stroke-dasharray=\"60 28 18 28\"",
        }
    }
}

/// plotters reports what a file or a screen refuses; a string refuses nothing.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it is there to consume results"
)]
fn certain<E>(result: Result<(), E>) {
    debug_assert!(result.is_ok(), "drawing into a string");
}

/// What plotters wrote between the tags of its own `svg` element.
fn inside(svg: &str) -> &str {
    let body = svg.split_once('>').map_or("", |(_, body)| body);
    body.rsplit_once("</svg>").map_or(body, |(body, _)| body)
}

fn units(pixels: f64) -> i32 {
    (pixels * UNITS).round() as i32
}

fn in_units((x, y): (f64, f64)) -> (i32, i32) {
    (units(x), units(y))
}

fn rgb(colour: Colour) -> RGBColor {
    RGBColor(colour.0, colour.1, colour.2)
}

/// Text as an attribute or an element may hold it. XML has no place for control characters.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            control if control.is_control() => safe.push(' '),
            other => safe.push(other),
        }
    }
    safe
}
