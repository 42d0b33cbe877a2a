//! Debiased CKA against its definition (Székely and Rizzo 2014), from kernels of samples.

use ckptscope_metrics::{ParameterValue, Status};
use nalgebra::DMatrix;

use crate::ask::{assert_undefined, assert_value, of_pair};
use crate::matrices::gaussian;

const DEBIASED: [(&str, ParameterValue); 1] = [("debiased", ParameterValue::Boolean(true))];

/// `X X^T` with a diagonal of zeros.
fn kernel(x: &DMatrix<f64>) -> DMatrix<f64> {
    let mut kernel = x * x.transpose();
    kernel.fill_diagonal(0.0);
    kernel
}

/// The unbiased estimate of the Hilbert-Schmidt independence criterion.
#[allow(clippy::cast_precision_loss)] // a number of samples
fn criterion(k: &DMatrix<f64>, l: &DMatrix<f64>) -> f64 {
    let n = k.nrows() as f64;
    let product = k * l;
    (product.trace() + k.sum() * l.sum() / ((n - 1.0) * (n - 2.0))
        - 2.0 / (n - 2.0) * product.sum())
        / (n * (n - 3.0))
}

fn by_definition(x: &DMatrix<f64>, y: &DMatrix<f64>) -> f64 {
    let (k, l) = (kernel(x), kernel(y));
    criterion(&k, &l) / (criterion(&k, &k) * criterion(&l, &l)).sqrt()
}

#[test]
fn agrees_with_the_definition() {
    for (samples, p, q) in [(20, 3, 5), (6, 9, 8), (6, 2, 30), (4, 3, 3), (50, 1, 1)] {
        let x = gaussian(samples, p, 1).map(|entry| entry + 0.3);
        let y = gaussian(samples, q, 2).map(|entry| 2.0 * entry - 1.0);
        assert_value(
            &of_pair("cka", &DEBIASED, &x, &y),
            by_definition(&x, &y),
            1e-10,
        );
    }
}

#[test]
fn may_be_negative() {
    let value = |seed: u64| {
        let (x, y) = (gaussian(20, 4, seed), gaussian(20, 4, seed + 100));
        of_pair("cka", &DEBIASED, &x, &y).value.unwrap()
    };
    let values: Vec<f64> = (0..40).map(value).collect();
    assert!(values.iter().any(|value| *value < 0.0), "{values:?}");
    // Unrelated sides are unrelated on average; the plain estimate would be about 0.3.
    let mean = values.iter().sum::<f64>() / 40.0;
    assert!(mean.abs() < 0.1, "{mean}");
}

#[test]
fn of_a_matrix_with_itself_is_one() {
    let x = gaussian(30, 4, 3);
    assert_value(&of_pair("cka", &DEBIASED, &x, &x), 1.0, 1e-12);
}

#[test]
fn has_no_value_where_an_estimate_of_a_side_with_itself_is_not_positive() {
    // Six orthonormal rows, all equally far from each other: nothing is shared between samples.
    let x = DMatrix::identity(6, 6);
    let y = gaussian(6, 2, 4);
    assert!(criterion(&kernel(&x), &kernel(&x)) <= 0.0);
    assert_undefined(&of_pair("cka", &DEBIASED, &x, &y), Status::NotPositive);
}
