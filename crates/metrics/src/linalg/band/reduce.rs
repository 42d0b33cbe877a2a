//! The first stage: to a band.

use faer::{Mat, MatMut, MatRef};

use super::super::stripes::{add_lower, add_product, multiplied, symmetric_times};
use super::panel::{Reflections, reduced};

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
fn from_both_sides(reflections: &Reflections, a: MatMut<'_, f64>) {
    let v = reflections.vectors();
    let mut x = symmetric_times(a.as_ref(), v);
    reflections.divide_right(x.as_mut());
    let mut inner = multiplied(v.transpose(), x.as_ref());
    reflections.divide_transposed(inner.as_mut());
    add_product(x.as_mut(), -0.5, v, inner.as_ref());
    let (left, right) = (beside(x.as_ref(), v), beside(v, x.as_ref()));
    add_lower(a, -1.0, left.as_ref(), right.as_ref());
}

/// Two matrices side by side.
fn beside(left: MatRef<'_, f64>, right: MatRef<'_, f64>) -> Mat<f64> {
    let mut both = Mat::zeros(left.nrows(), left.ncols() + right.ncols());
    both.subcols_mut(0, left.ncols()).copy_from(left);
    both.subcols_mut(left.ncols(), right.ncols())
        .copy_from(right);
    both
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
