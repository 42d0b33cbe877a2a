//! Products of `A^T A` with a few vectors.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};

use super::cores::for_each;

/// Parts that the columns are cut into, whoever does them. Each has a sum of its own.
const PARTS: usize = 16;

/// Entries of a panel: the cache holds them from one product to the next.
const PANEL_ENTRIES: usize = 1 << 16;

/// `A A^T X` for `A` `[m, n]` and `X` `[m, k]`, which reads `A` once.
pub(super) fn outer_times(a: MatRef<'_, f64>, x: MatRef<'_, f64>) -> Mat<f64> {
    sum_over_columns(a, (a.nrows(), x.ncols()), |_, panel, sum| {
        let mut image = Mat::zeros(panel.ncols(), x.ncols());
        let across = panel.transpose();
        matmul(image.as_mut(), Accum::Replace, across, x, 1.0, Par::Seq);
        matmul(sum.as_mut(), Accum::Add, panel, &image, 1.0, Par::Seq);
    })
}

/// `A^T A X` for `A` `[m, n]` and `X` `[n, k]`, which reads `A` twice. Rows of a column-major
/// matrix lie far apart, and putting them together costs more than that.
pub(super) fn inner_times(a: MatRef<'_, f64>, x: MatRef<'_, f64>) -> Mat<f64> {
    let image = sum_over_columns(a, (a.nrows(), x.ncols()), |first, panel, sum| {
        let rows = x.subrows(first, panel.ncols());
        matmul(sum.as_mut(), Accum::Add, panel, rows, 1.0, Par::Seq);
    });
    super::stripes::multiplied(a.transpose(), image.as_ref())
}

/// The sum of what each panel of columns adds, told where it begins.
fn sum_over_columns(
    a: MatRef<'_, f64>,
    (rows, columns): (usize, usize),
    add: impl Fn(usize, MatRef<'_, f64>, &mut Mat<f64>) + Sync,
) -> Mat<f64> {
    let of_part = a.ncols().div_ceil(PARTS).max(1);
    let of_panel = (PANEL_ENTRIES / a.nrows().max(1)).max(columns);
    let zeros = || Mat::<f64>::zeros(rows, columns);
    let parts = (0..a.ncols()).step_by(of_part);
    let mut sums: Vec<_> = parts.map(|first| (first, zeros())).collect();
    for_each(sums.iter_mut().collect(), |(start, sum)| {
        let end = a.ncols().min(*start + of_part);
        for first in (*start..end).step_by(of_panel) {
            add(first, a.subcols(first, of_panel.min(end - first)), sum);
        }
    });
    let sums = sums.into_iter().map(|(_, sum)| sum);
    sums.fold(zeros(), |total, sum| total + sum)
}
