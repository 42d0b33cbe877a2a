//! The second stage of any square matrix: from a band above the diagonal to two diagonals.

use faer::MatRef;
use pulp::Arch;

use super::reflection::{add, dot, reflect};

/// A matrix with two diagonals.
pub(super) struct Bidiagonal {
    pub(super) diagonal: Vec<f64>,
    /// The diagonal above it: `n - 1` entries.
    pub(super) above: Vec<f64>,
}

/// A matrix `[n, n]` with `width` diagonals above the main one, and room for as many more there and
/// for `width - 1` below. Column after column is stored, each from the highest diagonal on.
pub(super) struct Band {
    size: usize,
    width: usize,
    entries: Vec<f64>,
}

/// What a sweep needs beside the band: the vectors of the columns' and of the rows' reflections.
struct Room {
    of_columns: Vec<f64>,
    of_rows: Vec<f64>,
    y: Vec<f64>,
}

/// Rows and columns of a block.
#[derive(Clone, Copy)]
struct Block {
    row: usize,
    column: usize,
    rows: usize,
    columns: usize,
}

impl Band {
    /// Of a matrix, nothing of which is read below the diagonal.
    pub(super) fn of(matrix: MatRef<'_, f64>, width: usize) -> Self {
        let size = matrix.nrows();
        let mut entries = vec![0.0; 3 * width * size];
        for (column, of_band) in entries.chunks_exact_mut(3 * width).enumerate() {
            for row in column.saturating_sub(width)..=column {
                of_band[row + 2 * width - column] = matrix[(row, column)];
            }
        }
        Self {
            size,
            width,
            entries,
        }
    }

    /// The matrix with two diagonals that has the same singular values.
    pub(super) fn bidiagonal(mut self) -> Bidiagonal {
        let room = || vec![0.0; self.width];
        let mut room = Room {
            of_columns: room(),
            of_rows: room(),
            y: room(),
        };
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for row in 0..self.size {
                    self.sweep(row, &mut room);
                }
            },
        );
        let columns = self.entries.chunks_exact(3 * self.width);
        let (on, above) = (2 * self.width, 2 * self.width - 1);
        Bidiagonal {
            diagonal: columns.clone().map(|column| column[on]).collect(),
            above: columns.skip(1).map(|column| column[above]).collect(),
        }
    }

    /// `length` entries of a column from a row on.
    #[inline(always)]
    fn part(&mut self, row: usize, column: usize, length: usize) -> &mut [f64] {
        let start = row + 2 * self.width - column + column * 3 * self.width;
        &mut self.entries[start..][..length]
    }

    /// Leaves one entry of a row beside the diagonal. What that fills loses its first column below
    /// the diagonal and its first row beyond the band, which is all that the next sweep does not
    /// reach.
    #[inline(always)]
    fn sweep(&mut self, row: usize, room: &mut Room) {
        let column = row + 1;
        let columns = self.width.min(self.size.saturating_sub(column));
        if columns < 2 {
            return;
        }
        let mut block = Block {
            row,
            column,
            rows: 1,
            columns,
        };
        loop {
            let tau = self.first_row(block, room);
            self.columns(
                Block {
                    row: block.row + 1,
                    rows: block.rows - 1,
                    ..block
                },
                tau,
                room,
            );
            let (first, length) = (block.column, block.columns);
            let on = Block {
                row: first,
                column: first,
                rows: length,
                columns: length,
            };
            self.columns(on, tau, room);
            let tau = reflect(self.part(first, first, length), &mut room.of_rows);
            self.rows(
                Block {
                    column: first + 1,
                    columns: length - 1,
                    ..on
                },
                tau,
                room,
            );
            let next = first + length;
            let columns = self.width.min(self.size - next);
            if columns == 0 {
                return;
            }
            block = Block {
                column: next,
                columns,
                ..on
            };
            self.rows(block, tau, room);
        }
    }

    /// Makes the first row of a block a multiple of a unit vector.
    #[inline(always)]
    fn first_row(&mut self, block: Block, room: &mut Room) -> f64 {
        let row = &mut room.y[..block.columns];
        for (index, entry) in row.iter_mut().enumerate() {
            *entry = self.part(block.row, block.column + index, 1)[0];
        }
        let tau = reflect(row, &mut room.of_columns);
        for (index, entry) in row.iter().enumerate() {
            self.part(block.row, block.column + index, 1)[0] = *entry;
        }
        tau
    }

    /// Reflects the columns of a block.
    #[inline(always)]
    fn columns(&mut self, block: Block, tau: f64, room: &mut Room) {
        if tau == 0.0 || block.rows == 0 {
            return;
        }
        let y = &mut room.y[..block.rows];
        y.fill(0.0);
        let v = &room.of_columns[..block.columns];
        for (index, v) in v.iter().enumerate() {
            add(
                y,
                tau * v,
                self.part(block.row, block.column + index, block.rows),
            );
        }
        for (index, v) in v.iter().enumerate() {
            add(
                self.part(block.row, block.column + index, block.rows),
                -v,
                y,
            );
        }
    }

    /// Reflects the rows of a block.
    #[inline(always)]
    fn rows(&mut self, block: Block, tau: f64, room: &Room) {
        if tau == 0.0 {
            return;
        }
        let v = &room.of_rows[..block.rows];
        for index in 0..block.columns {
            let column = self.part(block.row, block.column + index, block.rows);
            let factor = -tau * dot(v, column);
            add(column, factor, v);
        }
    }
}
