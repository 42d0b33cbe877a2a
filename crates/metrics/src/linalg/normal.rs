//! Products of `A^T A` with a few vectors.

use faer::MatRef;
use faer::linalg::matmul::matmul;
use faer::{Accum, Par};
use nalgebra::DMatrix;

use super::cores::for_each;
use super::stripes::add_product;
use super::{view, view_mut};

/// Parts that the columns are cut into, whoever does them. Each has a sum of its own.
const PARTS: usize = 16;

/// Entries of a panel: the cache holds them from one product to the next.
const PANEL_ENTRIES: usize = 1 << 16;

/// `A A^T X` for `A` `[m, n]` and `X` `[m, k]`, which reads `A` once.
pub(super) fn outer_times(a: MatRef<'_, f64>, x: &DMatrix<f64>) -> DMatrix<f64> {
    sum_over_columns(a, x.ncols(), &|_, panel, sum| {
        let mut image = DMatrix::zeros(panel.ncols(), x.ncols());
        add_to(&mut image, panel.transpose(), view(x));
        add_to(sum, panel, view(&image));
    })
}

/// `A^T A X` for `A` `[m, n]` and `X` `[n, k]`, which reads `A` twice. Rows of a column-major
/// matrix lie far apart, and putting them together costs more than that.
pub(super) fn inner_times(a: MatRef<'_, f64>, x: &DMatrix<f64>) -> DMatrix<f64> {
    let image = sum_over_columns(a, x.ncols(), &|first, panel, sum| {
        add_to(sum, panel, view(x).subrows(first, panel.ncols()));
    });
    let mut back = DMatrix::zeros(a.ncols(), x.ncols());
    add_product(view_mut(&mut back), 1.0, a.transpose(), view(&image));
    back
}

/// Adds what a panel of columns, which begins at the first, makes of it to a sum.
type Add<'a> = &'a (dyn Fn(usize, MatRef<'_, f64>, &mut DMatrix<f64>) + Sync);

/// The sum `[m, k]` of what each panel of columns adds.
fn sum_over_columns(a: MatRef<'_, f64>, k: usize, add: Add<'_>) -> DMatrix<f64> {
    let of_part = a.ncols().div_ceil(PARTS).max(1);
    let of_panel = (PANEL_ENTRIES / a.nrows().max(1)).max(k);
    let zeros = || DMatrix::zeros(a.nrows(), k);
    let parts = (0..a.ncols()).step_by(of_part);
    let mut sums: Vec<_> = parts.map(|first| (first, zeros())).collect();
    for_each(sums.iter_mut().collect(), |(start, sum)| {
        let end = a.ncols().min(*start + of_part);
        for first in (*start..end).step_by(of_panel) {
            add(first, a.subcols(first, of_panel.min(end - first)), sum);
        }
    });
    let mut total = zeros();
    for (_, sum) in sums {
        for (total, entry) in total.as_mut_slice().iter_mut().zip(sum.as_slice()) {
            *total += entry;
        }
    }
    total
}

fn add_to(sum: &mut DMatrix<f64>, a: MatRef<'_, f64>, b: MatRef<'_, f64>) {
    matmul(view_mut(sum), Accum::Add, a, b, 1.0, Par::Seq);
}
