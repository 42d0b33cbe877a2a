//! What must hold whatever the matrix.

use ckptscope_metrics::{Facts, Measurement, ParameterValue, Parameters};
use nalgebra::DMatrix;
use proptest::prelude::*;

use crate::ask::{
    assert_near, assert_value, measure, metric, norm, of, of_pair, parameters, top_k,
};
use crate::matrices::{any_matrix, beside, gaussian, orthogonal, well_conditioned};

const NORMS: [&str; 4] = ["frobenius", "nuclear", "inf", "spectral"];

/// Ranks that are no whole numbers.
const SOFT_RANKS: [&str; 3] = [
    "stable_rank",
    "participation_ratio",
    "spectral_entropy_rank",
];

fn reference() -> [(&'static str, ParameterValue); 1] {
    [("variant", ParameterValue::Choice("reference"))]
}

fn paper() -> [(&'static str, ParameterValue); 1] {
    [("variant", ParameterValue::Choice("paper"))]
}

proptest! {
    #[test]
    fn norms_do_not_feel_orthogonal_maps(matrix in any_matrix(12), seed: u64) {
        let left = orthogonal(matrix.nrows(), seed);
        let right = orthogonal(matrix.ncols(), !seed);
        let turned = left * &matrix * right;
        for norm_type in ["frobenius", "nuclear", "spectral"] {
            assert_near(norm(norm_type, &turned), norm(norm_type, &matrix), 1e-12);
        }
    }

    #[test]
    fn norms_do_not_feel_a_transposition(matrix in any_matrix(12)) {
        for norm_type in NORMS {
            assert_near(norm(norm_type, &matrix.transpose()), norm(norm_type, &matrix), 1e-12);
        }
    }

    #[test]
    fn norms_are_ordered(matrix in any_matrix(12)) {
        let [frobenius, nuclear, largest, spectral] = NORMS.map(|norm_type| norm(norm_type, &matrix));
        prop_assert!(largest <= spectral * (1.0 + 1e-12));
        prop_assert!(spectral <= frobenius * (1.0 + 1e-12));
        prop_assert!(frobenius <= nuclear * (1.0 + 1e-12));
    }

    #[test]
    fn sparseness_does_not_feel_signs_order_or_scale(matrix in any_matrix(12), factor in 0.1..9.0_f64) {
        let mut entries: Vec<f64> = matrix.iter().map(|entry| -factor * entry).collect();
        entries.reverse();
        let other = DMatrix::from_vec(matrix.ncols(), matrix.nrows(), entries);
        for name in ["gini", "hoyer"] {
            let (found, expected) = (of(name, &other), of(name, &matrix));
            prop_assert_eq!(&found.status, &expected.status);
            if let (Some(found), Some(expected)) = (found.value, expected.value) {
                prop_assert!((found - expected).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn gini_of_a_list_twice_is_gini_of_the_list(matrix in any_matrix(12)) {
        let twice = beside(&[matrix.clone(), matrix.clone()]);
        let (found, expected) = (of("gini", &twice).value.unwrap(), of("gini", &matrix).value.unwrap());
        prop_assert!((found - expected).abs() < 1e-12);
    }

    #[test]
    fn spectra_do_not_feel_orthogonal_maps_or_scale(side in 2..12_usize, seed: u64, factor in 0.1..9.0_f64) {
        let matrix = well_conditioned(side, seed);
        let turned = orthogonal(side, !seed) * &matrix * factor;
        for name in ["per", "condition_number"].into_iter().chain(SOFT_RANKS) {
            assert_value(&of(name, &turned), of(name, &matrix).value.unwrap(), 1e-11);
        }
    }

    #[test]
    fn soft_ranks_lie_between_one_and_the_rank_and_do_not_feel_a_transposition(matrix in any_matrix(12)) {
        #[allow(clippy::cast_precision_loss)] // small sizes
        let rank = matrix.nrows().min(matrix.ncols()) as f64;
        for name in SOFT_RANKS {
            let found = of(name, &matrix);
            prop_assert_eq!(&of(name, &matrix.transpose()).status, &found.status);
            if let Some(value) = found.value {
                prop_assert!((1.0 - 1e-12..=rank * (1.0 + 1e-12)).contains(&value), "{name} {value}");
                assert_value(&of(name, &matrix.transpose()), value, 1e-10);
            }
        }
    }

    #[test]
    fn an_orthogonal_matrix_uses_all_its_dimensions_evenly(side in 1..12_usize, seed: u64) {
        assert_value(&of("per", &orthogonal(side, seed)), 1.0, 1e-12);
        assert_value(&of("condition_number", &orthogonal(side, seed)), 1.0, 1e-12);
        #[allow(clippy::cast_precision_loss)] // small sizes
        for name in SOFT_RANKS {
            assert_value(&of(name, &orthogonal(side, seed)), side as f64, 1e-12);
        }
    }

    #[test]
    fn one_hot(rows in 1..9_usize, columns in 2..9_usize, at: prop::sample::Index, value in 0.1..9.0_f64) {
        let mut matrix = DMatrix::zeros(rows, columns);
        let entries = rows * columns;
        matrix[at.index(entries)] = -value;
        #[allow(clippy::cast_precision_loss)] // small sizes
        let (share, rank_share) = (1.0 / entries as f64, 1.0 / rows.min(columns) as f64);
        assert_value(&of("gini", &matrix), 1.0 - share, 1e-14);
        assert_value(&of("hoyer", &matrix), 1.0, 1e-14);
        assert_value(&of("per", &matrix), rank_share, 1e-14);
    }

    #[test]
    fn values_are_in_their_ranges(matrix in any_matrix(12)) {
        for name in ["gini", "hoyer", "per"] {
            if let Some(value) = of(name, &matrix).value {
                prop_assert!((-1e-12..=1.0 + 1e-12).contains(&value), "{name} {value}");
            }
        }
        if let Some(value) = of("condition_number", &matrix).value {
            prop_assert!(value >= 1.0);
        }
    }

    #[test]
    fn the_k_largest_bound_the_rest(matrix in any_matrix(9), at: prop::sample::Index, absolute: bool) {
        let k = at.index(matrix.len()) + 1;
        let mut entries: Vec<f64> =
            matrix.iter().map(|entry| if absolute { entry.abs() } else { *entry }).collect();
        entries.sort_by(|a, b| b.total_cmp(a));
        let [mean, largest, ratio] = top_k(i64::try_from(k).unwrap(), absolute, &matrix).try_into().unwrap();
        #[allow(clippy::cast_precision_loss)] // small sizes
        let expected = entries[..k].iter().sum::<f64>() / k as f64;
        assert!((mean.value.unwrap() - expected).abs() < 1e-12);
        assert_eq!(largest.value, Some(entries[0]));
        assert_eq!(ratio.value, (entries[k - 1] != 0.0).then(|| entries[0] / entries[k - 1]));
    }

    #[test]
    fn cka_of_a_side_with_itself_turned_scaled_and_shifted_is_one(
        samples in 2..20_usize, features in 1..20_usize, seed: u64, factor in 0.1..9.0_f64,
    ) {
        let step = gaussian(samples, features, seed);
        let target = (&step * orthogonal(features, !seed) * -factor).add_scalar(3.0);
        assert_value(&of_pair("cka", &[], &step, &step), 1.0, 1e-12);
        assert_value(&of_pair("cka", &[], &step, &target), 1.0, 1e-11);
    }

    #[test]
    fn cka_does_not_feel_orthogonal_maps_scale_shifts_or_the_order_of_the_sides(
        samples in 4..20_usize, p in 1..20_usize, q in 1..20_usize, seed: u64, debiased: bool,
    ) {
        let given = [("debiased", ParameterValue::Boolean(debiased))];
        let (step, target) = (gaussian(samples, p, seed), gaussian(samples, q, !seed));
        let found = of_pair("cka", &given, &step, &target);
        let turned = (&step * orthogonal(p, seed ^ 1) * 2.5).add_scalar(-1.0);
        for other in [of_pair("cka", &given, &turned, &target), of_pair("cka", &given, &target, &step)] {
            prop_assert_eq!(&other.status, &found.status);
            if let (Some(other), Some(found)) = (other.value, found.value) {
                // Debiased, a side with few samples divides small differences by small ones.
                prop_assert!((other - found).abs() <= 1e-9 * found.abs().max(1.0));
            }
        }
    }

    #[test]
    fn cka_is_a_share(samples in 2..20_usize, p in 1..20_usize, q in 1..20_usize, seed: u64) {
        let found = of_pair("cka", &[], &gaussian(samples, p, seed), &gaussian(samples, q, !seed));
        let value = found.value.unwrap();
        prop_assert!((0.0..=1.0 + 1e-12).contains(&value));
    }

    #[test]
    fn similarities_do_not_feel_turns_scale_or_shifts(
        samples in 8..20_usize, p in 2..6_usize, q in 2..6_usize, seed: u64,
    ) {
        let (step, target) = (gaussian(samples, p, seed), gaussian(samples, q, !seed));
        let turned = (&step * orthogonal(p, seed ^ 1) * 2.5).add_scalar(-1.0);
        for name in ["svcca", "procrustes", "cka_chance"] {
            let found = of_pair(name, &[], &step, &target).value.unwrap();
            for other in [of_pair(name, &[], &turned, &target), of_pair(name, &[], &target, &step)] {
                prop_assert!((other.value.unwrap() - found).abs() < 1e-9, "{name}");
            }
        }
        let alike = of_pair("procrustes", &[], &turned, &step).value.unwrap();
        prop_assert!((0.0..1e-7).contains(&alike), "{alike}");
        prop_assert!((of_pair("svcca", &[], &turned, &step).value.unwrap() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn procrustes_obeys_the_triangle_inequality(samples in 5..15_usize, p in 1..6_usize, seed: u64) {
        let [x, y, z] = [0, 1, 2].map(|of| gaussian(samples, p, seed ^ of));
        for with_size in [false, true] {
            let given = [("with_size", ParameterValue::Boolean(with_size))];
            let distance = |a, b| of_pair("procrustes", &given, a, b).value.unwrap();
            prop_assert!(distance(&x, &z) <= distance(&x, &y) + distance(&y, &z) + 1e-7);
        }
    }

    #[test]
    fn rsa_does_not_feel_turns_that_keep_the_mean_scale_or_the_order_of_the_sides(
        samples in 4..15_usize, p in 3..8_usize, seed: u64,
    ) {
        let (step, target) = (gaussian(samples, p, seed), gaussian(samples, p, !seed));
        let mut order: Vec<usize> = (0..p).rev().collect();
        order.swap(0, 1);
        let other_features = step.select_columns(&order) * 3.0;
        for correlation in ["spearman", "pearson"] {
            let given = [("correlation", ParameterValue::Choice(correlation))];
            let found = of_pair("rsa", &given, &step, &target).value.unwrap();
            prop_assert!((-1.0..=1.0).contains(&found));
            let others = [(&other_features, &target), (&target, &step)];
            for (x, y) in others {
                assert_near(of_pair("rsa", &given, x, y).value.unwrap() + 2.0, found + 2.0, 1e-11);
            }
        }
    }

    #[test]
    fn entries_that_are_shifted_and_scaled_keep_their_shape(
        matrix in any_matrix(12), shift in -1e3..1e3_f64, factor in 0.1..9.0_f64,
    ) {
        let ask = |matrix: &DMatrix<f64>| {
            let facts = Facts::dense(matrix.clone());
            measure(metric("entry_statistics"), &Parameters::default(), &facts, &facts)
        };
        let (found, moved) = (ask(&matrix), ask(&(&matrix * factor).add_scalar(shift)));
        let number = |list: &[Measurement], output: usize| list[output].value;
        for output in [2, 3] {
            if let (Some(found), Some(moved)) = (number(&found, output), number(&moved, output)) {
                prop_assert!((found - moved).abs() < 1e-6 * found.abs().max(1.0), "{output}: {found} {moved}");
            }
        }
        let mean = number(&found, 0).unwrap() * factor + shift;
        prop_assert!((number(&moved, 0).unwrap() - mean).abs() < 1e-10 * (1.0 + mean.abs()));
        prop_assert_eq!(ask(&matrix.transpose()), found);
    }

    #[test]
    fn a_power_law_does_not_feel_orthogonal_maps_transposition_or_scale(side in 3..12_usize, seed: u64, factor in 0.1..9.0_f64) {
        let matrix = well_conditioned(side, seed);
        let alpha = |matrix: &DMatrix<f64>| {
            let given = parameters("power_law", &[("fit", ParameterValue::Choice("median"))]);
            let facts = Facts::dense(matrix.clone());
            measure(metric("power_law"), &given, &facts, &facts)[0].value
        };
        let found = alpha(&matrix).unwrap();
        for other in [matrix.transpose() * factor, orthogonal(side, !seed) * &matrix] {
            assert_near(alpha(&other).unwrap(), found, 1e-9);
        }
    }

    #[test]
    fn a_difference_of_products_loses_no_digits(width in 1..4_usize, seed: u64) {
        let (left, right) = (gaussian(9, width, seed), gaussian(width, 8, !seed));
        let moved = |matrix: &DMatrix<f64>, seed| matrix + gaussian(matrix.nrows(), matrix.ncols(), seed) * 1e-9;
        let (other_left, other_right) = (moved(&left, 1), moved(&right, 2));
        let product = |left: &DMatrix<f64>, right: &DMatrix<f64>| {
            Facts::product(left.clone().into(), right.clone().into())
        };
        let ask = |name: &str, step: &Facts, target: &Facts| {
            measure(metric(name), &Parameters::default(), step, target)[0].value.unwrap()
        };
        let found = ask("relative_change", &product(&other_left, &other_right), &product(&left, &right));
        let difference = (&other_left - &left) * &other_right + &left * (&other_right - &right);
        assert_near(found, difference.norm() / (&left * &right).norm(), 1e-12);
    }

    #[test]
    fn pwcca_of_a_side_with_itself_is_one(features in 1..30_usize, seed: u64) {
        let step = gaussian(3 * features + 2, features, seed).add_scalar(0.5);
        for given in [reference(), paper()] {
            let found = of_pair("pwcca", &given, &step, &step.clone());
            assert_near(found.value.unwrap(), 1.0, 1e-9);
        }
    }

    #[test]
    fn pwcca_of_the_paper_does_not_feel_linear_maps_of_the_other_side(
        p in 1..8_usize, wider in 0..6_usize, seed: u64,
    ) {
        let q = p + wider;
        let (step, target) = (gaussian(60, p, seed), gaussian(60, q, !seed));
        let found = of_pair("pwcca", &paper(), &step, &target).value.unwrap();
        let mapped = (&target * well_conditioned(q, seed ^ 1)).add_scalar(2.0);
        assert_value(&of_pair("pwcca", &paper(), &step, &mapped), found, 1e-9);
        // With its roles changed the narrower side still gives the weights.
        if wider > 0 {
            assert_value(&of_pair("pwcca", &paper(), &mapped, &step), found, 1e-9);
        }
    }

    #[test]
    fn pwcca_does_not_feel_turns_and_scale_of_the_weighing_side_with_one_column(seed: u64, factor in 0.1..9.0_f64) {
        // One correlation, whatever its weight.
        let (step, target) = (gaussian(25, 1, seed), gaussian(25, 1, !seed));
        let centred = |x: &DMatrix<f64>| x.add_scalar(-x.mean());
        let (x, y) = (centred(&step), centred(&target));
        let correlation = x.dot(&y).abs() / (x.norm() * y.norm());
        for given in [reference(), paper()] {
            assert_near(of_pair("pwcca", &given, &(&step * -factor), &target).value.unwrap(), correlation, 1e-9);
        }
    }
}
