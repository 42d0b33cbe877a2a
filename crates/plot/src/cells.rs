//! Where the cells of a heatmap stand.

use std::ops::Range;

use crate::canvas::UNITS;
use crate::shared_pixels::parts;
use crate::size::Rectangle;

/// The cells of a drawn heatmap, for what is laid over it.
#[derive(Clone, Debug, PartialEq)]
pub struct Cells {
    /// Pixels at which columns begin, and the one at which the last ends.
    columns: Vec<f64>,
    /// As for columns.
    rows: Vec<f64>,
}

/// One cell of a heatmap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Counted from the top, from 0.
    pub row: usize,
    /// Counted from the left, from 0.
    pub column: usize,
}

/// Cells of this size and larger have a line between them, and edges at whole pixels.
const ROOMY: f64 = 6.0;
/// By so much rows overlap where there is no line between them, so that no ground shows through
/// though their middles are rounded.
const OVERLAP: f64 = 0.2;
/// As for rows; columns are not rounded again. Lengths are whole units, which are shorter to write.
const COLUMN_OVERLAP: f64 = 1.0 / UNITS;

impl Cells {
    /// So many columns from left to right and rows from top to bottom.
    pub(crate) fn new(columns: (f64, f64, usize), rows: (f64, f64, usize)) -> Self {
        Self {
            columns: edges(columns),
            rows: edges(rows),
        }
    }

    /// The cell at a pixel of the drawing.
    #[must_use]
    pub fn at(&self, x: f64, y: f64) -> Option<Cell> {
        let index = |edges: &[f64], at: f64| {
            let before = edges.partition_point(|&edge| edge <= at);
            (before < edges.len())
                .then(|| before.checked_sub(1))
                .flatten()
        };
        Some(Cell {
            row: index(&self.rows, y)?,
            column: index(&self.columns, x)?,
        })
    }

    /// The area of a cell; `None` where there is no such cell.
    #[must_use]
    pub fn rectangle(&self, row: usize, column: usize) -> Option<Rectangle> {
        let (left, right) = (self.columns.get(column)?, self.columns.get(column + 1)?);
        let (top, bottom) = (self.rows.get(row)?, self.rows.get(row + 1)?);
        Some(Rectangle {
            left: *left,
            top: *top,
            width: right - left,
            height: bottom - top,
        })
    }

    /// The area of all cells.
    #[must_use]
    pub fn area(&self) -> Rectangle {
        let ends = |edges: &[f64]| {
            let first = edges.first().copied().unwrap_or_default();
            (first, edges.last().copied().unwrap_or(first))
        };
        let ((left, right), (top, bottom)) = (ends(&self.columns), ends(&self.rows));
        Rectangle {
            left,
            top,
            width: right - left,
            height: bottom - top,
        }
    }

    /// The rows, and the columns, that have a pixel each.
    pub(crate) fn parts(&self) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
        let area = self.area();
        let count = |edges: &[f64]| edges.len().saturating_sub(1);
        (
            parts(count(&self.rows), area.height),
            parts(count(&self.columns), area.width),
        )
    }

    /// Those of parts of rows and columns.
    pub(crate) fn of(&self, rows: &[Range<usize>], columns: &[Range<usize>]) -> Self {
        let edges = |edges: &[f64], parts: &[Range<usize>]| {
            let ends = parts.iter().map(|part| part.end);
            let places = [0].into_iter().chain(ends);
            places.filter_map(|at| edges.get(at).copied()).collect()
        };
        Self {
            columns: edges(&self.columns, columns),
            rows: edges(&self.rows, rows),
        }
    }

    /// The middle of a row, and the height of what is drawn of it.
    pub(crate) fn band(&self, row: usize) -> Option<(f64, f64)> {
        let (top, bottom) = (self.rows.get(row)?, self.rows.get(row + 1)?);
        let height = bottom - top - self.line_between();
        Some((top + height / 2.0, height))
    }

    /// From where to where a row's cells of one level are drawn.
    pub(crate) fn stretches(&self, levels: &[Option<usize>], level: usize) -> Vec<(f64, f64)> {
        let line = self.line_between().max(-COLUMN_OVERLAP);
        let edges = self.columns.iter().zip(self.columns.iter().skip(1));
        let cells = levels.iter().zip(edges);
        cells
            .filter(|&(&own, _)| own == Some(level))
            .map(|(_, (&left, &right))| (left, right - line))
            .collect()
    }

    /// The lines between cells, below the last row and beside the last column, where there are
    /// such lines: all of them as one, to and fro.
    pub(crate) fn lines(&self) -> Vec<(f64, f64)> {
        if self.line_between() < 0.0 {
            return Vec::new();
        }
        let area = self.area();
        let half = self.line_between() / 2.0;
        let (top, bottom) = (area.top - half, area.top + area.height - half);
        let (left, right) = (area.left - half, area.left + area.width - half);
        let down = self.columns.iter().enumerate().flat_map(|(index, &edge)| {
            let ends = [(edge - half, top), (edge - half, bottom)];
            turned(ends, index)
        });
        // From the end of the last column back to where rows begin.
        let corner = [(right, top), (left, top)];
        let across = self.rows.iter().enumerate().flat_map(|(index, &edge)| {
            let ends = [(left, edge - half), (right, edge - half)];
            turned(ends, index)
        });
        down.chain(corner).chain(across).collect()
    }

    /// Between two cells; negative where they overlap.
    fn line_between(&self) -> f64 {
        let is_roomy = |edges: &[f64]| match edges {
            [first, second, ..] => second - first >= ROOMY,
            _ => true,
        };
        if is_roomy(&self.columns) && is_roomy(&self.rows) {
            1.0
        } else {
            -OVERLAP
        }
    }
}

fn turned<T>([one, other]: [T; 2], index: usize) -> [T; 2] {
    if index.is_multiple_of(2) {
        [one, other]
    } else {
        [other, one]
    }
}

/// Where each of `count` equal parts begins, and where the last ends: at whole pixels where there
/// is room, otherwise at tenths.
fn edges((start, end, count): (f64, f64, usize)) -> Vec<f64> {
    let pitch = (end - start) / count.max(1) as f64;
    let grain = if pitch >= ROOMY { 1.0 } else { 0.1 };
    (0..=count)
        .map(|index| ((start + index as f64 * pitch) / grain).round() * grain)
        .collect()
}
