//! Entries at the ends of float64's range.

use std::rc::Rc;

use ckptscope_metrics::{Facts, Needs, ParameterValue, Status};
use nalgebra::DMatrix;

use crate::ask::{assert_near, assert_undefined, assert_value, norm, of, of_pair, top_k, with};
use crate::matrices::{gaussian, with_singular_values};

const SCALES: [f64; 6] = [1e-290, 1e-200, 1e-30, 1e30, 1e200, 1e290];

#[test]
fn ratios_do_not_feel_the_scale() {
    let matrix = with_singular_values(9, 6, 1, |share| 1.0 + share);
    for name in [
        "gini",
        "hoyer",
        "per",
        "condition_number",
        "stable_rank",
        "participation_ratio",
    ] {
        let expected = of(name, &matrix).value.unwrap();
        for scale in SCALES {
            assert_value(&of(name, &(&matrix * scale)), expected, 1e-12);
        }
    }
}

#[test]
fn norms_have_the_scale() {
    let matrix = gaussian(9, 6, 2);
    for norm_type in ["frobenius", "nuclear", "inf", "spectral"] {
        let expected = norm(norm_type, &matrix);
        for scale in SCALES {
            assert_near(norm(norm_type, &(&matrix * scale)), expected * scale, 1e-12);
        }
    }
}

#[test]
fn the_largest_values_have_the_scale() {
    let matrix = gaussian(9, 6, 3);
    for absolute in [true, false] {
        let expected = top_k(3, absolute, &matrix);
        for scale in SCALES {
            let found = top_k(3, absolute, &(&matrix * scale));
            for (found, (expected, factor)) in
                found.iter().zip(expected.iter().zip([scale, scale, 1.0]))
            {
                assert_value(found, expected.value.unwrap() * factor, 1e-12);
            }
        }
    }
}

#[test]
fn quantiles_have_the_scale() {
    let matrix = gaussian(9, 6, 3);
    for q in [0.0, 0.3, 0.5, 1.0] {
        let given = [("q", ParameterValue::Fraction(q))];
        let expected = with("quantile", &given, &matrix).value.unwrap();
        for scale in SCALES {
            let found = with("quantile", &given, &(&matrix * scale));
            assert_value(&found, expected * scale, 1e-12);
        }
    }
}

#[test]
fn comparisons_do_not_feel_either_sides_scale() {
    let (step, target) = (gaussian(40, 4, 4), gaussian(40, 4, 5));
    let debiased = ("debiased", ParameterValue::Boolean(true));
    let paper = ("variant", ParameterValue::Choice("paper"));
    for (name, given) in [
        ("cka", vec![]),
        ("cka", vec![debiased]),
        ("pwcca", vec![]),
        ("pwcca", vec![paper]),
    ] {
        let expected = of_pair(name, &given, &step, &target).value.unwrap();
        for scale in SCALES {
            let found = of_pair(name, &given, &(&step * scale), &target);
            assert_value(&found, expected, 1e-9);
            let found = of_pair(name, &given, &step, &(&target * scale));
            assert_value(&found, expected, 1e-9);
        }
    }
}

#[test]
fn a_norm_beyond_the_range_is_no_number() {
    let matrix = DMatrix::from_element(4, 4, f64::MAX);
    for norm_type in ["frobenius", "nuclear"] {
        let given = [("norm_type", ParameterValue::Choice(norm_type))];
        assert_undefined(&with("norm", &given, &matrix), Status::Overflow);
    }
    assert_eq!(norm("inf", &matrix), f64::MAX);
}

#[test]
fn the_smallest_numbers_there_are() {
    let matrix = DMatrix::from_element(2, 2, 5e-324);
    assert_eq!(norm("inf", &matrix), 5e-324);
    assert_eq!(norm("frobenius", &matrix), 1e-323);
    assert_value(&of("hoyer", &matrix), 0.0, 1e-14);
}

#[test]
fn factors_may_leave_the_range_in_between() {
    // 1e200 * 1e200 * 1e-300: neither product of two is a float64 the metrics could square.
    let (left, right) = (gaussian(9, 2, 6), gaussian(2, 8, 7));
    let dense = &left * &right;
    for (a, b) in [(1e200, 1e-200), (1e-150, 1e-150), (1e300, 1e-10)] {
        let factored = Facts::product(Rc::new(&left * a), Rc::new(&right * b));
        let nuclear: f64 = factored.singular_values().unwrap().iter().sum();
        assert_near(
            factored.unscaled(nuclear).unwrap(),
            norm("nuclear", &dense) * a * b,
            1e-12,
        );
    }
}

#[test]
fn ratios_of_a_product_exist_where_its_entries_leave_the_range() {
    let (left, right) = (gaussian(9, 2, 8), gaussian(2, 8, 9));
    let expected = Facts::dense(&left * &right);
    for scale in [1e-200, 1e200] {
        let product = || {
            Rc::new(Facts::product(
                Rc::new(&left * scale),
                Rc::new(&right * scale),
            ))
        };
        for facts in [product(), Rc::new(Facts::side_by_side(vec![product()]))] {
            assert_eq!(facts.unscaled(1.0), Err(Status::Overflow));
            let share = |facts: &Facts| {
                let statistics = facts.magnitude_sums().unwrap();
                statistics.sum / statistics.largest
            };
            assert_near(share(&facts), share(&expected), 1e-12);
        }
    }
}

#[test]
fn blocks_of_zeros_do_not_hide_small_ones() {
    for scale in SCALES {
        let small = gaussian(6, 3, 10) * scale;
        let blocks = vec![
            Rc::new(Facts::dense(DMatrix::zeros(6, 2))),
            Rc::new(Facts::dense(small.clone())),
            Rc::new(Facts::dense(DMatrix::zeros(6, 1))),
        ];
        let facts = Facts::side_by_side(blocks);
        let frobenius = facts.magnitude_sums().unwrap().sum_of_squares.sqrt();
        assert_near(
            facts.unscaled(frobenius).unwrap(),
            norm("frobenius", &small),
            1e-12,
        );
    }
}

#[test]
fn blocks_of_different_scales_keep_to_the_largest() {
    let (large, small) = (gaussian(6, 3, 11) * 1e200, gaussian(6, 3, 12) * 1e150);
    let blocks = vec![
        Rc::new(Facts::dense(small)),
        Rc::new(Facts::dense(large.clone())),
    ];
    let facts = Facts::side_by_side(blocks);
    facts.prepare(Needs {
        sorted_magnitudes: true,
        ..Needs::default()
    });
    let largest = facts.sorted_magnitudes().unwrap().last().unwrap();
    assert_eq!(facts.unscaled(largest), Ok(norm("inf", &large)));
    let values = facts.singular_values().unwrap();
    assert_eq!(values.len(), 6);
    let nuclear = facts.unscaled(values.iter().sum()).unwrap();
    assert_near(nuclear, norm("nuclear", &large), 1e-12);
}
