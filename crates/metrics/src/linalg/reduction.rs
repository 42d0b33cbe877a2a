//! QR: triangular factors and orthonormal bases.

use nalgebra::DMatrix;

use super::{owned, view};

/// `R` `[min(m, n), n]` of `A = Q R`, `A` `[m, n]`: a matrix with the same Gram matrix and
/// singular values, and no more rows than columns.
#[must_use]
pub fn triangular_factor(matrix: &DMatrix<f64>) -> DMatrix<f64> {
    let qr = view(matrix).qr();
    let mut r = owned(qr.thin_R());
    r.fill_lower_triangle(0.0, 1);
    r
}

/// `Q` `[m, min(m, n)]` of `A = Q R`, `A` `[m, n]`: orthonormal, spanning the columns in order.
#[must_use]
pub fn orthonormal_columns(matrix: &DMatrix<f64>) -> DMatrix<f64> {
    owned(view(matrix).qr().compute_thin_Q().as_ref())
}
