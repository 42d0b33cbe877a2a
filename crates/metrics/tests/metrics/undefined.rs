//! Matrices for which there is no number, and the reason that is given.

use ckptscope_metrics::{Facts, Measurement};
use ckptscope_metrics::{METRICS, ParameterValue, Parameters, Status};
use nalgebra::{DMatrix, dmatrix};

use crate::ask::{assert_undefined, measure, of, of_pair};
use crate::matrices::gaussian;

#[test]
fn entries_that_are_not_finite_are_counted() {
    for (bad, count) in [(f64::NAN, 1), (f64::INFINITY, 2), (f64::NEG_INFINITY, 3)] {
        let mut matrix = gaussian(12, 5, 1);
        for entry in matrix.iter_mut().step_by(7).take(count) {
            *entry = bad;
        }
        let status = Status::NotFinite { entries: count };
        assert_eq!(status.to_string(), format!("not finite: {count} entries"));
        let facts = Facts::dense(matrix);
        for metric in METRICS {
            let parameters = Parameters::defaults(metric.parameters());
            let expected =
                vec![Measurement::undefined(status.clone()); metric.outputs(&parameters).len()];
            assert_eq!(measure(*metric, &parameters, &facts, &facts), expected);
        }
    }
}

#[test]
fn a_target_that_is_not_finite_is_no_comparison() {
    let mut target = gaussian(12, 3, 2);
    target[(4, 1)] = f64::NAN;
    for name in ["cka", "pwcca"] {
        let status = Status::NotFinite { entries: 1 };
        assert_undefined(&of_pair(name, &[], &gaussian(12, 3, 3), &target), status);
    }
}

#[test]
fn all_zero() {
    let zeros = DMatrix::zeros(3, 4);
    for name in [
        "hoyer",
        "per",
        "condition_number",
        "stable_rank",
        "participation_ratio",
    ] {
        assert_undefined(&of(name, &zeros), Status::AllZero);
    }
}

#[test]
fn too_few_entries() {
    let too_few = |entries, needed| Status::TooFewEntries { entries, needed };
    assert_undefined(&of("hoyer", &dmatrix![2.0]), too_few(1, 2));
    for empty in [
        DMatrix::zeros(0, 0),
        DMatrix::zeros(0, 3),
        DMatrix::zeros(3, 0),
    ] {
        assert_undefined(&of("hoyer", &empty), too_few(0, 2));
        for name in [
            "per",
            "condition_number",
            "stable_rank",
            "participation_ratio",
        ] {
            assert_undefined(&of(name, &empty), too_few(0, 1));
        }
    }
}

#[test]
fn different_sample_counts_name_both() {
    for name in ["cka", "pwcca"] {
        let status = Status::DifferentSamples { step: 5, target: 6 };
        let words = "different sample counts: 5 at this step, 6 at the target";
        assert_eq!(status.to_string(), words);
        let (step, target) = (gaussian(5, 2, 4), gaussian(6, 2, 5));
        assert_undefined(&of_pair(name, &[], &step, &target), status);
    }
}

#[test]
fn what_does_not_vary_over_the_samples_is_constant() {
    let varying = gaussian(7, 2, 6);
    // Means of these are not exact, so rounding is left where nothing varies.
    let constant = DMatrix::from_fn(7, 3, |_, column| [0.1, 1e6 / 3.0, -0.7][column]);
    for name in ["cka", "pwcca"] {
        for (step, target) in [(&varying, &constant), (&constant, &varying)] {
            assert_undefined(&of_pair(name, &[], step, target), Status::Constant);
        }
        let row = dmatrix![1.0, 2.0];
        assert_undefined(&of_pair(name, &[], &row, &row), Status::Constant);
        let empty = DMatrix::zeros(0, 2);
        assert_undefined(&of_pair(name, &[], &empty, &empty), Status::Constant);
    }
}

#[test]
fn debiased_cka_needs_four_samples() {
    let given = [("debiased", ParameterValue::Boolean(true))];
    let (step, target) = (gaussian(3, 2, 7), gaussian(3, 2, 8));
    let status = Status::TooFewSamples {
        samples: 3,
        needed: 4,
    };
    assert_undefined(&of_pair("cka", &given, &step, &target), status);
}
