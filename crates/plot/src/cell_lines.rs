//! The cells of a heatmap as lines: one thick dashed line for all that have the same colour.

use std::collections::BTreeMap;

use crate::canvas::{Canvas, Stroke};
use crate::cells::Cells;
use crate::colour::Colour;
use crate::stretches::Stretches;

/// Draws cells by their colours' indices, `levels`: rows of columns, none where a cell is not
/// drawn.
pub(crate) fn draw_cells(
    levels: &[Vec<Option<usize>>],
    cells: &Cells,
    colours: &[Colour],
    canvas: &mut Canvas,
) {
    let area = cells.area();
    // From row to row lines go back hidden; they turn outside of the plot, away from what shows.
    let (start, end) = (area.left - 1.0, area.left + area.width + 1.0);
    // By colour and by the height of rows in tenths of pixels: they may differ by a pixel.
    let mut lines: BTreeMap<(usize, u32), Stretches> = BTreeMap::new();
    for (row, levels) in levels.iter().enumerate() {
        let Some((middle, height)) = cells.band(row) else {
            continue;
        };
        for level in distinct(levels) {
            let line = lines
                .entry((level, (height * 10.0).round() as u32))
                .or_default();
            line.go_to((start, middle));
            for (left, right) in cells.stretches(levels, level) {
                line.show(left - start, right - start);
            }
            line.go_to((end, middle));
        }
    }
    for ((level, height), line) in lines {
        let stroke = Stroke {
            width: f64::from(height) / 10.0,
            colour: colours.get(level).copied().unwrap_or_default(),
        };
        canvas.stretches(&line, "butt", stroke);
    }
}

fn distinct(levels: &[Option<usize>]) -> Vec<usize> {
    let mut distinct: Vec<usize> = levels.iter().copied().flatten().collect();
    distinct.sort_unstable();
    distinct.dedup();
    distinct
}
