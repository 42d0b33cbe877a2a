//! QR: triangular factors and orthonormal bases.

use faer::Par;
use faer::linalg::triangular_solve::solve_lower_triangular_in_place;
use nalgebra::DMatrix;

use super::{owned, view, view_mut};

/// `R` `[min(m, n), n]` of `A = Q R`, `A` `[m, n]`: a matrix with the same Gram matrix and
/// singular values, and no more rows than columns.
#[must_use]
pub fn triangular_factor(matrix: &DMatrix<f64>) -> DMatrix<f64> {
    let qr = view(matrix).qr();
    let mut r = owned(qr.thin_R());
    r.fill_lower_triangle(0.0, 1);
    r
}

/// `Q` `[m, n]` of `A = Q R`, `A` `[m, n]` of full rank with `m >= n`: orthonormal, spanning the
/// columns in order. It is made in `A`'s place as `A R^-1`, and orthonormal to the condition
/// number of `A` times a few eps.
#[must_use]
pub fn orthonormal_columns(mut matrix: DMatrix<f64>) -> DMatrix<f64> {
    let factor = triangular_factor(&matrix);
    let transposed = view_mut(&mut matrix).transpose_mut();
    solve_lower_triangular_in_place(view(&factor).transpose(), transposed, Par::Seq);
    matrix
}
