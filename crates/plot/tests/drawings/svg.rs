//! What is seen in an SVG file.

use roxmltree::{Document, Node};

/// Units of a drawing per pixel.
const UNITS: f64 = 10.0;
const NAMESPACE: &str = "http://www.w3.org/2000/svg";

/// A piece of a line that shows, in pixels.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) colour: String,
    pub(crate) width: f64,
    pub(crate) from: (f64, f64),
    pub(crate) to: (f64, f64),
}

/// A drawing as a file holds it: well-formed, of the right kind, and every coordinate a number.
pub(crate) fn parsed(svg: &str) -> Document<'_> {
    let document = Document::parse(svg).expect("well-formed XML");
    assert!(document.root_element().has_tag_name((NAMESPACE, "svg")));
    for attribute in document.descendants().flat_map(|node| node.attributes()) {
        for bad in ["NaN", "inf"] {
            let is_text = ["aria-label", "data-series"].contains(&attribute.name());
            assert!(is_text || !attribute.value().contains(bad), "{attribute:?}");
        }
    }
    document
}

pub(crate) fn with_class<'a>(document: &'a Document<'a>, class: &str) -> Vec<Node<'a, 'a>> {
    document
        .descendants()
        .filter(|node| node.attribute("class") == Some(class))
        .collect()
}

/// All words, in the order of the file.
pub(crate) fn words(document: &Document<'_>) -> Vec<String> {
    document
        .descendants()
        .filter(|node| node.has_tag_name("text"))
        .map(|node| node.text().unwrap_or_default().trim().to_owned())
        .collect()
}

/// The place of some words, in pixels.
pub(crate) fn place_of(document: &Document<'_>, words: &str) -> Option<(f64, f64)> {
    let is_it = |node: &Node<'_, '_>| {
        node.has_tag_name("text") && node.text().is_some_and(|text| text.trim() == words)
    };
    let node = document.descendants().find(is_it)?;
    Some((number(node, "x") / UNITS, number(node, "y") / UNITS))
}

pub(crate) fn number(node: Node<'_, '_>, name: &str) -> f64 {
    let value = node.attribute(name).expect(name);
    value.parse().expect("a number")
}

/// The points of a polyline, in pixels.
pub(crate) fn points(line: Node<'_, '_>) -> Vec<(f64, f64)> {
    let words = line.attribute("points").expect("points");
    let point = |word: &str| {
        let (x, y) = word.split_once(',').expect("x and y");
        let [x, y] = [x, y].map(|number| number.parse::<f64>().expect("a number") / UNITS);
        (x, y)
    };
    words.split_whitespace().map(point).collect()
}

/// What shows of the lines in a group with dashes.
pub(crate) fn pieces(group: Node<'_, '_>) -> Vec<Piece> {
    let dashes = group.attribute("stroke-dasharray").expect("dashes");
    let lengths: Vec<f64> = dashes
        .split(' ')
        .map(|length| length.parse::<f64>().expect("a number") / UNITS)
        .collect();
    let lines = group
        .children()
        .filter(|child| child.has_tag_name("polyline"));
    lines.flat_map(|line| dashed(line, &lengths)).collect()
}

fn dashed(line: Node<'_, '_>, lengths: &[f64]) -> Vec<Piece> {
    let points = points(line);
    let mut pieces = Vec::new();
    let mut along = 0.0;
    for pair in lengths.chunks(2) {
        let (from, to) = (at(&points, along), at(&points, along + pair[0]));
        if let (true, Some(from), Some(to)) = (pair[0] > 0.0, from, to) {
            pieces.push(Piece {
                colour: line.attribute("stroke").expect("stroke").to_owned(),
                width: number(line, "stroke-width") / UNITS,
                from,
                to,
            });
        }
        along += pair.iter().sum::<f64>();
    }
    pieces
}

/// The point so far along a line; its end a little beyond.
fn at(points: &[(f64, f64)], mut along: f64) -> Option<(f64, f64)> {
    for pair in points.windows(2) {
        let [from, to] = [pair[0], pair[1]];
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        if along <= length && length > 0.0 {
            let part = along / length;
            return Some((
                from.0 + part * (to.0 - from.0),
                from.1 + part * (to.1 - from.1),
            ));
        }
        along -= length;
    }
    points.last().copied().filter(|_| along < 0.1)
}
