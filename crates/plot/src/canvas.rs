//! Drawing with plotters' SVG backend.
//!
//! plotters counts in whole pixels, so everything is drawn [`UNITS`] times as large and the
//! `viewBox` brings it back. It knows neither dashes nor groups, so each group is drawn for itself
//! and wrapped.

use plotters::prelude::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, IntoFont, RGBColor, TextStyle};

use crate::colour::Colour;
use crate::line_chart::Dash;
use crate::size::{Rectangle, Size};
use crate::stretches::Stretches;
use crate::words::visible;

/// Units of the drawing per CSS pixel.
pub(crate) const UNITS: f64 = 10.0;
/// plotters divides font sizes by this.
const FONT_FACTOR: f64 = 1.24;
const FONT: &str = "system-ui, -apple-system, Segoe UI, Roboto, DejaVu Sans, sans-serif";

/// A drawing in the making.
pub(crate) struct Canvas {
    size: Size,
    svg: String,
}

/// A part of a drawing: what plotters draws.
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
    pub is_bold: bool,
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
    pub(crate) fn new(size: Size, title: &str) -> Self {
        let (width, height) = (size.width, size.height);
        let title = escaped(title);
        let (units_wide, units_high) = (units(f64::from(width)), units(f64::from(height)));
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {units_wide} {units_high}\" role=\"img\" aria-label=\"{title}\">\n\
             <title>{title}</title>\n"
        );
        Self { size, svg }
    }

    /// Opens a group; its attributes hold for all that is drawn until it is closed.
    pub(crate) fn open(&mut self, attributes: &[(&str, &str)]) {
        self.svg.push_str("<g");
        for (name, value) in attributes.iter().filter(|(_, value)| !value.is_empty()) {
            let value = escaped(value);
            self.svg.push_str(&format!(" {name}=\"{value}\""));
        }
        self.svg.push('>');
    }

    pub(crate) fn close(&mut self) {
        self.svg.push_str("</g>\n");
    }

    pub(crate) fn draw(&mut self, draw: impl FnOnce(&mut Layer<'_>)) {
        let mut text = String::new();
        let unit = UNITS as u32;
        let size = (
            self.size.width.saturating_mul(unit),
            self.size.height.saturating_mul(unit),
        );
        draw(&mut Layer {
            backend: SVGBackend::with_string(&mut text, size),
        });
        self.svg.push_str(inside(&text));
    }

    /// A group with all that `draw` draws.
    pub(crate) fn group(&mut self, class: &str, draw: impl FnOnce(&mut Layer<'_>)) {
        self.open(&[("class", class)]);
        self.draw(draw);
        self.close();
    }

    /// A dot at every point. Dots of 0.1 pixels with round ends, all on one dashed line: a few
    /// bytes each, where a circle takes a hundred.
    pub(crate) fn dots(&mut self, points: &[(f64, f64)], radius: f64, colour: Colour) {
        let mut line = Stretches::default();
        for &point in points {
            line.go_to(point);
            line.show_around_here(0.05);
        }
        if line.are_several() {
            let stroke = Stroke {
                width: radius * 2.0,
                colour,
            };
            self.stretches(&line, "round", stroke);
        } else if let Some(&point) = points.first() {
            self.draw(|layer| layer.dot(point, radius, colour));
        }
    }

    /// Draws the stretches that show, with ends of the kind `cap`.
    pub(crate) fn stretches(&mut self, line: &Stretches, cap: &str, stroke: Stroke) {
        let dashes = line.dashes();
        self.open(&[
            ("stroke-linecap", cap),
            ("stroke-linejoin", "round"),
            ("stroke-dasharray", &dashes),
        ]);
        self.draw(|layer| layer.line(line.points(), stroke));
        self.close();
    }

    /// Puts a finished drawing into this one, its upper left corner at a place.
    pub(crate) fn place(&mut self, svg: &str, (left, top): (f64, f64)) {
        let shift = format!("translate({} {})", units(left), units(top));
        self.open(&[("transform", &shift)]);
        self.svg.push_str(inside(svg));
        self.close();
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

    pub(crate) fn rectangle(&mut self, area: Rectangle, colour: Colour) {
        let from = in_units((area.left, area.top));
        let to = in_units((area.left + area.width, area.top + area.height));
        certain(
            self.backend
                .draw_rect(from, to, &rgb(colour).filled(), true),
        );
    }

    pub(crate) fn text(&mut self, words: &str, place: (f64, f64), text: Text) {
        let font = (FONT, text.size * UNITS * FONT_FACTOR).into_font();
        let font = if text.is_bold {
            font.style(FontStyle::Bold)
        } else {
            font
        };
        let colour = rgb(text.colour);
        let style = TextStyle::from(font).color(&colour).pos(text.anchor.pos());
        let words: String = words.chars().map(visible).collect();
        certain(self.backend.draw_text(&words, &style, in_units(place)));
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
    /// What SVG calls `stroke-dasharray`; empty for a solid line.
    pub(crate) fn pattern(self) -> &'static str {
        match self {
            Self::Solid => "",
            Self::Dashed => "55 35",
            Self::Dotted => "18 28",
            Self::DashDotted => "60 28 18 28",
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

/// What stands between the tags of an `svg` element.
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

/// Text as an attribute or an element may hold it.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars().map(visible) {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
    }
    safe
}
