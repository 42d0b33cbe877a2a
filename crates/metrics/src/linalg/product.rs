//! Matrix products.

use faer::MatRef;
use nalgebra::DMatrix;

use super::stripes::{add_lower, add_product};
use super::{view, view_mut};

/// `A B`: `[m, k]` by `[k, n]`.
#[must_use]
pub fn product(a: &DMatrix<f64>, b: &DMatrix<f64>) -> DMatrix<f64> {
    multiply(view(a), view(b))
}

/// `A^T B`: `[k, m]` by `[k, n]`.
#[must_use]
pub fn transpose_product(a: &DMatrix<f64>, b: &DMatrix<f64>) -> DMatrix<f64> {
    multiply(view(a).transpose(), view(b))
}

/// `A B` for the columns `first..first + count` of `B` only.
#[must_use]
pub fn columns_times(
    a: &DMatrix<f64>,
    b: &DMatrix<f64>,
    first: usize,
    count: usize,
) -> DMatrix<f64> {
    multiply(view(a), view(b).subcols(first, count))
}

/// `A^T A` `[n, n]` of `A` `[m, n]`, whole; half the operations of a general product.
#[must_use]
pub fn gram_of_columns(a: &DMatrix<f64>) -> DMatrix<f64> {
    gram(view(a).transpose())
}

/// `A A^T` `[m, m]` of `A` `[m, n]`, whole; half the operations of a general product.
#[must_use]
pub fn gram_of_rows(a: &DMatrix<f64>) -> DMatrix<f64> {
    gram(view(a))
}

fn multiply(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> DMatrix<f64> {
    let mut result = DMatrix::zeros(a.nrows(), b.ncols());
    add_product(view_mut(&mut result), 1.0, a, b);
    result
}

fn gram(a: MatRef<'_, f64>) -> DMatrix<f64> {
    let mut result = DMatrix::zeros(a.nrows(), a.nrows());
    add_lower(view_mut(&mut result), 1.0, a, a);
    result.fill_upper_triangle_with_lower_triangle();
    result
}
