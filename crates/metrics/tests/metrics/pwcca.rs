//! PWCCA against its definitions, written out without regard to cost or accuracy.

use ckptscope_metrics::linalg::reference_left_singular;
use ckptscope_metrics::{ParameterValue, Status};
use nalgebra::{DMatrix, SymmetricEigen};

use crate::ask::{assert_value, of_pair};
use crate::matrices::gaussian;

const REFERENCE: [(&str, ParameterValue); 1] = [("variant", ParameterValue::Choice("reference"))];
const PAPER: [(&str, ParameterValue); 1] = [("variant", ParameterValue::Choice("paper"))];

fn centred(x: &DMatrix<f64>) -> DMatrix<f64> {
    let means = x.row_mean();
    DMatrix::from_fn(x.nrows(), x.ncols(), |i, j| x[(i, j)] - means[j])
}

/// `A^(-1/2)` of a symmetric positive definite matrix.
fn inverse_root(a: DMatrix<f64>) -> DMatrix<f64> {
    let eigen = SymmetricEigen::new(a);
    let roots = DMatrix::from_diagonal(&eigen.eigenvalues.map(|value| value.sqrt().recip()));
    &eigen.eigenvectors * roots * eigen.eigenvectors.transpose()
}

/// `C_xx^(-1/2) C_xy C_yy^(-1/2)`.
fn whitened(x: &DMatrix<f64>, y: &DMatrix<f64>) -> DMatrix<f64> {
    let (x, y) = (centred(x), centred(y));
    inverse_root(x.transpose() * &x) * (x.transpose() * &y) * inverse_root(y.transpose() * &y)
}

fn weighted_mean(correlations: &[f64], weights: &[f64]) -> f64 {
    let sum: f64 = correlations
        .iter()
        .zip(weights)
        .map(|(rho, w)| rho * w)
        .sum();
    sum / weights.iter().sum::<f64>()
}

/// `sum_j |H^T X|_ij` for every `i`.
fn weights(h: &DMatrix<f64>, x: &DMatrix<f64>) -> Vec<f64> {
    let projections = h.transpose() * x;
    projections.row_iter().map(|row| row.lp_norm(1)).collect()
}

fn reference_by_definition(x: &DMatrix<f64>, y: &DMatrix<f64>) -> f64 {
    let svd = reference_left_singular(&whitened(x, y)).unwrap().svd;
    let means = x.row_mean();
    let mut directions = centred(x) * &svd.vectors;
    for (mut column, mean) in directions.column_iter_mut().zip(means.iter()) {
        column.add_scalar_mut(*mean);
    }
    weighted_mean(&svd.values, &weights(&directions.qr().q(), x))
}

fn paper_by_definition(x: &DMatrix<f64>, y: &DMatrix<f64>) -> f64 {
    let svd = whitened(x, y).svd(true, false);
    let x = centred(x);
    let variates = &x * inverse_root(x.transpose() * &x) * svd.u.unwrap();
    weighted_mean(svd.singular_values.as_slice(), &weights(&variates, &x))
}

#[test]
fn reference_agrees_with_the_definition() {
    for features in [1, 2, 7, 25, 26, 40] {
        let x = gaussian(6 * features, features, 1).add_scalar(0.7);
        let y = gaussian(6 * features, features, 2) + 0.5 * &x;
        let found = of_pair("pwcca", &REFERENCE, &x, &y);
        assert_value(&found, reference_by_definition(&x, &y), 1e-8);
    }
}

/// Gram matrices serve where they are exact enough; large means or unequal columns take other ways.
#[test]
fn reference_agrees_whatever_the_means_and_scales() {
    for mean in [0.0, 0.7, 30.0, 3e3] {
        for least in [1.0, 1e-1, 1e-3] {
            let mut x = gaussian(180, 30, 5);
            let mut y = gaussian(180, 30, 6) + 0.5 * &x;
            for matrix in [&mut x, &mut y] {
                for (place, mut column) in matrix.column_iter_mut().enumerate() {
                    column *= f64::powf(least, place as f64 / 29.0);
                    column.add_scalar_mut(mean);
                }
            }
            let found = of_pair("pwcca", &REFERENCE, &x, &y);
            assert_value(&found, reference_by_definition(&x, &y), 1e-7);
        }
    }
}

#[test]
fn paper_agrees_with_the_definition() {
    for (p, q) in [(1, 1), (3, 5), (7, 7), (20, 30)] {
        let x = gaussian(200, p, 3).add_scalar(0.7);
        let y = gaussian(200, q, 4).add_scalar(-2.0);
        let found = of_pair("pwcca", &PAPER, &x, &y);
        assert_value(&found, paper_by_definition(&x, &y), 1e-9);
        // The weights are those of the narrower side, whichever it is.
        if p < q {
            let found = of_pair("pwcca", &PAPER, &y, &x);
            assert_value(&found, paper_by_definition(&x, &y), 1e-9);
        }
    }
}

/// That the value is that of the paper, for this reason.
#[track_caller]
fn assert_is_paper(step: &DMatrix<f64>, target: &DMatrix<f64>, reason: &str) {
    let found = of_pair("pwcca", &REFERENCE, step, target);
    let paper = of_pair("pwcca", &PAPER, step, target);
    assert_eq!(found.value, paper.value);
    let reason = reason.to_owned();
    assert_eq!(found.status, Some(Status::PaperVariant { reason }));
}

#[test]
fn where_the_reference_is_not_defined_the_value_is_that_of_the_paper() {
    let thin = gaussian(40, 2, 5) * gaussian(2, 4, 6);
    let full = gaussian(40, 4, 7);
    assert_is_paper(&thin, &full, "this step has rank 2 of 4");
    assert_is_paper(&full, &thin, "the target has rank 2 of 4");
    assert_is_paper(
        &full,
        &gaussian(40, 3, 8),
        "4 features at this step, 3 at the target",
    );
    let wide = gaussian(40, 2, 9) * gaussian(2, 50, 10);
    assert_is_paper(&wide, &wide.clone(), "40 samples of 50 features");
}

#[test]
fn few_samples_leave_correlations_of_one() {
    let (step, target) = (gaussian(10, 6, 11), gaussian(10, 6, 12));
    let found = of_pair("pwcca", &PAPER, &step, &target);
    let status = Status::DegenerateCorrelations {
        ones: 3,
        samples: 10,
    };
    assert_eq!(found.status, Some(status));
    assert!((0.0..=1.0).contains(&found.value.unwrap()));
}

#[test]
fn noise_of_float32_does_not_count_as_rank() {
    // Two columns that are equal but for rounding to float32.
    let mut step = gaussian(60, 3, 13);
    let copy = step.column(0).map(|entry| f64::from(entry as f32));
    step.set_column(2, &copy);
    let target = gaussian(60, 3, 14);
    assert_is_paper(&step, &target, "this step has rank 2 of 3");
    // The third column says nothing new.
    let two = step.columns(0, 2).into_owned();
    let found = of_pair("cka", &[], &step, &two);
    assert!(found.value.unwrap() > 0.8);
}
