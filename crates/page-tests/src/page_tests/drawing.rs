//! What is seen in a drawing.

use anyhow::{Context, Result};
use roxmltree::{Document, Node};

use crate::browser::Point;

/// Units of a drawing per pixel.
const UNITS: f64 = 10.0;

/// A drawing as a chart shows it.
pub(super) struct Drawing {
    /// Each series' name and the points of its line, in pixels of the drawing.
    pub lines: Vec<(String, Vec<Point>)>,
    /// The words at the axes.
    pub words: Vec<String>,
}

impl Drawing {
    /// Reads the text of an SVG file.
    pub(super) fn read(svg: &str) -> Result<Self> {
        let document = Document::parse(svg).context("a drawing is not well-formed XML")?;
        let nodes = || document.descendants();
        let series = nodes().filter(|node| node.attribute("class") == Some("series"));
        let words = nodes().filter(|node| node.has_tag_name("text"));
        Ok(Self {
            lines: series.map(line).collect::<Result<_>>()?,
            words: words.map(words_of).collect(),
        })
    }

    /// The points of the line with this name.
    pub(super) fn line(&self, name: &str) -> Result<&[Point]> {
        let found = self.lines.iter().find(|(other, _)| other == name);
        let (_, points) = found.with_context(|| format!("there is no line {name}"))?;
        Ok(points)
    }
}

fn words_of(node: Node<'_, '_>) -> String {
    node.text().unwrap_or_default().trim().to_owned()
}

fn line(group: Node<'_, '_>) -> Result<(String, Vec<Point>)> {
    let name = group.attribute("data-series").unwrap_or_default();
    let polyline = group
        .descendants()
        .find(|node| node.has_tag_name("polyline"));
    let points = polyline.and_then(|polyline| polyline.attribute("points"));
    let points = points.unwrap_or_default().split_whitespace().map(point);
    Ok((name.to_owned(), points.collect::<Result<_>>()?))
}

fn point(word: &str) -> Result<Point> {
    let (x, y) = word.split_once(',').context("a point is x,y")?;
    let pixels = |number: &str| Ok::<_, anyhow::Error>(number.parse::<f64>()? / UNITS);
    Ok(Point {
        x: pixels(x)?,
        y: pixels(y)?,
    })
}
