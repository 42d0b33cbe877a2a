//! The forms a matrix comes in.
//!
//! What a metric needs of a product is computed from a compact matrix (see `spectrum.rs`): singular
//! values, centred similarities, bases. Only entry-wise metrics (Gini, Hoyer, largest magnitude)
//! form a product's entries: some columns at a time for sums, whole for sorting.

use std::rc::Rc;

use nalgebra::DMatrix;

use super::{Facts, Scale};
use crate::float32::{Float32Entries, Order};
use crate::linalg;
use crate::tally::{Ascending, Tally};

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
    /// Its entries, and nothing of where they stand.
    Counted {
        /// `m`.
        rows: usize,
        /// `n`.
        columns: usize,
        /// All entries.
        entries: Counted,
    },
}

/// Entries of a matrix, wherever they stand.
#[derive(Clone, Debug)]
pub enum Counted {
    /// How often each value occurs.
    Values(Rc<Tally>),
    /// Those of 32 bits.
    Float32(Rc<Float32Entries>),
}

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
            Self::Counted { rows, columns, .. } => (*rows, *columns),
        }
    }

    /// The same matrix within the safe range, dense where factors would not be thin, and the
    /// power of two it must be multiplied by. Of a product that became dense also what rounding
    /// may have left of an entry that is zero.
    pub(super) fn normalised(self) -> (Self, Scale, Option<f64>) {
        match self {
            Self::Dense(entries) => {
                let (entries, scale) = normalised(entries);
                (Self::Dense(entries), scale, None)
            }
            Self::Product { left, right } => {
                let ((left, a), (right, b)) = (normalised(left), normalised(right));
                let thin = left.ncols() < left.nrows().min(right.ncols());
                let scale = a.times(b);
                if thin && all_finite(&left) && all_finite(&right) {
                    (Self::Product { left, right }, scale, None)
                } else {
                    let rounding = f64::EPSILON * left.norm() * right.norm();
                    let entries = linalg::product(&left, &right);
                    (Self::Dense(Rc::new(entries)), scale, Some(rounding))
                }
            }
            Self::SideBySide(blocks) => {
                let scale = largest_scale(&blocks);
                (Self::SideBySide(blocks), scale, None)
            }
            Self::Counted {
                rows,
                columns,
                entries,
            } => {
                let scale = Scale::of_largest(entries.largest_magnitude());
                let entries = entries.divided_by(scale);
                let counted = Self::Counted {
                    rows,
                    columns,
                    entries,
                };
                (counted, scale, None)
            }
        }
    }

    /// How many entries are NaN or infinite.
    pub(super) fn not_finite(&self) -> usize {
        match self {
            Self::Dense(entries) => entries.iter().filter(|entry| !entry.is_finite()).count(),
            Self::Product { .. } => 0,
            Self::SideBySide(blocks) => blocks.iter().map(|block| block.not_finite).sum(),
            Self::Counted { entries, .. } => entries.not_finite(),
        }
    }

    /// Shows all entries, some columns at a time; counted ones ascending.
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
                let scale = largest_scale(blocks);
                for block in blocks {
                    look(block.entries_in(scale).as_slice());
                }
            }
            Self::Counted { entries, .. } => look(&entries.in_order()),
        }
    }
}

impl Facts {
    /// The matrix's entries, scaled as its facts are. Those of a counted matrix stand in ascending
    /// order, column by column, and those that are not finite behind them as NaN.
    #[must_use]
    pub fn entries(&self) -> DMatrix<f64> {
        match &self.matrix {
            Matrix::Dense(entries) => (**entries).clone(),
            Matrix::Product { left, right } => linalg::product(left, right),
            Matrix::SideBySide(blocks) => {
                let mut entries = DMatrix::zeros(self.rows(), self.columns());
                let mut first = 0;
                for block in blocks {
                    let part = block.entries_in(self.scale);
                    entries.columns_mut(first, part.ncols()).copy_from(&part);
                    first += part.ncols();
                }
                entries
            }
            Matrix::Counted {
                rows,
                columns,
                entries,
            } => {
                let mut entries = entries.in_order();
                entries.resize(rows * columns, f64::NAN);
                DMatrix::from_vec(*rows, *columns, entries)
            }
        }
    }

    pub(super) fn entries_in(&self, scale: Scale) -> DMatrix<f64> {
        let factor = self.scale.relative_to(scale);
        let mut entries = self.entries();
        if factor != 1.0 {
            entries *= factor;
        }
        entries
    }
}

impl Counted {
    /// Of those that are finite.
    fn largest_magnitude(&self) -> f64 {
        match self {
            Self::Values(tally) => tally.largest_magnitude(),
            Self::Float32(entries) => entries.largest(),
        }
    }

    fn not_finite(&self) -> usize {
        match self {
            Self::Values(tally) => tally.not_finite(),
            Self::Float32(entries) => entries.not_finite(),
        }
    }

    /// Each divided by a power of two.
    pub(super) fn divided_by(self, scale: Scale) -> Self {
        if scale.is_one() {
            return self;
        }
        let divisor = scale.restore(1.0);
        match self {
            Self::Values(tally) => Self::Values(Rc::new(tally.map(|value| value / divisor))),
            Self::Float32(entries) => {
                Self::Float32(Rc::new(Rc::unwrap_or_clone(entries).times(1.0 / divisor)))
            }
        }
    }

    fn in_order(&self) -> Vec<f64> {
        match self {
            Self::Values(tally) => Ascending::Runs(tally.runs()).each(),
            Self::Float32(entries) => Ascending::Parts(entries, Order::Entries).each(),
        }
    }
}

fn all_finite(matrix: &DMatrix<f64>) -> bool {
    matrix.iter().all(|entry| entry.is_finite())
}

fn normalised(matrix: Rc<DMatrix<f64>>) -> (Rc<DMatrix<f64>>, Scale) {
    let scale = Scale::of(&matrix);
    if scale.is_one() {
        return (matrix, scale);
    }
    (Rc::new(scale.taken_out_of(&matrix)), scale)
}

fn largest_scale(blocks: &[Rc<Facts>]) -> Scale {
    Scale::largest(blocks.iter().map(|block| block.scale))
}
