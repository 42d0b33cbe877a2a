//! Cells of a heatmap that share a pixel: it shows the one that is furthest from its row's middle.
//!
//! What a pixel of several cells looks like would else be left to whoever paints the drawing, who
//! may pass over the largest value of all, at which the colour bar ends.

use std::ops::Range;

/// The colour of every cell, by its index: rows of columns, none where a cell is not drawn.
pub(crate) type Levels = Vec<Vec<Option<usize>>>;

/// So many parts of `count` neighbours as have a pixel each; a part for each where there is room.
pub(crate) fn parts(count: usize, pixels: f64) -> Vec<Range<usize>> {
    let parts = (pixels.max(1.0) as usize).min(count);
    (0..parts)
        .map(|part| part * count / parts..(part + 1) * count / parts)
        .collect()
}

/// How many neighbours a part has, at least and at most; none where each has a part of its own.
pub(crate) fn size_of(parts: &[Range<usize>]) -> Option<(usize, usize)> {
    let sizes = || parts.iter().map(ExactSizeIterator::len);
    let (least, most) = (sizes().min()?, sizes().max()?);
    (most > 1).then_some((least, most))
}

/// One cell for each part of rows and of columns. Each end of the colours that is in `levels` is in
/// what comes of them; `last` is the upper one.
pub(crate) fn merged(
    levels: &Levels,
    rows: &[Range<usize>],
    columns: &[Range<usize>],
    last: usize,
) -> Levels {
    let middles: Vec<usize> = levels.iter().map(|row| middle(row)).collect();
    let cells = |rows: &Range<usize>, columns: &Range<usize>| {
        let (rows, columns) = (rows.clone(), columns.clone());
        let cells = rows.flat_map(move |row| columns.clone().map(move |column| (row, column)));
        let levels =
            cells.filter_map(|(row, column)| Some((row, (*levels.get(row)?.get(column)?)?)));
        levels.collect::<Vec<_>>()
    };
    let furthest = |rows: &Range<usize>, columns: &Range<usize>| {
        let cells = cells(rows, columns).into_iter();
        let distance = |(row, level): &(usize, usize)| {
            level.abs_diff(middles.get(*row).copied().unwrap_or_default())
        };
        cells.max_by_key(distance).map(|(_, level)| level)
    };
    let merge = |part: &Range<usize>| columns.iter().map(|it| furthest(part, it)).collect();
    let mut merged: Levels = rows.iter().map(merge).collect();
    for ends in [(0, last), (last, 0)] {
        keep(ends, levels, (rows, columns), &mut merged);
    }
    merged
}

/// Puts an end of the colours where it is, if nothing shows it; beside that, where the other end is
/// in the same pixel.
fn keep(
    (end, other): (usize, usize),
    levels: &Levels,
    (rows, columns): (&[Range<usize>], &[Range<usize>]),
    merged: &mut Levels,
) {
    let has = |levels: &Levels| {
        let place = |row: &Vec<Option<usize>>| row.iter().position(|level| *level == Some(end));
        levels
            .iter()
            .enumerate()
            .find_map(|(at, row)| Some((at, place(row)?)))
    };
    let (None, Some((row, column))) = (has(merged), has(levels)) else {
        return;
    };
    let part = |parts: &[Range<usize>], at| parts.iter().position(|part| part.contains(&at));
    let Some((row, column)) = part(rows, row).zip(part(columns, column)) else {
        return;
    };
    let Some(row) = merged.get_mut(row) else {
        return;
    };
    let near = [Some(column), column.checked_add(1), column.checked_sub(1)];
    let mut near = near.into_iter().flatten();
    let free = near.find(|place| row.get(*place).is_some_and(|level| *level != Some(other)));
    if let Some(cell) = row.get_mut(free.unwrap_or(column)) {
        *cell = Some(end);
    }
}

/// The median of a row's levels.
fn middle(row: &[Option<usize>]) -> usize {
    let mut levels: Vec<usize> = row.iter().copied().flatten().collect();
    levels.sort_unstable();
    levels.get(levels.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{merged, parts, size_of};

    #[test]
    fn parts_are_even_and_leave_nothing_out() {
        assert_eq!(parts(3, 10.0), [0..1, 1..2, 2..3]);
        assert_eq!(size_of(&parts(3, 10.0)), None);
        assert_eq!(parts(5, 2.9), [0..2, 2..5]);
        assert_eq!(size_of(&parts(5, 2.0)), Some((2, 3)));
        assert_eq!(parts(0, 5.0), []);
        assert_eq!(parts(2, 0.0).len(), 1);
    }

    #[test]
    fn a_pixel_shows_what_is_furthest_from_the_rows_middle() {
        let row = |levels: &[i32]| {
            let level = |level: &i32| usize::try_from(*level).ok();
            levels.iter().map(level).collect::<Vec<_>>()
        };
        let merge = |levels: &[i32], count| {
            let columns = parts(levels.len(), count);
            let rows = parts(1, 1.0);
            merged(&vec![row(levels)], &rows, &columns, 63).remove(0)
        };
        // Peaks among zeros, and a dip among large ones.
        assert_eq!(merge(&[0, 40, 0, 0, 0, 0], 3.0), row(&[40, 0, 0]));
        assert_eq!(merge(&[60, 60, 5, 60, 60, 60], 3.0), row(&[60, 5, 60]));
        // What does not exist gives way.
        assert_eq!(merge(&[-1, 3, -1, -1], 2.0), row(&[3, -1]));
        // An end that lies beside what is further away is seen all the same.
        let ends = merge(&[50, 50, 50, 50, 63, 0, 0, 7], 4.0);
        assert_eq!(ends, row(&[50, 63, 0, 0]));
        // Rows share pixels, too.
        let levels = vec![row(&[1]), row(&[1]), row(&[9]), row(&[1])];
        let two = merged(&levels, &parts(4, 2.0), &parts(1, 1.0), 63);
        assert_eq!(two.concat().len(), 2);
    }
}
