//! The second stage of a symmetric matrix: from a band to three diagonals.

use nalgebra::DMatrix;
use pulp::Arch;

use super::reflection::{add, dot, reflect};
use super::tridiagonal::Tridiagonal;

/// A symmetric matrix `[n, n]` with `width` diagonals below the main one, and room for as many more.
/// Column after column is stored, each from its diagonal on.
pub(super) struct Band {
    size: usize,
    width: usize,
    entries: Vec<f64>,
}

/// What a sweep needs beside the band.
struct Room {
    v: Vec<f64>,
    next_v: Vec<f64>,
    y: Vec<f64>,
}

impl Band {
    /// Of the lower triangle of a matrix.
    pub(super) fn of(matrix: &DMatrix<f64>, width: usize) -> Self {
        let size = matrix.nrows();
        let mut entries = vec![0.0; 2 * width * size];
        for (column, of_band) in entries.chunks_exact_mut(2 * width).enumerate() {
            let end = (column + width + 1).min(size);
            let from = &matrix.as_slice()[column * size..][column..end];
            of_band[..from.len()].copy_from_slice(from);
        }
        Self {
            size,
            width,
            entries,
        }
    }

    /// The matrix with three diagonals that has the same eigenvalues.
    pub(super) fn tridiagonal(mut self) -> Tridiagonal {
        let room = || vec![0.0; self.width];
        let mut room = Room {
            v: room(),
            next_v: room(),
            y: room(),
        };
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for column in 0..self.size {
                    self.sweep(column, &mut room);
                }
            },
        );
        let columns = self.entries.chunks_exact(2 * self.width);
        let below = columns.clone().map(|column| column[1]);
        Tridiagonal {
            below: below.take(self.size.saturating_sub(1)).collect(),
            diagonal: columns.map(|column| column[0]).collect(),
        }
    }

    /// `length` entries of a column from a row on; no row is above the column's own.
    #[inline(always)]
    fn part(&mut self, row: usize, column: usize, length: usize) -> &mut [f64] {
        let start = row - column + column * 2 * self.width;
        &mut self.entries[start..][..length]
    }

    /// Leaves one entry of a column below the diagonal. What that fills further below loses its first
    /// column, which is all that the next sweep does not reach.
    #[inline(always)]
    fn sweep(&mut self, column: usize, room: &mut Room) {
        let mut first = column + 1;
        let mut length = self.width.min(self.size.saturating_sub(first));
        if length < 2 {
            return;
        }
        let mut tau = reflect(self.part(first, column, length), &mut room.v);
        self.reflect_both(first, length, tau, room);
        while first + length < self.size {
            let next = first + length;
            let count = self.width.min(self.size - next);
            tau = self.block(first, length, count, tau, room);
            std::mem::swap(&mut room.v, &mut room.next_v);
            (first, length) = (next, count);
            self.reflect_both(first, length, tau, room);
        }
    }

    /// Reflects a block's columns by `v`, finds what makes its first column a multiple of a unit
    /// vector, and reflects its rows by that.
    #[inline(always)]
    fn block(
        &mut self,
        first: usize,
        length: usize,
        rows: usize,
        tau: f64,
        room: &mut Room,
    ) -> f64 {
        let row = first + length;
        let y = &mut room.y[..rows];
        y.fill(0.0);
        for (index, v) in room.v[..length].iter().enumerate() {
            add(y, tau * v, self.part(row, first + index, rows));
        }
        let column = self.part(row, first, rows);
        add(column, -room.v[0], y);
        let next_v = &mut room.next_v[..rows];
        let next_tau = reflect(column, next_v);
        for (index, v) in room.v[..length].iter().enumerate().skip(1) {
            let column = self.part(row, first + index, rows);
            add(column, -v, y);
            if next_tau != 0.0 {
                let factor = -next_tau * dot(next_v, column);
                add(column, factor, next_v);
            }
        }
        next_tau
    }

    /// Reflects rows and columns of a block on the diagonal: with `y = tau A v` and
    /// `x = y - tau (y v) v / 2` it is `A - x v^T - v x^T`.
    #[inline(always)]
    fn reflect_both(&mut self, first: usize, length: usize, tau: f64, room: &mut Room) {
        if tau == 0.0 {
            return;
        }
        let (v, x) = (&room.v[..length], &mut room.y[..length]);
        x.fill(0.0);
        for index in 0..length {
            let column = self.part(first + index, first + index, length - index);
            x[index] += dot(column, &v[index..]);
            add(&mut x[index + 1..], v[index], &column[1..]);
        }
        x.iter_mut().for_each(|x| *x *= tau);
        let factor = -0.5 * tau * dot(x, v);
        add(x, factor, v);
        for index in 0..length {
            let column = self.part(first + index, first + index, length - index);
            add(column, -x[index], &v[index..]);
            add(column, -v[index], &x[index..]);
        }
    }
}
