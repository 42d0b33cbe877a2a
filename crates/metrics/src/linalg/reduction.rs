//! QR and Cholesky: triangular factors and orthonormal bases.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{
    LltRegularization, cholesky_in_place, cholesky_in_place_scratch,
};
use faer::linalg::triangular_solve::solve_lower_triangular_in_place;
use faer::{Par, Spec};
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

/// `R^-T B` of a symmetric positive definite `A = R^T R` `[n, n]`, `R` upper triangular, and of `B`
/// `[n, k]`; none where `A` is not positive definite.
#[must_use]
pub fn cholesky_solve(mut a: DMatrix<f64>, mut b: DMatrix<f64>) -> Option<DMatrix<f64>> {
    let (rows, parallelism) = (a.nrows(), Par::Seq);
    let scratch = cholesky_in_place_scratch::<f64>(rows, parallelism, Spec::default());
    cholesky_in_place(
        view_mut(&mut a),
        LltRegularization::default(),
        parallelism,
        MemStack::new(&mut MemBuffer::new(scratch)),
        Spec::default(),
    )
    .ok()?;
    solve_lower_triangular_in_place(view(&a), view_mut(&mut b), parallelism);
    Some(b)
}
