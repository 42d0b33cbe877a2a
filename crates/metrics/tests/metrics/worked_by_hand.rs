//! Tiny matrices whose numbers can be worked out on paper.

use ckptscope_metrics::{Facts, Measurement, ParameterValue, Parameters, Status};
use nalgebra::{DMatrix, dmatrix};

use crate::ask::{
    assert_undefined, assert_value, measure, metric, norm, of, of_pair, parameters, top_k, with,
};
use crate::matrices::{gaussian, orthogonal};

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

fn values(name: &str, given: &[(&str, ParameterValue)], matrix: &DMatrix<f64>) -> Vec<Measurement> {
    let facts = Facts::dense(matrix.clone());
    measure(metric(name), &parameters(name, given), &facts, &facts)
}

#[test]
fn spectral_entropy_rank() {
    // Squares 4, 1, 1: shares 2/3, 1/6, 1/6.
    let matrix = dmatrix![2.0, 0.0, 0.0; 0.0, 0.0, 1.0; 0.0, 1.0, 0.0];
    let entropy = -(2.0 / 3.0 * (2.0_f64 / 3.0).ln() + 1.0 / 3.0 * (1.0_f64 / 6.0).ln());
    assert_value(&of("spectral_entropy_rank", &matrix), entropy.exp(), EXACT);
}

#[test]
fn entry_statistics() {
    // Mean 2, deviations -2, -1, 0, 3: moments 14/4, 18/4, 98/4.
    let found = values("entry_statistics", &[], &dmatrix![0.0, 1.0; 2.0, 5.0]);
    let expected = [
        2.0,
        3.5_f64.sqrt(),
        4.5 / 3.5_f64.powf(1.5),
        2.0 - 3.0,
        0.25,
    ];
    for (found, expected) in found.iter().zip(expected) {
        assert_value(found, expected, EXACT);
    }
    // Between order statistics: 0.25 of the way is at 3/4 of the first gap.
    let quantiles: Vec<_> = found[5..].iter().map(|one| one.value.unwrap()).collect();
    assert_eq!(quantiles[0], 0.0);
    assert_eq!(quantiles[3..6], [0.75, 1.5, 2.75]);
    assert_eq!(quantiles[8], 5.0);
}

#[test]
fn entries_that_are_equal_have_no_shape() {
    for value in [0.1, -3e200, 0.0] {
        let found = values("entry_statistics", &[], &DMatrix::from_element(7, 3, value));
        assert_value(&found[0], value, EXACT);
        assert_value(&found[1], 0.0, EXACT);
        for shape in &found[2..4] {
            assert_undefined(shape, Status::AllEqual { what: "entries" });
        }
    }
}

#[test]
fn power_law() {
    // Squares 1, e, e^2: of the whole tail the mean logarithm is 1, and alpha 1 + 1.
    let diagonal = DMatrix::from_diagonal(&dmatrix![1.0; 0.5_f64.exp(); 1.0_f64.exp()].column(0));
    let median = [("fit", ParameterValue::Choice("median"))];
    let found = values("power_law", &median, &diagonal);
    // Of e and e^2: 1 + 2 / 1 = 3, and the distance 1 - 1/e^2 - 1/2.
    let distance = 0.5 - (-2.0_f64).exp();
    let expected = [3.0, 2.0 / 2.0_f64.sqrt(), distance, 2.0, 1.0_f64.exp()];
    for (found, expected) in found.iter().zip(expected) {
        assert_value(found, expected, 1e-13);
    }
    // The whole: distances 0, 1 - 1/e - 1/3, 1 - 1/e^2 - 2/3. It fits better.
    let found = values("power_law", &[], &diagonal);
    let distance = 2.0 / 3.0 - (-1.0_f64).exp();
    let expected = [2.0, 1.0 / 3.0_f64.sqrt(), distance, 3.0, 1.0];
    for (found, expected) in found.iter().zip(expected) {
        assert_value(found, expected, 1e-13);
    }
}

#[test]
fn no_power_law_of_one_value_or_of_equal_ones() {
    for fit in ["ks", "median"] {
        let given = [("fit", ParameterValue::Choice(fit))];
        for measured in values("power_law", &given, &dmatrix![1.0, 2.0, 3.0]) {
            let status = Status::TooFewSingularValues {
                values: 1,
                needed: 2,
            };
            assert_undefined(&measured, status);
        }
        let turned = orthogonal(9, 5) * 3.0;
        for measured in values("power_law", &given, &turned) {
            let what = "singular values of every tail";
            assert_undefined(&measured, Status::AllEqual { what });
        }
    }
    let two = values(
        "power_law",
        &[("fit", ParameterValue::Choice("median"))],
        &dmatrix![1.0, 0.0; 0.0, 2.0],
    );
    let status = Status::TooFewSingularValues {
        values: 2,
        needed: 3,
    };
    assert_undefined(&two[0], status);
}

#[test]
fn copying() {
    // R L is [[0, 1], [-1, 0]], a quarter turn, beside 3: eigenvalues i, -i and 3.
    let small = dmatrix![0.0, 1.0, 0.0; -1.0, 0.0, 0.0; 0.0, 0.0, 3.0];
    let left = DMatrix::identity(5, 3);
    let mut right = DMatrix::zeros(3, 5);
    right.columns_mut(0, 3).copy_from(&small);
    let facts = Facts::product(left.clone().into(), right.into());
    let found = measure(metric("copying"), &Parameters::default(), &facts, &facts);
    assert_value(&found[0], 3.0 / 5.0, 1e-14);
    // Of a nilpotent circuit nothing is left.
    let mut shift = DMatrix::zeros(3, 5);
    shift[(0, 1)] = 1.0;
    let facts = Facts::product(left.into(), shift.into());
    let found = measure(metric("copying"), &Parameters::default(), &facts, &facts);
    assert_undefined(&found[0], Status::ZeroDivisor);
}

#[test]
fn copying_of_rounding_is_undefined() {
    let copying = |left: &DMatrix<f64>, right: &DMatrix<f64>| {
        let facts = Facts::product(left.clone().into(), right.clone().into());
        let found = measure(metric("copying"), &Parameters::default(), &facts, &facts);
        found.into_iter().next().unwrap()
    };
    // R L = [[1, 1], [-1, -1]] has no eigenvalue but zero, twice.
    let left = DMatrix::identity(5, 2);
    let mut right = DMatrix::zeros(2, 5);
    right
        .columns_mut(0, 2)
        .copy_from(&dmatrix![1.0, 1.0; -1.0, -1.0]);
    assert_undefined(&copying(&left, &right), Status::ZeroDivisor);
    // A head that writes at right angles to what it reads, but for rounding.
    let basis = gaussian(12, 6, 3).qr().q();
    let (written, read) = (basis.columns(0, 3) * 1.0, basis.columns(3, 3).transpose());
    let (mix, other) = (gaussian(3, 3, 4), gaussian(3, 3, 5));
    assert_undefined(
        &copying(&(written * mix), &(other * read)),
        Status::ZeroDivisor,
    );
    // Any other has the eigenvalues of the whole matrix.
    let (left, right) = (gaussian(8, 3, 6), gaussian(3, 8, 7));
    let whole = (&left * &right).complex_eigenvalues();
    let (real, moduli) = whole.iter().fold((0.0, 0.0), |(real, moduli), one| {
        (real + one.re, moduli + one.norm())
    });
    assert_value(&copying(&left, &right), real / moduli, 1e-9);
}

#[test]
fn copying_of_the_only_head_is_that_of_its_layer() {
    let copying = |facts: &Facts| {
        let found = measure(metric("copying"), &Parameters::default(), facts, facts);
        found.into_iter().next().unwrap()
    };
    // The head is as wide as the stream: a quarter turn beside 3.
    let turn = dmatrix![0.0, 1.0, 0.0; -1.0, 0.0, 0.0; 0.0, 0.0, 3.0];
    let head = Facts::product(turn.into(), DMatrix::identity(3, 3).into());
    assert_value(&copying(&head), 3.0 / 5.0, 1e-14);
    let layer = Facts::side_by_side(vec![head.into()]);
    assert_value(&copying(&layer), 3.0 / 5.0, 1e-14);
    let thin = Facts::product(dmatrix![1.0; -1.0].into(), dmatrix![2.0, 5.0].into());
    let layer = Facts::side_by_side(vec![thin.into()]);
    assert_value(&copying(&layer), -1.0, 1e-14);
    // Of a full product without an eigenvalue nothing is left.
    let (left, right) = (dmatrix![1.0, 1.0; 1.0, 1.0], dmatrix![1.0, 1.0; -1.0, -1.0]);
    let head = Facts::product(right.into(), left.into());
    assert_undefined(&copying(&head), Status::ZeroDivisor);
}

#[test]
fn copying_is_of_circuits_in_factors_only() {
    let square = Facts::dense(DMatrix::identity(4, 4));
    let wide = Facts::product(
        DMatrix::identity(5, 2).into(),
        DMatrix::identity(2, 6).into(),
    );
    let head = || {
        Facts::product(
            DMatrix::identity(5, 2).into(),
            DMatrix::identity(2, 5).into(),
        )
    };
    let layer = Facts::side_by_side(vec![head().into(), head().into()]);
    for facts in [square, wide, layer] {
        let found = measure(metric("copying"), &Parameters::default(), &facts, &facts);
        assert_undefined(&found[0], Status::NotInFactors);
    }
}

#[test]
fn changes_and_angles() {
    let (before, after) = (dmatrix![0.0, 2.0; 0.0, 0.0], dmatrix![0.0, 2.0; 1.0, 0.0]);
    assert_value(
        &of_pair("relative_change", &[], &after, &before),
        0.5,
        EXACT,
    );
    assert_value(
        &of_pair("cosine", &[], &after, &before),
        2.0 / 5.0_f64.sqrt(),
        EXACT,
    );
    assert_value(
        &of_pair("cosine", &[], &before, &(&before * -3.0)),
        -1.0,
        EXACT,
    );
    let zeros = DMatrix::zeros(2, 2);
    assert_undefined(
        &of_pair("relative_change", &[], &after, &zeros),
        Status::ZeroDivisor,
    );
    assert_undefined(&of_pair("cosine", &[], &after, &zeros), Status::AllZero);
    let status = Status::DifferentShapes {
        step: (2, 2),
        target: (2, 3),
    };
    for name in ["relative_change", "cosine"] {
        let wider = DMatrix::zeros(2, 3);
        assert_undefined(&of_pair(name, &[], &after, &wider), status.clone());
    }
}

#[test]
fn rsa_breaks_no_ties() {
    // Two features correlate by 1 or -1: pairs are alike or not, and rounding must not order them.
    let step = dmatrix![1.0, 2.0; 0.3, 0.7; 5.0, 1.0; 0.2, 0.1];
    let target = dmatrix![3.0, 9.1; 0.1, 0.3; 7.7, 1.9; 0.9, 0.2];
    assert_value(&of_pair("rsa", &[], &step, &target), 1.0, EXACT);
    let alike = dmatrix![1.0, 2.0; 0.3, 0.7; 5.0, 6.0; 0.1, 0.2];
    let status = Status::AllEqual {
        what: "dissimilarities of a side",
    };
    assert_undefined(&of_pair("rsa", &[], &step, &alike), status);
    let constant = dmatrix![1.0, 2.0; 0.3, 0.3; 5.0, 6.0; 0.1, 0.2];
    let status = Status::ConstantSamples { samples: 1 };
    assert_undefined(&of_pair("rsa", &[], &step, &constant), status);
}

#[test]
fn svcca_says_where_few_samples_force_it() {
    let all = [("variance", ParameterValue::Fraction(1.0))];
    let of = |samples| {
        let (step, target) = (gaussian(samples, 6, 1), gaussian(samples, 6, 2));
        of_pair("svcca", &all, &step, &target).status
    };
    // Centred, samples span one dimension less than there are samples.
    for samples in [9, 12] {
        let ranks = 12;
        let status = Status::ForcedCorrelations { samples, ranks };
        assert_eq!(of(samples), Some(status));
    }
    assert_eq!(of(13), None);
}

#[test]
fn rsa_tells_many_pairs_apart_that_differ_little() {
    // A row that all samples share, and noise that makes them differ a little.
    let noisy = |size: f64, seed| {
        let shared = gaussian(1, 20, 9) * 30.0;
        let rows = vec![shared.row(0).into_owned(); 300];
        DMatrix::from_rows(&rows) + gaussian(300, 20, seed) * size
    };
    // Dissimilarities grow with the square of the noise; their order does not change.
    let order = |size| {
        let (step, more) = (noisy(size, 1), gaussian(300, 20, 2) * (0.3 * size));
        let target = &step + more;
        of_pair("rsa", &[], &step, &target).value.unwrap()
    };
    let expected = order(1e-1);
    for size in [1e-2, 1e-3] {
        assert!(
            (order(size) - expected).abs() < 1e-3,
            "{size}: {} {expected}",
            order(size)
        );
    }
}

#[test]
fn rsa_does_not_depend_on_the_size_of_a_sample() {
    let step = gaussian(5, 4, 1);
    let mut small = step.clone();
    small.row_mut(2).scale_mut(1e-170);
    let other = gaussian(5, 4, 2);
    let expected = of_pair("rsa", &[], &step, &other).value.unwrap();
    assert_value(&of_pair("rsa", &[], &small, &other), expected, 1e-12);
}

#[test]
fn cka_by_chance_is_its_mean_over_orders() {
    let (step, target) = (gaussian(4, 3, 3), gaussian(4, 2, 4));
    let mut values = Vec::new();
    for a in 0..4 {
        for b in (0..4).filter(|b| *b != a) {
            for c in (0..4).filter(|c| *c != a && *c != b) {
                let order = [a, b, c, 6 - a - b - c];
                let shuffled = target.select_rows(&order);
                values.push(of_pair("cka", &[], &step, &shuffled).value.unwrap());
            }
        }
    }
    let mean = values.iter().sum::<f64>() / 24.0;
    assert_value(&of_pair("cka_chance", &[], &step, &target), mean, 1e-13);
}
