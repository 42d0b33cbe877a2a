//! Matrices to try things on.

use nalgebra::{DMatrix, Matrix};
use proptest::prelude::*;

/// A source of numbers that are the same on every run and every machine.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits (splitmix64: Steele, Lea and Flood 2014).
    pub(crate) const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Uniform in (0, 1].
    #[allow(clippy::cast_precision_loss)] // 53 bits
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.bits() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// Standard normal, by Box and Muller.
    pub(crate) fn gaussian(&mut self) -> f64 {
        let (radius, angle) = (self.uniform(), self.uniform());
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    }
}

/// Independent standard normal entries.
pub(crate) fn gaussian(rows: usize, columns: usize, seed: u64) -> DMatrix<f64> {
    let mut random = Random::new(seed);
    DMatrix::from_fn(rows, columns, |_, _| random.gaussian())
}

/// A random orthogonal matrix.
pub(crate) fn orthogonal(side: usize, seed: u64) -> DMatrix<f64> {
    orthonormal_columns(gaussian(side, side, seed))
}

/// Orthonormal columns of a matrix's span, by reflections: dividing by a triangular factor, as the
/// crate itself does, loses what the conditioning takes.
fn orthonormal_columns(matrix: DMatrix<f64>) -> DMatrix<f64> {
    matrix.qr().q()
}

/// A random matrix whose singular values run evenly from 1 to 2.
pub(crate) fn well_conditioned(side: usize, seed: u64) -> DMatrix<f64> {
    with_singular_values(side, side, seed, |share| 1.0 + share)
}

/// A random matrix with the singular values `value(i / min(rows, columns))`.
pub(crate) fn with_singular_values(
    rows: usize,
    columns: usize,
    seed: u64,
    value: impl Fn(f64) -> f64,
) -> DMatrix<f64> {
    let rank = rows.min(columns);
    #[allow(clippy::cast_precision_loss)] // sizes of small matrices
    let diagonal = DMatrix::from_fn(rank, rank, |i, j| {
        if i == j {
            value(i as f64 / rank as f64)
        } else {
            0.0
        }
    });
    let left = orthonormal_columns(gaussian(rows, rank, seed));
    let right = orthonormal_columns(gaussian(columns, rank, seed + 1));
    left * diagonal * right.transpose()
}

/// Matrices side by side.
pub(crate) fn beside(parts: &[DMatrix<f64>]) -> DMatrix<f64> {
    let columns: Vec<_> = parts
        .iter()
        .flat_map(|part| part.column_iter().map(Matrix::into_owned))
        .collect();
    DMatrix::from_columns(&columns)
}

/// Any matrix of up to `largest` rows and columns, entries between -10 and 10.
pub(crate) fn any_matrix(largest: usize) -> impl Strategy<Value = DMatrix<f64>> {
    (1..=largest, 1..=largest).prop_flat_map(|(rows, columns)| {
        prop::collection::vec(-10.0..10.0_f64, rows * columns)
            .prop_map(move |entries| DMatrix::from_vec(rows, columns, entries))
    })
}
