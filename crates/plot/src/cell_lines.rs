//! The cells of a heatmap as lines: one thick dashed line for all that have the same colour.

use std::collections::BTreeMap;

use crate::canvas::{Canvas, Stroke};
use crate::cells::Cells;
use crate::colour::Colour;
use crate::stretches::Stretches;

/// A line to and fro through rows of cells.
#[derive(Default)]
struct Meander {
    line: Stretches,
    comes_back: bool,
}

/// Draws cells by their colours' indices, `levels`: rows of columns, none where a cell is not
/// drawn.
pub(crate) fn draw_cells(
    levels: &[Vec<Option<usize>>],
    cells: &Cells,
    colours: &[Colour],
    canvas: &mut Canvas,
) {
    let area = cells.area();
    // Lines turn outside of the plot, where nothing of them shows.
    let ends = (area.left - 1.0, area.left + area.width + 1.0);
    // By colour and by the height of rows in tenths of pixels: they may differ by a pixel.
    let mut lines: BTreeMap<(usize, u32), Meander> = BTreeMap::new();
    for (row, levels) in levels.iter().enumerate() {
        let Some((middle, height)) = cells.band(row) else {
            continue;
        };
        for level in distinct(levels) {
            let line = lines
                .entry((level, (height * 10.0).round() as u32))
                .or_default();
            line.add_row(middle, ends, cells.stretches(levels, level));
        }
    }
    for ((level, height), Meander { line, .. }) in lines {
        let stroke = Stroke {
            width: f64::from(height) / 10.0,
            colour: colours.get(level).copied().unwrap_or_default(),
        };
        canvas.stretches(&line, "butt", stroke);
    }
}

impl Meander {
    /// Goes through a row in the middle of its height and shows the line from pixel to pixel.
    fn add_row(&mut self, middle: f64, ends: (f64, f64), mut shown: Vec<(f64, f64)>) {
        let (start, end) = if self.comes_back {
            shown.reverse();
            (ends.1, ends.0)
        } else {
            ends
        };
        self.line.go_to((start, middle));
        for (left, right) in shown {
            let (one, other) = ((left - start).abs(), (right - start).abs());
            self.line.show(one.min(other), one.max(other));
        }
        self.line.go_to((end, middle));
        self.comes_back = !self.comes_back;
    }
}

fn distinct(levels: &[Option<usize>]) -> Vec<usize> {
    let mut distinct: Vec<usize> = levels.iter().copied().flatten().collect();
    distinct.sort_unstable();
    distinct.dedup();
    distinct
}
