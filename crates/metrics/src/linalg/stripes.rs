//! Products of large matrices in stripes, each of which any core can do.
//!
//! Stripes are cut by shape alone, so that every bit is the same whoever does them.

use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatMut, MatRef, Par};

use super::cores::for_each;

/// Rows or columns of a stripe.
const STRIPE: usize = 256;

/// A stripe of a matrix that is written: where it begins, and its columns.
type Stripe<'a> = (usize, MatMut<'a, f64>);

/// The columns of a matrix, stripe by stripe.
fn stripes(matrix: MatMut<'_, f64>) -> Vec<Stripe<'_>> {
    let mut stripes = Vec::new();
    let (mut first, mut rest) = (0, matrix);
    while rest.ncols() > STRIPE {
        let (stripe, others) = rest.split_at_col_mut(STRIPE);
        stripes.push((first, stripe));
        (first, rest) = (first + STRIPE, others);
    }
    stripes.push((first, rest));
    stripes
}

/// Adds `factor A B` to `C`.
pub(super) fn add_product(c: MatMut<'_, f64>, factor: f64, a: MatRef<'_, f64>, b: MatRef<'_, f64>) {
    if c.nrows() > c.ncols() {
        return add_product(c.transpose_mut(), factor, b.transpose(), a.transpose());
    }
    for_each(stripes(c), |(first, stripe)| {
        let b = b.subcols(first, stripe.ncols());
        matmul(stripe, Accum::Add, a, b, factor, Par::Seq);
    });
}

/// `A B`.
pub(super) fn multiplied(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Mat<f64> {
    let mut product = Mat::zeros(a.nrows(), b.ncols());
    add_product(product.as_mut(), 1.0, a, b);
    product
}

/// Adds the lower triangle of `factor A B^T` to that of `C`.
pub(super) fn add_lower(c: MatMut<'_, f64>, factor: f64, a: MatRef<'_, f64>, b: MatRef<'_, f64>) {
    for_each(stripes(c), |(first, stripe)| {
        let count = stripe.ncols();
        let (_, rows) = stripe.split_at_row_mut(first);
        let (on, below) = rows.split_at_row_mut(count);
        let right = b.subrows(first, count).transpose();
        let left = a.subrows(first, count);
        lower_product(on, left, right, factor);
        let left = a.subrows(first + count, below.nrows());
        matmul(below, Accum::Add, left, right, factor, Par::Seq);
    });
}

fn lower_product(c: MatMut<'_, f64>, a: MatRef<'_, f64>, b: MatRef<'_, f64>, factor: f64) {
    let (whole, lower) = (BlockStructure::Rectangular, BlockStructure::TriangularLower);
    triangular::matmul(c, lower, Accum::Add, a, whole, b, whole, factor, Par::Seq);
}

/// `A X` for a symmetric `A`, of which the lower triangle is there.
pub(super) fn symmetric_times(a: MatRef<'_, f64>, x: MatRef<'_, f64>) -> Mat<f64> {
    let mut product = Mat::zeros(a.nrows(), x.ncols());
    let of_rows = product.as_mut().transpose_mut();
    for_each(stripes(of_rows), |(first, stripe)| {
        let mut rows = stripe.transpose_mut();
        let count = rows.nrows();
        let next = first + count;
        let above = a.submatrix(first, 0, count, first);
        matmul(
            rows.as_mut(),
            Accum::Add,
            above,
            x.subrows(0, first),
            1.0,
            Par::Seq,
        );
        let on = a.submatrix(first, first, count, count);
        symmetric_block_times(rows.as_mut(), on, x.subrows(first, count));
        let below = a
            .submatrix(next, first, a.nrows() - next, count)
            .transpose();
        let x = x.subrows(next, a.nrows() - next);
        matmul(rows, Accum::Add, below, x, 1.0, Par::Seq);
    });
    product
}

/// Adds `A X` for a symmetric `A`, of which the lower triangle is there.
fn symmetric_block_times(mut product: MatMut<'_, f64>, a: MatRef<'_, f64>, x: MatRef<'_, f64>) {
    let whole = BlockStructure::Rectangular;
    for (half, structure) in [
        (a, BlockStructure::TriangularLower),
        (a.transpose(), BlockStructure::StrictTriangularUpper),
    ] {
        let product = product.as_mut();
        triangular::matmul(
            product,
            whole,
            Accum::Add,
            half,
            structure,
            x,
            whole,
            1.0,
            Par::Seq,
        );
    }
}
