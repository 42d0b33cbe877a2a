//! Tiny matrices whose numbers can be worked out on paper.

use ckptscope_metrics::{Measurement, ParameterValue, Status};
use nalgebra::{DMatrix, dmatrix};

use crate::ask::{assert_undefined, assert_value, norm, of, of_pair, top_k, with};

const EXACT: f64 = 1e-14;

#[test]
fn gini() {
    // Magnitudes 1, 2, 3, 4: (-3 - 2 + 3 + 12) / (4 * 10).
    assert_value(&of("gini", &dmatrix![4.0, -2.0; 1.0, -3.0]), 0.25, EXACT);
    assert_value(&of("gini", &dmatrix![5.0, -5.0; 5.0, 5.0]), 0.0, EXACT);
    // One of N: 1 - 1/N.
    assert_value(&of("gini", &dmatrix![0.0, 0.0, -7.0, 0.0, 0.0]), 0.8, EXACT);
}

#[test]
fn gini_of_nothing_is_zero() {
    assert_value(&of("gini", &DMatrix::zeros(3, 2)), 0.0, EXACT);
    assert_value(&of("gini", &DMatrix::zeros(0, 2)), 0.0, EXACT);
}

#[test]
fn hoyer() {
    // (sqrt 4 - 7/5) / (sqrt 4 - 1).
    assert_value(&of("hoyer", &dmatrix![3.0, 0.0; 0.0, -4.0]), 0.6, EXACT);
    assert_value(&of("hoyer", &dmatrix![0.0, 0.0, -9.0, 0.0]), 1.0, EXACT);
    assert_value(&of("hoyer", &dmatrix![2.0, -2.0, 2.0, 2.0]), 0.0, EXACT);
}

#[test]
fn per() {
    assert_value(&of("per", &DMatrix::identity(5, 5)), 1.0, EXACT);
    // Rank one of three.
    let rank_one = DMatrix::from_element(3, 4, 2.0);
    assert_value(&of("per", &rank_one), 1.0 / 3.0, 1e-12);
    // Shares 1/2, 1/4, 1/4 have an entropy of (3/2) ln 2.
    let shares = dmatrix![2.0, 0.0, 0.0; 0.0, 1.0, 0.0; 0.0, 0.0, -1.0];
    assert_value(&of("per", &shares), 2_f64.powf(1.5) / 3.0, EXACT);
}

#[test]
fn condition_number() {
    let diagonal = dmatrix![0.0, 8.0; -2.0, 0.0];
    assert_value(&of("condition_number", &diagonal), 4.0, EXACT);
    // Singular values of [[1, 1], [0, 1]]: the golden ratio and its inverse.
    let golden = f64::midpoint(1.0, 5_f64.sqrt());
    assert_value(
        &of("condition_number", &dmatrix![1.0, 1.0; 0.0, 1.0]),
        golden * golden,
        EXACT,
    );
    // One row has one singular value.
    assert_value(
        &of("condition_number", &dmatrix![3.0, 4.0, 5.0]),
        1.0,
        EXACT,
    );
}

#[test]
fn condition_number_of_less_than_full_rank() {
    let two_of_three = dmatrix![1.0, 0.0, 1.0; 0.0, 1.0, 1.0; 1.0, 1.0, 2.0];
    let status = Status::RankDeficient { rank: 2, of: 3 };
    assert_undefined(&of("condition_number", &two_of_three), status);
}

#[test]
fn ranks_that_are_no_whole_numbers() {
    // Singular values 4, 2, 2, 0: squares 16, 4, 4.
    let matrix =
        dmatrix![0.0, 4.0, 0.0, 0.0; -2.0, 0.0, 0.0, 0.0; 0.0, 0.0, 2.0, 0.0; 0.0, 0.0, 0.0, 0.0];
    assert_value(&of("stable_rank", &matrix), 24.0 / 16.0, EXACT);
    let ratio = 24.0 * 24.0 / (256.0 + 16.0 + 16.0);
    assert_value(&of("participation_ratio", &matrix), ratio, EXACT);
}

#[test]
fn norms() {
    let matrix = dmatrix![0.0, 3.0, 0.0; -4.0, 0.0, 0.0];
    assert_eq!(norm("frobenius", &matrix), 5.0);
    assert!((norm("nuclear", &matrix) - 7.0).abs() < EXACT);
    assert!((norm("spectral", &matrix) - 4.0).abs() < EXACT);
    assert_eq!(norm("inf", &matrix), 4.0);
    for norm_type in ["frobenius", "nuclear", "inf", "spectral"] {
        assert_eq!(norm(norm_type, &DMatrix::zeros(0, 3)), 0.0);
        assert_eq!(norm(norm_type, &DMatrix::zeros(2, 3)), 0.0);
    }
}

#[test]
fn top_k_values() {
    let matrix = dmatrix![1.0, -8.0; 4.0, 2.0];
    let values = |measurements: Vec<Measurement>| -> Vec<Option<f64>> {
        measurements.iter().map(|one| one.value).collect()
    };
    assert_eq!(
        values(top_k(2, true, &matrix)),
        [Some(6.0), Some(8.0), Some(2.0)]
    );
    assert_eq!(
        values(top_k(2, false, &matrix)),
        [Some(3.0), Some(4.0), Some(2.0)]
    );
    assert_eq!(
        values(top_k(4, false, &matrix)),
        [Some(-0.25), Some(4.0), Some(-0.5)]
    );
    for measurement in top_k(5, true, &matrix) {
        let status = Status::TooFewEntries {
            entries: 4,
            needed: 5,
        };
        assert_undefined(&measurement, status);
    }
}

#[test]
fn top_k_ratio_has_no_zero_divisor() {
    let measurements = top_k(2, true, &dmatrix![0.0, 3.0, 0.0]);
    assert_value(&measurements[0], 1.5, EXACT);
    assert_value(&measurements[1], 3.0, EXACT);
    assert_undefined(&measurements[2], Status::ZeroDivisor);
}

fn quantile(q: f64, matrix: &DMatrix<f64>) -> Measurement {
    with("quantile", &[("q", ParameterValue::Fraction(q))], matrix)
}

#[test]
fn quantiles_lie_between_their_neighbours() {
    let matrix = dmatrix![9.0, -1.0; 3.0, 4.0];
    for (q, expected) in [
        (0.0, -1.0),
        (0.25, 2.0),
        (1.0 / 3.0, 3.0),
        (0.5, 3.5),
        (0.9, 7.5),
        (1.0, 9.0),
    ] {
        assert_value(&quantile(q, &matrix), expected, EXACT);
    }
    assert_value(&quantile(0.3, &dmatrix![-2.5]), -2.5, 0.0);
    let status = Status::TooFewEntries {
        entries: 0,
        needed: 1,
    };
    assert_undefined(&quantile(0.5, &DMatrix::zeros(0, 3)), status);
}

/// NumPy's `quantile` of nine entries, by its default method.
#[test]
fn quantiles_as_numpy_has_them() {
    let matrix = dmatrix![
        0.9655844095335601,
        0.43972399834956893,
        -1.7264454490645915,
        -1.7067159898883957,
        1.0328652628925428,
        0.16952406817890217,
        -0.12448215959583664,
        -1.0538391299281384,
        0.7125093753986544
    ];
    for (q, expected) in [
        (0.0, -1.7264454490645915),
        (0.01, -1.7248670923304958),
        (0.05, -1.7185536653941131),
        (0.25, -1.0538391299281384),
        (0.5, 0.16952406817890217),
        (0.75, 0.7125093753986544),
        (0.95, 1.0059529215489498),
        (0.99, 1.027482794623824),
        (1.0, 1.0328652628925428),
    ] {
        assert_value(&quantile(q, &matrix), expected, EXACT);
    }
}

#[test]
fn cka() {
    // Centred: (-1, 0, 1), (1, -2, 1) against (-1, 1, 0). Cross products 1 and -3, lengths
    // squared 2 and 6, orthogonal: (1 + 9) / (sqrt(4 + 36) * 2).
    let step = dmatrix![1.0, 3.0; 2.0, 0.0; 3.0, 3.0];
    let target = dmatrix![5.0; 7.0; 6.0];
    let expected = 10.0 / (40_f64.sqrt() * 2.0);
    assert_value(&of_pair("cka", &[], &step, &target), expected, EXACT);
    assert_value(&of_pair("cka", &[], &target, &step), expected, EXACT);
}

/// Three orthonormal columns of mean zero, and one more.
fn hadamard() -> DMatrix<f64> {
    let signs = dmatrix![
        1.0, 1.0, 1.0, 1.0;
        1.0, 1.0, -1.0, -1.0;
        1.0, -1.0, 1.0, -1.0;
        1.0, -1.0, -1.0, 1.0;
        -1.0, 1.0, 1.0, -1.0;
        -1.0, 1.0, -1.0, 1.0;
        -1.0, -1.0, 1.0, 1.0;
        -1.0, -1.0, -1.0, -1.0
    ];
    signs / 8_f64.sqrt()
}

#[test]
fn pwcca_weighs_correlations_by_what_they_account_for() {
    // Columns h_1 and 3 h_2 against 0.8 h_1 + 0.6 h_3 and 0.6 h_2 + 0.8 h_4: correlations 0.8
    // and 0.6, weights 1 and 3.
    let h = hadamard();
    let column = |i: usize| h.column(i).into_owned();
    let step = DMatrix::from_columns(&[column(0), 3.0 * column(1)]);
    let target = DMatrix::from_columns(&[
        0.8 * column(0) + 0.6 * column(2),
        0.6 * column(1) + 0.8 * column(3),
    ]);
    for variant in ["reference", "paper"] {
        let given = [("variant", ParameterValue::Choice(variant))];
        let found = of_pair("pwcca", &given, &step, &target);
        assert_value(&found, (0.8 + 3.0 * 0.6) / 4.0, 1e-13);
    }
}
