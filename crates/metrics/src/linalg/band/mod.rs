//! Singular values and eigenvalues alone, in two stages: to a band, then to two diagonals.
//!
//! A reduction straight to two diagonals does half of its work in products of a matrix with a
//! vector, as fast as memory is. The first stage here ([`reduce`]) goes to a band in products of
//! matrices, as fast as arithmetic is. The second ([`symmetric`], [`upper`]) chases the band away
//! within blocks that stay in the cache; its work grows with the square of the size only. Whoever
//! wants vectors would have to take them through both stages, so those who do go straight.
//!
//! C. Bischof, B. Lang and X. Sun, "A framework for symmetric band reduction", ACM Transactions on
//! Mathematical Software 26 (2000); A. Haidar, H. Ltaief and J. Dongarra, "Parallel reduction to
//! condensed forms for symmetric eigenvalue problems using aggregated fine-grained and memory-aware
//! kernels", SC '11.

mod panel;
mod reduce;
pub(super) mod reflection;
mod symmetric;
mod tridiagonal;
mod upper;

use faer::MatMut;
use nalgebra::DMatrix;

use super::bidiagonal;
use crate::measurement::Status;
use crate::sort::sort_numbers;

/// Diagonals beside the main one that the first stage leaves.
///
/// More make its products faster and the second stage slower.
const WIDTH: usize = 48;

/// Smaller matrices are faster reduced straight to two diagonals.
pub(super) const SMALLEST: usize = 256;

/// The eigenvalues of a symmetric matrix `[n, n]`, descending; its lower triangle is read and
/// written over.
///
/// # Errors
/// [`Status::NoConvergence`].
pub(super) fn symmetric_eigenvalues(matrix: &mut DMatrix<f64>) -> Result<Vec<f64>, Status> {
    reduce::symmetric(super::view_mut(matrix), WIDTH);
    let form = symmetric::Band::of(matrix, WIDTH).tridiagonal();
    let mut values = tridiagonal::eigenvalues(form)?;
    sort_numbers(&mut values);
    values.reverse();
    Ok(values)
}

/// The singular values of a square matrix, descending; it is written over.
///
/// # Errors
/// [`Status::NoConvergence`].
pub(super) fn singular_values(mut matrix: MatMut<'_, f64>) -> Result<Vec<f64>, Status> {
    reduce::general(matrix.as_mut(), WIDTH);
    let form = upper::Band::of(matrix.as_ref(), WIDTH).bidiagonal();
    bidiagonal::singular_values(form.diagonal, form.above)
}
