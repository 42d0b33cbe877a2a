//! What must hold whatever the matrix.

use ckptscope_metrics::ParameterValue;
use nalgebra::DMatrix;
use proptest::prelude::*;

use crate::ask::{assert_near, assert_value, norm, of, of_pair, top_k};
use crate::matrices::{any_matrix, beside, gaussian, orthogonal, well_conditioned};

const NORMS: [&str; 4] = ["frobenius", "nuclear", "inf", "spectral"];

/// Ranks that are no whole numbers.
const SOFT_RANKS: [&str; 2] = ["stable_rank", "participation_ratio"];

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
