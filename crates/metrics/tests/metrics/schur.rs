//! Eigenvalues of any square matrix: as the browser finds them, beside faer's.

use ckptscope_metrics::linalg::{Eigenvalue, eigenvalues, eigenvalues_by_schur};
use nalgebra::DMatrix;

use super::matrices::{gaussian, orthogonal};

/// Whether both are the same numbers, each within so much.
fn assert_same(what: &str, matrix: &DMatrix<f64>, within: f64) {
    let (found, mut others) = (
        eigenvalues_by_schur(matrix).unwrap(),
        eigenvalues(matrix).unwrap(),
    );
    assert_eq!(found.len(), others.len(), "{what}");
    for one in found {
        let distance = |other: &Eigenvalue| (one.re - other.re).hypot(one.im - other.im);
        let near = (0..others.len())
            .min_by(|a, b| distance(&others[*a]).total_cmp(&distance(&others[*b])));
        let other = others.swap_remove(near.unwrap());
        assert!(distance(&other) <= within, "{what}: {one:?} {other:?}");
    }
}

/// Every row one place further.
fn cycle(n: usize) -> DMatrix<f64> {
    DMatrix::from_fn(n, n, |i, j| if (i + 1) % n == j { 1.0 } else { 0.0 })
}

#[test]
fn the_schur_form_has_the_same_eigenvalues() {
    for n in [1, 2, 3, 5, 16, 64, 96] {
        assert_same("random", &gaussian(n, n, n as u64), 1e-11);
        assert_same("orthogonal", &orthogonal(n, n as u64), 1e-12);
        assert_same("a cycle", &cycle(n), 1e-12);
        assert_same("none", &DMatrix::zeros(n, n), 0.0);
        assert_same("one", &DMatrix::identity(n, n), 1e-14);
        let symmetric = gaussian(n, n, 3) + gaussian(n, n, 3).transpose();
        assert_same("symmetric", &symmetric, 1e-11);
        let skew = gaussian(n, n, 4) - gaussian(n, n, 4).transpose();
        assert_same("skew", &skew, 1e-11);
        let mut graded = gaussian(n, n, 5);
        for (mut row, power) in graded.row_iter_mut().zip(0..) {
            row /= 2_f64.powi(power);
        }
        assert_same("graded", &graded, 1e-11);
        let low = gaussian(n, 2, 6) * gaussian(2, n, 7);
        assert_same("rank 2", &low, 1e-6);
        let cycles = DMatrix::from_fn(2 * n, 2 * n, |i, j| {
            if i / n == j / n {
                cycle(n)[(i % n, j % n)]
            } else {
                0.0
            }
        });
        assert_same("two cycles", &cycles, 1e-7);
    }
}

#[test]
fn what_cannot_be_parted_is_good_to_its_root() {
    // A Jordan block: eigenvalues of its neighbours lie eps^(1/n) away.
    let n = 4;
    let block = DMatrix::from_fn(n, n, |i, j| if j == i + 1 { 1.0 } else { 0.0 });
    assert_same("a Jordan block", &block, 1e-3);
}
