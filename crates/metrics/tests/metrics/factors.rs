//! A matrix kept in factors or in parts against the same matrix by its entries.

use std::rc::Rc;

use ckptscope_metrics::{Facts, Measurement, Metric, Parameters, Status};
use nalgebra::DMatrix;

use crate::ask::{assert_all_near, measure};
use crate::matrices::{beside, gaussian};
use crate::registry::every_question;

/// Every metric with every choice of parameters, but those that ask how a matrix is kept.
fn every_question_of_entries() -> impl Iterator<Item = (&'static dyn Metric, Parameters)> {
    every_question().filter(|(metric, parameters)| {
        metric.name() != "copying" && parameters.choice("rank") != "possible"
    })
}

const SAMPLES: usize = 40;

/// A matrix in factors or parts, and by its entries.
struct Twin {
    what: &'static str,
    parts: Facts,
    entries: DMatrix<f64>,
}

fn product(left: &Rc<DMatrix<f64>>, right: &DMatrix<f64>) -> (Rc<Facts>, DMatrix<f64>) {
    let facts = Facts::product(Rc::clone(left), Rc::new(right.clone()));
    (Rc::new(facts), &**left * right)
}

fn dense(matrix: DMatrix<f64>) -> (Rc<Facts>, DMatrix<f64>) {
    (Rc::new(Facts::dense(matrix.clone())), matrix)
}

fn side_by_side(what: &'static str, blocks: Vec<(Rc<Facts>, DMatrix<f64>)>) -> Twin {
    let (facts, entries): (Vec<_>, Vec<_>) = blocks.into_iter().unzip();
    Twin {
        what,
        parts: Facts::side_by_side(facts),
        entries: beside(&entries),
    }
}

fn single(what: &'static str, (facts, entries): (Rc<Facts>, DMatrix<f64>)) -> Twin {
    let parts = Rc::into_inner(facts).unwrap();
    Twin {
        what,
        parts,
        entries,
    }
}

/// Left factors of `SAMPLES` rows and `width` columns with means that are not zero.
fn left(width: usize, seed: u64) -> Rc<DMatrix<f64>> {
    Rc::new(gaussian(SAMPLES, width, seed).add_scalar(0.4))
}

fn twins() -> Vec<Twin> {
    let (a, b) = (left(3, 1), left(3, 2));
    let right = |columns: usize, seed: u64| gaussian(3, columns, seed);
    vec![
        single("thin factors", product(&a, &right(9, 3))),
        single("factors as wide as the product", product(&a, &right(3, 4))),
        single(
            "factors wider than the product",
            product(&left(50, 5), &gaussian(50, 4, 6)),
        ),
        single("a product wider than high", product(&a, &right(60, 7))),
        single("many panels", product(&a, &right(300, 8))),
        side_by_side("one product", vec![product(&a, &right(9, 9))]),
        side_by_side(
            "left factors shared by two",
            vec![
                product(&a, &right(9, 10)),
                product(&a, &right(9, 11)),
                product(&b, &right(9, 12)),
                product(&b, &right(9, 13)),
            ],
        ),
        side_by_side(
            "a left factor shared by blocks that are apart",
            vec![
                product(&a, &right(9, 14)),
                product(&b, &right(8, 15)),
                product(&a, &right(7, 16)),
            ],
        ),
        side_by_side(
            "right factors shared",
            vec![product(&a, &right(9, 17)), product(&b, &right(9, 17))],
        ),
        side_by_side(
            "blocks by their entries",
            vec![
                dense(gaussian(SAMPLES, 3, 18)),
                dense(gaussian(SAMPLES, 4, 19)),
            ],
        ),
        side_by_side(
            "blocks of every form",
            vec![
                dense(gaussian(SAMPLES, 2, 20)),
                product(&a, &right(9, 21)),
                dense(DMatrix::zeros(SAMPLES, 2)),
            ],
        ),
        side_by_side(
            "factors of very different size",
            vec![
                product(&Rc::new(&*a * 1e40), &(right(9, 22) * 1e-40)),
                product(&b, &right(9, 23)),
            ],
        ),
        nested(&a, &b),
    ]
}

fn nested(a: &Rc<DMatrix<f64>>, b: &Rc<DMatrix<f64>>) -> Twin {
    let inner = side_by_side(
        "",
        vec![
            product(a, &gaussian(3, 5, 24)),
            product(a, &gaussian(3, 6, 25)),
        ],
    );
    side_by_side(
        "side by side within side by side",
        vec![
            (Rc::new(inner.parts), inner.entries),
            product(b, &gaussian(3, 7, 26)),
        ],
    )
}

#[test]
fn every_metric_of_factors_is_that_of_the_entries() {
    let target = Facts::dense(gaussian(SAMPLES, 5, 30));
    for twin in twins() {
        let entries = Facts::dense(twin.entries);
        for (metric, parameters) in every_question_of_entries() {
            let found = measure(metric, &parameters, &twin.parts, &target);
            let expected = measure(metric, &parameters, &entries, &target);
            let context = format!("{} {parameters:?} of {}", metric.name(), twin.what);
            assert_same(&found, &expected, &context);
        }
    }
}

#[test]
fn comparisons_of_factors_with_factors() {
    let (steps, targets) = (twins(), twins());
    for (step, target) in steps.iter().zip(targets.iter().rev()) {
        let entries = |twin: &Twin| Facts::dense(twin.entries.clone());
        for (metric, parameters) in every_question_of_entries() {
            let found = measure(metric, &parameters, &step.parts, &target.parts);
            let expected = measure(metric, &parameters, &entries(step), &entries(target));
            let context = format!("{} of {} and {}", metric.name(), step.what, target.what);
            assert_same(&found, &expected, &context);
        }
    }
}

/// That numbers and reasons are the same, numbers to 1e-10 unless the reason says that they are
/// good to less.
#[track_caller]
fn assert_same(found: &[Measurement], expected: &[Measurement], context: &str) {
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.status, expected.status, "{context}");
        let relative = match found.status {
            Some(Status::DegenerateCorrelations { .. }) => 1e-2,
            _ => 1e-10,
        };
        let is_near = match (found.value, expected.value) {
            (Some(found), Some(expected)) => (found - expected).abs() <= relative * expected.abs(),
            (found, expected) => found == expected,
        };
        assert!(is_near, "{context}: {found:?} for {expected:?}");
    }
}

#[test]
fn singular_values_of_factors_are_those_of_the_entries() {
    for Twin {
        what,
        parts,
        entries,
    } in twins()
    {
        let expected = Facts::dense(entries.clone());
        let found = parts.singular_values().unwrap();
        let found: Vec<f64> = found.iter().map(|x| parts.unscaled(*x).unwrap()).collect();
        assert_all_near(&found, expected.singular_values().unwrap(), 1e-12);
        assert!(found.is_sorted_by(|a, b| a >= b), "{what}");
        // And both are those that another library finds.
        let mut other: Vec<f64> = entries.singular_values().iter().copied().collect();
        other.sort_by(|a, b| b.total_cmp(a));
        assert_all_near(&found, &other, 1e-12);
    }
}

#[test]
fn what_factors_leave_no_room_for_is_exactly_zero() {
    let (facts, _) = product(&left(3, 31), &gaussian(3, 9, 32));
    let values = facts.singular_values().unwrap();
    assert_eq!(values.len(), 9);
    assert_eq!(values[3..], [0.0; 6]);
}

#[test]
fn entries_and_magnitudes_are_those_of_the_entries() {
    for Twin { parts, entries, .. } in twins() {
        let found = parts.entries().map(|entry| parts.unscaled(entry).unwrap());
        assert_all_near(found.as_slice(), entries.as_slice(), 1e-14);
        let mut expected: Vec<f64> = entries.iter().map(|entry| entry.abs()).collect();
        expected.sort_by(f64::total_cmp);
        let magnitudes = parts.sorted_magnitudes().unwrap();
        let magnitudes: Vec<f64> = magnitudes
            .each()
            .into_iter()
            .map(|x| parts.unscaled(x).unwrap())
            .collect();
        assert_all_near(&magnitudes, &expected, 1e-14);
    }
}

#[test]
fn the_compact_form_has_the_same_similarities_between_samples() {
    for Twin {
        what,
        parts,
        entries,
    } in twins()
    {
        let compact = parts.compact().map(|entry| parts.unscaled(entry).unwrap());
        assert_eq!(compact.nrows(), entries.nrows(), "{what}");
        assert!(compact.ncols() <= entries.ncols(), "{what}");
        let (found, expected) = (
            &compact * compact.transpose(),
            &entries * entries.transpose(),
        );
        assert_all_near(found.as_slice(), expected.as_slice(), 1e-13);
    }
}

#[test]
fn factors_with_entries_that_are_not_finite_count_those_of_the_product() {
    let mut factor = (*left(3, 33)).clone();
    factor[(5, 1)] = f64::NAN;
    let facts = Facts::product(Rc::new(factor), Rc::new(gaussian(3, 9, 34)));
    assert_eq!(
        facts.singular_values().unwrap_err().to_string(),
        "not finite: 9 entries"
    );
    let layer = Facts::side_by_side(vec![Rc::new(facts), dense(gaussian(SAMPLES, 2, 35)).0]);
    assert_eq!(
        layer.magnitude_sums().unwrap_err().to_string(),
        "not finite: 9 entries"
    );
}
