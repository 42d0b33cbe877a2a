//! The forms a matrix comes in.

use std::rc::Rc;

use nalgebra::DMatrix;

use super::Facts;
use crate::linalg;

/// A matrix by its entries, by its factors, or by its parts.
#[derive(Clone, Debug)]
pub enum Matrix {
    /// Its entries `[m, n]`.
    Dense(Rc<DMatrix<f64>>),
    /// `left` `[m, r]` times `right` `[r, n]`, `r < min(m, n)`.
    Product {
        /// `[m, r]`.
        left: Rc<DMatrix<f64>>,
        /// `[r, n]`.
        right: Rc<DMatrix<f64>>,
    },
    /// Matrices of `m` rows, side by side.
    SideBySide(Vec<Rc<Facts>>),
}

/// Magnitudes beyond this, or all below its inverse, are scaled: fourth powers of a product of
/// two such factors still fit.
const LARGEST: f64 = 1e30;

/// Columns of a product formed at a time when its entries are only looked at.
const PANEL_COLUMNS: usize = 128;

impl Matrix {
    /// Rows and columns.
    pub(super) fn shape(&self) -> (usize, usize) {
        match self {
            Self::Dense(entries) => entries.shape(),
            Self::Product { left, right } => (left.nrows(), right.ncols()),
            Self::SideBySide(blocks) => (
                blocks.first().map_or(0, |block| block.rows()),
                blocks.iter().map(|block| block.columns()).sum(),
            ),
        }
    }

    /// The same matrix within the safe range, dense where factors would not be thin, and the
    /// power of two it must be multiplied by.
    pub(super) fn normalised(self) -> (Self, f64) {
        match self {
            Self::Dense(entries) => {
                let (entries, scale) = normalised(entries);
                (Self::Dense(entries), scale)
            }
            Self::Product { left, right } => {
                let ((left, a), (right, b)) = (normalised(left), normalised(right));
                let thin = left.ncols() < left.nrows().min(right.ncols());
                if thin && all_finite(&left) && all_finite(&right) {
                    (Self::Product { left, right }, a * b)
                } else {
                    (Self::Dense(Rc::new(linalg::product(&left, &right))), a * b)
                }
            }
            Self::SideBySide(blocks) => {
                let scale = blocks.iter().map(|block| block.scale).fold(0.0, f64::max);
                (
                    Self::SideBySide(blocks),
                    if scale > 0.0 { scale } else { 1.0 },
                )
            }
        }
    }

    /// How many entries are NaN or infinite.
    pub(super) fn not_finite(&self) -> usize {
        match self {
            Self::Dense(entries) => entries.iter().filter(|entry| !entry.is_finite()).count(),
            Self::Product { .. } => 0,
            Self::SideBySide(blocks) => blocks.iter().map(|block| block.not_finite).sum(),
        }
    }

    /// Shows all entries, some columns at a time.
    pub(super) fn for_each_panel(&self, mut look: impl FnMut(&[f64])) {
        match self {
            Self::Dense(entries) => look(entries.as_slice()),
            Self::Product { left, right } => {
                for first in (0..right.ncols()).step_by(PANEL_COLUMNS) {
                    let count = PANEL_COLUMNS.min(right.ncols() - first);
                    look(linalg::columns_times(left, right, first, count).as_slice());
                }
            }
            Self::SideBySide(blocks) => {
                let scale = blocks.iter().map(|block| block.scale).fold(0.0, f64::max);
                for block in blocks {
                    look(block.entries_scaled_by(block.scale / scale).as_slice());
                }
            }
        }
    }
}

impl Facts {
    /// The matrix's entries, scaled as its facts are.
    #[must_use]
    pub fn entries(&self) -> DMatrix<f64> {
        match &self.matrix {
            Matrix::Dense(entries) => (**entries).clone(),
            Matrix::Product { left, right } => linalg::product(left, right),
            Matrix::SideBySide(blocks) => {
                let mut entries = DMatrix::zeros(self.rows(), self.columns());
                let mut first = 0;
                for block in blocks {
                    let part = block.entries_scaled_by(block.scale / self.scale);
                    entries.columns_mut(first, part.ncols()).copy_from(&part);
                    first += part.ncols();
                }
                entries
            }
        }
    }

    fn entries_scaled_by(&self, factor: f64) -> DMatrix<f64> {
        let mut entries = self.entries();
        if factor != 1.0 {
            entries *= factor;
        }
        entries
    }
}

fn all_finite(matrix: &DMatrix<f64>) -> bool {
    matrix.iter().all(|entry| entry.is_finite())
}

fn normalised(matrix: Rc<DMatrix<f64>>) -> (Rc<DMatrix<f64>>, f64) {
    let scale = scale_of(&matrix);
    if scale == 1.0 {
        return (matrix, scale);
    }
    let mut scaled = (*matrix).clone();
    divide(&mut scaled, scale);
    (Rc::new(scaled), scale)
}

/// The power of two to divide by: 1 unless the largest finite magnitude is out of range.
fn scale_of(matrix: &DMatrix<f64>) -> f64 {
    let largest = matrix
        .iter()
        .map(|entry| entry.abs())
        .filter(|magnitude| magnitude.is_finite())
        .fold(0.0, f64::max);
    if largest == 0.0 || (LARGEST.recip()..=LARGEST).contains(&largest) {
        return 1.0;
    }
    // 2^-1022 is the smallest power of two whose inverse is finite.
    largest.log2().floor().max(-1022.0).exp2()
}

fn divide(matrix: &mut DMatrix<f64>, scale: f64) {
    for entry in matrix.iter_mut() {
        *entry /= scale;
    }
}
