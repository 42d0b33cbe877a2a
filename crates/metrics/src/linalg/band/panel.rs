//! Several reflections at once, as products of matrices.

use faer::linalg::triangular_solve::solve_lower_triangular_in_place;
use faer::{Mat, MatMut, MatRef, Par};
use pulp::Arch;

use super::super::stripes::{add_product, multiplied};
use super::reflection::{add, dot, reflect};

/// Columns that are reduced one by one before the others hear of them.
const AT_ONCE: usize = 8;

/// `Q = I - V T^-1 V^T`, orthogonal: `V` `[m, k]` has ones on its diagonal and nothing above it, `T`
/// `[k, k]` is upper triangular.
pub(super) struct Reflections {
    vectors: Mat<f64>,
    triangle: Mat<f64>,
}

/// `Q^T A` is `R`, upper triangular.
pub(super) struct Reduced {
    pub(super) reflections: Reflections,
    /// `R`, in the shape of `A`.
    pub(super) left: Mat<f64>,
}

/// Reduces a panel `A` `[m, k]`.
pub(super) fn reduced(mut panel: Mat<f64>) -> Reduced {
    let (rows, columns) = panel.shape();
    let count = rows.min(columns);
    let mut vectors = Mat::zeros(rows, count);
    for first in (0..count).step_by(AT_ONCE) {
        let end = (first + AT_ONCE).min(count);
        Arch::new().dispatch(
            #[inline(always)]
            || one_by_one(&mut panel, &mut vectors, first..end),
        );
        if end < columns {
            let these = vectors.get(first.., first..end).to_owned();
            let others = panel.get_mut(first.., end..);
            Reflections::with(these).reflect_left(others);
        }
    }
    Reduced {
        reflections: Reflections::with(vectors),
        left: panel,
    }
}

/// Reduces some columns, telling only each other.
#[inline(always)]
fn one_by_one(panel: &mut Mat<f64>, vectors: &mut Mat<f64>, columns: std::ops::Range<usize>) {
    for index in columns.clone() {
        let v = &mut vectors.col_as_slice_mut(index)[index..];
        let tau = reflect(&mut panel.col_as_slice_mut(index)[index..], v);
        if tau == 0.0 {
            continue;
        }
        for other in index + 1..columns.end {
            let x = &mut panel.col_as_slice_mut(other)[index..];
            let factor = -tau * dot(v, x);
            add(x, factor, v);
        }
    }
}

impl Reflections {
    /// A reflection divides by half of its vector's square, so that `T + T^T` is `V^T V`.
    fn with(vectors: Mat<f64>) -> Self {
        let v = vectors.as_ref();
        let mut triangle = multiplied(v.transpose(), v);
        for index in 0..triangle.ncols() {
            let divisor = &mut triangle[(index, index)];
            // A vector of zeros reflects nothing, whatever it is divided by.
            *divisor = if *divisor == 0.0 { 1.0 } else { *divisor / 2.0 };
        }
        Self { vectors, triangle }
    }

    pub(super) fn vectors(&self) -> MatRef<'_, f64> {
        self.vectors.as_ref()
    }

    /// `Q^T A` in the place of `A`.
    pub(super) fn reflect_left(&self, a: MatMut<'_, f64>) {
        let v = self.vectors();
        let mut found = multiplied(v.transpose(), a.as_ref());
        self.divide_transposed(found.as_mut());
        add_product(a, -1.0, v, found.as_ref());
    }

    /// `A Q` in the place of `A`.
    pub(super) fn reflect_right(&self, a: MatMut<'_, f64>) {
        let v = self.vectors();
        let mut found = multiplied(a.as_ref(), v);
        self.divide_right(found.as_mut());
        add_product(a, -1.0, found.as_ref(), v.transpose());
    }

    /// `T^-T X` in the place of `X`.
    pub(super) fn divide_transposed(&self, x: MatMut<'_, f64>) {
        solve_lower_triangular_in_place(self.triangle.transpose(), x, Par::Seq);
    }

    /// `X T^-1` in the place of `X`.
    pub(super) fn divide_right(&self, x: MatMut<'_, f64>) {
        self.divide_transposed(x.transpose_mut());
    }
}
