//! The first stage: to a band.

use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatMut, MatRef, Par};

use super::panel::{Reflections, multiplied, reduced};

/// Leaves a symmetric matrix with so many diagonals below the main one, with the same eigenvalues.
/// The lower triangle is read and written; nothing reads what is further below than the band.
pub(super) fn symmetric(mut a: MatMut<'_, f64>, width: usize) {
    let n = a.nrows();
    let mut first = 0;
    while first + width + 1 < n {
        let next = first + width;
        let mut panel = a.as_mut().submatrix_mut(next, first, n - next, width);
        let found = reduced(panel.to_owned());
        panel.copy_from(&found.left);
        let rest = a.as_mut().submatrix_mut(next, next, n - next, n - next);
        from_both_sides(&found.reflections, rest);
        first = next;
    }
}

/// `Q^T A Q` in the place of a symmetric `A`, of which the lower triangle is there: with
/// `Y = A V T^-1` and `X = Y - V T^-T V^T Y / 2` it is `A - X V^T - V X^T`.
fn from_both_sides(reflections: &Reflections, mut a: MatMut<'_, f64>) {
    let v = reflections.vectors();
    let mut x = symmetric_times(a.as_ref(), v);
    reflections.divide_right(x.as_mut());
    let mut inner = multiplied(v.transpose(), x.as_ref());
    reflections.divide_transposed(inner.as_mut());
    matmul(x.as_mut(), Accum::Add, v, inner.as_ref(), -0.5, Par::Seq);
    for (left, right) in [(x.as_ref(), v), (v, x.as_ref())] {
        triangular::matmul(
            a.as_mut(),
            BlockStructure::TriangularLower,
            Accum::Add,
            left,
            BlockStructure::Rectangular,
            right.transpose(),
            BlockStructure::Rectangular,
            -1.0,
            Par::Seq,
        );
    }
}

/// `A X` for a symmetric `A`, of which the lower triangle is there.
fn symmetric_times(a: MatRef<'_, f64>, x: MatRef<'_, f64>) -> Mat<f64> {
    let mut product = Mat::zeros(a.nrows(), x.ncols());
    for (half, structure, accumulate) in [
        (a, BlockStructure::TriangularLower, Accum::Replace),
        (
            a.transpose(),
            BlockStructure::StrictTriangularUpper,
            Accum::Add,
        ),
    ] {
        triangular::matmul(
            product.as_mut(),
            BlockStructure::Rectangular,
            accumulate,
            half,
            structure,
            x,
            BlockStructure::Rectangular,
            1.0,
            Par::Seq,
        );
    }
    product
}

/// Leaves a square matrix with so many diagonals above the main one and none below, with the same
/// singular values.
pub(super) fn general(mut a: MatMut<'_, f64>, width: usize) {
    let n = a.nrows();
    for first in (0..n).step_by(width) {
        let count = width.min(n - first);
        let next = first + count;
        let mut rows = a.as_mut().submatrix_mut(first, first, n - first, n - first);
        let found = reduced(rows.as_ref().subcols(0, count).to_owned());
        rows.as_mut().subcols_mut(0, count).copy_from(&found.left);
        found
            .reflections
            .reflect_left(rows.subcols_mut(count, n - next));
        if next + 1 >= n {
            continue;
        }
        let mut columns = a.as_mut().submatrix_mut(first, next, n - first, n - next);
        let found = reduced(columns.as_ref().subrows(0, count).transpose().to_owned());
        columns
            .as_mut()
            .subrows_mut(0, count)
            .copy_from(found.left.transpose());
        found
            .reflections
            .reflect_right(columns.subrows_mut(count, n - next));
    }
}
