//! Estimates of what follows from singular values, beside the exact values.

use ckptscope_metrics::facts::estimate::{EXACT, Estimate};
use ckptscope_metrics::linalg::product;
use ckptscope_metrics::{Facts, Measurement, ParameterValue, Parameters, Status};
use nalgebra::DMatrix;

use super::ask::{measure, metric, parameters};
use super::matrices::{gaussian, with_singular_values};

/// Rows of the matrices, beyond what is decomposed.
const SIDE: usize = 272;

/// Matrices of each kind.
const DRAWS: u64 = 6;

/// The metrics that can be estimated, with the parameters that choose them.
const ESTIMATED: [(&str, &[(&str, ParameterValue)]); 4] = [
    ("norm", &[("norm_type", ParameterValue::Choice("nuclear"))]),
    ("per", &[]),
    ("stable_rank", &[]),
    ("spectral_entropy_rank", &[]),
];

/// A name, and singular values by their place.
type Spectrum = (&'static str, fn(usize) -> f64);

/// Spectra that are hard in different ways.
#[allow(clippy::cast_precision_loss)]
const SPECTRA: &[Spectrum] = &[
    ("flat", |_| 1.0),
    ("one outlier", |i| if i == 0 { 1000.0 } else { 1.0 }),
    ("a few outliers", |i| {
        if i < 3 { 50.0 / (i + 1) as f64 } else { 1.0 }
    }),
    ("two levels", |i| if i < SIDE / 2 { 1.0 } else { 1e-3 }),
    ("16 equal ones", |i| {
        if i < 16 {
            10.0
        } else {
            1.0 / (i as f64).sqrt()
        }
    }),
    ("40 equal ones", |i| {
        if i < 40 {
            3.0
        } else {
            (i as f64 / -100.0).exp()
        }
    }),
    ("rank 1", |i| if i == 0 { 1.0 } else { 0.0 }),
    ("rank 3", |i| if i < 3 { 1.0 / (i + 1) as f64 } else { 0.0 }),
    ("rank 60", |i| if i < 60 { 1.0 } else { 0.0 }),
    ("graded", |i| 10_f64.powf(-8.0 * i as f64 / SIDE as f64)),
    ("exponential", |i| (i as f64 / -20.0).exp()),
    ("power 1", |i| 1.0 / (i + 1) as f64),
    ("power 1/2", |i| 1.0 / ((i + 1) as f64).sqrt()),
    ("levels", |i| 10_f64.powi(-((i / 50) as i32))),
];

/// A random matrix `[SIDE, columns]` with these singular values.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)]
fn with_values(value: fn(usize) -> f64, columns: usize, seed: u64) -> DMatrix<f64> {
    with_singular_values(SIDE, columns, seed, |share| {
        value((share * SIDE as f64).round() as usize)
    })
}

/// All numbers of a metric of one matrix.
fn of_one(name: &str, given: &[(&str, ParameterValue)], matrix: &DMatrix<f64>) -> Vec<Measurement> {
    let facts = Facts::dense(matrix.clone());
    measure(metric(name), &parameters(name, given), &facts, &facts)
}

fn exact(metric: usize, matrix: &DMatrix<f64>) -> f64 {
    let (name, parameters) = ESTIMATED[metric];
    of_one(name, parameters, matrix)[0].value.unwrap()
}

fn estimate(metric: usize, matrix: &DMatrix<f64>) -> Estimate {
    let (name, parameters) = ESTIMATED[metric];
    let mut parameters = parameters.to_vec();
    parameters.push(("estimate", ParameterValue::Boolean(true)));
    let measured = of_one(name, &parameters, matrix);
    let [value, low, high] = [0, 1, 2].map(|output: usize| measured[output].value.unwrap());
    Estimate { value, low, high }
}

/// Rounding of the exact value.
fn holds(estimate: Estimate, exact: f64) -> bool {
    let rounding = 1e-6 * exact.abs();
    estimate.low - rounding <= exact && exact <= estimate.high + rounding
}

#[test]
fn intervals_hold_the_exact_value_in_95_of_100_cases() {
    let (mut held, mut all) = (0, 0);
    for (kind, value) in SPECTRA {
        let (mut of_kind, mut widest) = (0, 0.0_f64);
        for draw in 0..DRAWS {
            let columns = if draw % 2 == 0 { SIDE } else { SIDE + 64 };
            let mut matrix = with_values(*value, columns, 1000 * draw);
            if draw % 3 == 0 {
                matrix = matrix.transpose();
            }
            for metric in 0..ESTIMATED.len() {
                let (exact, estimate) = (exact(metric, &matrix), estimate(metric, &matrix));
                assert!(estimate.low <= estimate.value && estimate.value <= estimate.high);
                of_kind += u32::from(holds(estimate, exact));
                widest = widest.max((estimate.high - estimate.low) / exact);
            }
        }
        let asked = u32::try_from(DRAWS).unwrap() * 4;
        println!("{kind}: {of_kind} of {asked}, widest {widest:.4}");
        assert!(of_kind * 100 >= asked * 90, "{kind}: {of_kind} of {asked}");
        assert!(widest < 0.25, "{kind}: {widest}");
        held += of_kind;
        all += asked;
    }
    assert!(held * 100 >= all * 95, "{held} of {all}");
}

#[test]
fn a_few_large_singular_values_are_found_exactly() {
    for (kind, value) in SPECTRA.iter().filter(|(kind, _)| kind.starts_with("rank")) {
        let matrix = with_values(*value, 2 * SIDE, 7);
        for metric in [0, 1, 3] {
            let (exact, estimate) = (exact(metric, &matrix), estimate(metric, &matrix));
            let width = (estimate.high - estimate.low) / exact;
            assert!(holds(estimate, exact), "{kind}: {estimate:?}, {exact}");
            assert!(width < 1e-3, "{kind}: {estimate:?}, {exact}");
        }
    }
}

#[test]
fn weights_as_they_are_at_the_start_of_a_training_are_good_to_a_hundredth() {
    let matrix = gaussian(SIDE, 4 * SIDE, 3);
    for metric in [0, 1] {
        let (exact, estimate) = (exact(metric, &matrix), estimate(metric, &matrix));
        assert!(holds(estimate, exact));
        assert!(
            (estimate.high - estimate.low) / exact < 0.02,
            "{estimate:?}"
        );
        assert!(
            (estimate.value / exact - 1.0).abs() < 0.01,
            "{estimate:?}, {exact}"
        );
    }
}

#[test]
fn a_small_matrix_is_decomposed() {
    let matrix = gaussian(EXACT, 2 * EXACT, 4);
    for metric in 0..ESTIMATED.len() {
        let (exact, estimate) = (exact(metric, &matrix), estimate(metric, &matrix));
        assert!((estimate.value / exact - 1.0).abs() < 1e-12);
        assert_eq!(
            (estimate.low, estimate.high),
            (estimate.value, estimate.value)
        );
    }
}

#[test]
fn units_do_not_matter() {
    let matrix = gaussian(SIDE, SIDE, 5);
    for scale in [2_f64.powi(-600), 2_f64.powi(600)] {
        let scaled = &matrix * scale;
        for metric in 0..ESTIMATED.len() {
            let (one, other) = (estimate(metric, &matrix), estimate(metric, &scaled));
            let unit = if metric == 0 { scale } else { 1.0 };
            assert!((other.value / unit / one.value - 1.0).abs() < 1e-9);
        }
    }
}

#[test]
fn a_product_is_estimated_from_its_factors() {
    let (left, right) = (gaussian(400, 300, 6), gaussian(300, 500, 7));
    let whole = product(&left, &right);
    let facts = Facts::product(left.into(), right.into());
    let of_factors = facts.spectrum_estimate().unwrap().nuclear_norm();
    assert!(holds(of_factors, exact(0, &whole)), "{of_factors:?}");
}

#[test]
fn the_same_matrix_gives_the_same_numbers() {
    let matrix = gaussian(SIDE, SIDE, 8);
    assert_eq!(estimate(1, &matrix), estimate(1, &matrix));
}

#[test]
fn zeros_have_a_norm_and_no_rank() {
    let zeros = DMatrix::zeros(SIDE, SIDE);
    assert_eq!(estimate(0, &zeros), Estimate::exact(0.0));
    let estimated = [("estimate", ParameterValue::Boolean(true))];
    for (name, _) in &ESTIMATED[1..] {
        let measured = of_one(name, &estimated, &zeros);
        assert_eq!(measured.len(), 3);
        assert!(
            measured
                .iter()
                .all(|one| one.status == Some(Status::AllZero))
        );
    }
}

#[test]
fn norms_that_need_no_singular_values_are_exact() {
    let matrix = gaussian(SIDE, SIDE, 9);
    for norm_type in ["frobenius", "inf"] {
        let mut parameters = vec![("norm_type", ParameterValue::Choice(norm_type))];
        let exact = of_one("norm", &parameters, &matrix)[0].value;
        parameters.push(("estimate", ParameterValue::Boolean(true)));
        let measured = of_one("norm", &parameters, &matrix);
        assert!(
            measured.iter().all(|one| one.value == exact),
            "{measured:?}"
        );
    }
    let parameters = [
        ("norm_type", ParameterValue::Choice("spectral")),
        ("estimate", ParameterValue::Boolean(true)),
    ];
    let measured = of_one("norm", &parameters, &matrix);
    let exact = of_one("norm", &parameters[..1], &matrix)[0].value.unwrap();
    let [low, high] = [1, 2].map(|output: usize| measured[output].value.unwrap());
    assert!(
        low * (1.0 - 1e-12) <= exact && exact <= high,
        "{low} {exact} {high}"
    );
}

#[test]
fn an_estimate_is_asked_for() {
    assert!(!Parameters::default().boolean("estimate"));
    for (name, _) in ESTIMATED {
        assert_eq!(of_one(name, &[], &gaussian(4, 4, 1)).len(), 1);
    }
}
