//! Metrics that hold a matrix against its largest rank: by its shape, or by its factors.

use std::rc::Rc;

use ckptscope_metrics::{Facts, LargestRank, Measurement, ParameterValue, Status};
use nalgebra::DMatrix;

use crate::ask::{assert_near, assert_undefined, assert_value, measure, metric, parameters};
use crate::matrices::gaussian;

fn asked(name: &str, rank: &'static str, facts: &Facts) -> Measurement {
    let given = parameters(name, &[("rank", ParameterValue::Choice(rank))]);
    measure(metric(name), &given, facts, facts).remove(0)
}

/// A head of width 3 in a model of width 8, and heads of that kind side by side.
fn head(seed: u64) -> Rc<Facts> {
    let factors = (gaussian(8, 3, seed), gaussian(3, 8, seed + 1));
    Rc::new(Facts::product(Rc::new(factors.0), Rc::new(factors.1)))
}

#[test]
fn thin_factors_have_the_width_as_possible_rank() {
    let head = head(1);
    let values = head.singular_values().unwrap().to_vec();
    let condition = asked("condition_number", "possible", &head);
    assert_value(&condition, values[0] / values[2], 1e-14);
    let by_shape = asked("condition_number", "shape", &head);
    assert_undefined(&by_shape, Status::RankDeficient { rank: 3, of: 8 });
    let [possible, shape] =
        ["possible", "shape"].map(|rank| asked("per", rank, &head).value.unwrap());
    assert_near(possible, shape * 8.0 / 3.0, 1e-14);
}

#[test]
fn widths_of_heads_add_up_to_that_of_the_layer() {
    let heads = |count: u64| Facts::side_by_side((0..count).map(|seed| head(10 * seed)).collect());
    assert_eq!(heads(2).possible_rank(), 6);
    assert_eq!(heads(3).possible_rank(), 8);
    let left = Rc::new(gaussian(8, 3, 5));
    let of_left = |seed| {
        Rc::new(Facts::product(
            Rc::clone(&left),
            Rc::new(gaussian(3, 9, seed)),
        ))
    };
    let shared = Facts::side_by_side(vec![of_left(6), of_left(7)]);
    assert_eq!(shared.possible_rank(), 3);
    let condition = asked("condition_number", "possible", &shared);
    assert!(condition.value.unwrap() > 1.0);
}

#[test]
fn of_a_matrix_by_its_entries_both_agree() {
    let wide = gaussian(4, 9, 2);
    let factors_too_wide = Facts::product(Rc::new(gaussian(4, 6, 3)), Rc::new(gaussian(6, 5, 4)));
    for facts in [Facts::dense(wide), factors_too_wide] {
        assert_eq!(facts.possible_rank(), 4);
        for name in ["per", "condition_number"] {
            let [auto, shape, possible] =
                ["auto", "shape", "possible"].map(|rank| asked(name, rank, &facts));
            assert!(shape.value.is_some());
            assert_eq!((&auto, &possible), (&shape, &shape));
        }
    }
}

#[test]
fn what_factors_make_possible_may_be_lacking_all_the_same() {
    let mut right = gaussian(3, 8, 6);
    let copy = right.row(0) * 2.0;
    right.set_row(2, &copy);
    let facts = Facts::product(Rc::new(gaussian(8, 3, 7)), Rc::new(right));
    let status = Status::RankDeficient { rank: 2, of: 3 };
    assert_undefined(&asked("condition_number", "possible", &facts), status);
    let zeros = Facts::product(Rc::new(DMatrix::zeros(8, 3)), Rc::new(DMatrix::zeros(3, 8)));
    for name in ["per", "condition_number"] {
        assert_undefined(&asked(name, "possible", &zeros), Status::AllZero);
    }
}

#[test]
fn who_builds_a_matrix_says_what_auto_means() {
    for name in ["per", "condition_number"] {
        let head = head(8);
        assert_eq!(asked(name, "auto", &head), asked(name, "shape", &head));
        head.set_usual_rank(LargestRank::Possible);
        head.set_usual_rank(LargestRank::Shape);
        assert_eq!(asked(name, "auto", &head), asked(name, "possible", &head));
        assert_ne!(asked(name, "auto", &head), asked(name, "shape", &head));
    }
}
