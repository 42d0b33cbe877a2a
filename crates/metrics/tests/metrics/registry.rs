//! Every metric of the registry on every difficult matrix.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::rc::Rc;

use ckptscope_metrics::{
    Facts, METRICS, Measurement, Metric, Parameter, ParameterKind, ParameterValue, Parameters,
};
use nalgebra::{DMatrix, dmatrix};

use crate::ask::measure;
use crate::matrices::{beside, gaussian};

/// Every metric with every choice of parameters.
pub(crate) fn every_question() -> impl Iterator<Item = (&'static dyn Metric, Parameters)> {
    METRICS.iter().flat_map(|metric| {
        let choices = choices(metric.parameters());
        choices.into_iter().map(|parameters| (*metric, parameters))
    })
}

/// Every choice of parameters: all words, both answers, and of numbers the default and the ends
/// that belong to the range.
fn choices(declared: &[Parameter]) -> Vec<Parameters> {
    let mut all = vec![Parameters::defaults(declared)];
    for parameter in declared {
        let values = match parameter.kind {
            ParameterKind::Choice(words) => {
                words.iter().copied().map(ParameterValue::Choice).collect()
            }
            ParameterKind::Boolean => vec![false, true]
                .into_iter()
                .map(ParameterValue::Boolean)
                .collect(),
            ParameterKind::Integer { min, max } => {
                vec![
                    ParameterValue::Integer(min),
                    parameter.default,
                    ParameterValue::Integer(max),
                ]
            }
            ParameterKind::Fraction { min, max } => [min, max]
                .into_iter()
                .filter_map(|end| match end {
                    Bound::Included(end) => Some(ParameterValue::Fraction(end)),
                    Bound::Excluded(_) | Bound::Unbounded => None,
                })
                .chain([parameter.default])
                .collect(),
        };
        all = all
            .iter()
            .flat_map(|chosen| {
                values
                    .iter()
                    .map(|value| chosen.clone().with(parameter.name, *value))
            })
            .collect();
    }
    all
}

/// Matrices that have no entries, that are extreme, or that are of deficient rank.
pub(crate) fn difficult() -> Vec<(&'static str, DMatrix<f64>)> {
    let filled = DMatrix::from_element;
    let mut list = vec![
        ("no rows or columns", DMatrix::zeros(0, 0)),
        ("no rows", DMatrix::zeros(0, 3)),
        ("no columns", DMatrix::zeros(6, 0)),
        ("one zero", dmatrix![0.0]),
        ("one entry", dmatrix![-2.5]),
        ("zeros", DMatrix::zeros(6, 4)),
        ("a row", gaussian(1, 5, 1)),
        ("a column", gaussian(6, 1, 2)),
        ("a long row", gaussian(1, 300, 3)),
        ("constant", filled(6, 3, 0.1)),
        (
            "constant columns",
            DMatrix::from_fn(6, 3, |_, j| [1e9, 0.3, -1.0][j]),
        ),
        ("rank one", gaussian(6, 1, 4) * gaussian(1, 4, 5)),
        ("rank two of 30", gaussian(40, 2, 6) * gaussian(2, 30, 7)),
        (
            "duplicate columns",
            beside(&[gaussian(6, 2, 8), gaussian(6, 2, 8)]),
        ),
        (
            "duplicate rows",
            beside(&[gaussian(3, 2, 9), gaussian(3, 2, 9)]).transpose(),
        ),
        ("the identity", DMatrix::identity(6, 6)),
        (
            "diagonal beyond 25",
            DMatrix::from_fn(40, 30, |i, j| f64::from(u8::from(i == j))),
        ),
        ("square", gaussian(6, 6, 10)),
        ("wide", gaussian(6, 40, 11)),
        ("high", gaussian(40, 6, 12)),
        ("high, beyond 25 columns", gaussian(40, 30, 13)),
        ("as many samples as columns and one", gaussian(6, 5, 14)),
        ("huge", gaussian(6, 4, 15) * 1e200),
        ("tiny", gaussian(6, 4, 16) * 1e-200),
        ("subnormal", filled(6, 4, 5e-324)),
        (
            "subnormal and varying",
            gaussian(6, 4, 17).map(|entry| entry * 1e-310),
        ),
        ("the largest there is", filled(6, 4, f64::MAX)),
        (
            "both ends of the largest",
            DMatrix::from_fn(6, 4, |i, _| [f64::MAX, f64::MIN][i % 2]),
        ),
        (
            "scales mixed",
            DMatrix::from_fn(6, 4, |i, j| {
                gaussian(6, 4, 18)[(i, j)] * [1e200, 1e-200, 1.0, 1e-30][j]
            }),
        ),
        (
            "a Hilbert matrix",
            DMatrix::from_fn(12, 12, |i, j| {
                1.0 / f64::from(u32::try_from(i + j + 1).unwrap())
            }),
        ),
    ];
    for (what, bad) in [
        ("NaN", f64::NAN),
        ("infinite", f64::INFINITY),
        ("minus infinite", f64::NEG_INFINITY),
    ] {
        let mut one = gaussian(6, 4, 19);
        one[(2, 3)] = bad;
        list.push((what, one));
        list.push((what, filled(6, 4, bad)));
    }
    list
}

/// Facts of a matrix in every form there is.
fn forms(matrix: &DMatrix<f64>) -> Vec<Facts> {
    let (rows, columns) = matrix.shape();
    let half = columns / 2;
    let shared = Rc::new(matrix.clone());
    let halves = || {
        vec![
            Rc::new(Facts::dense(matrix.columns(0, half).into_owned())),
            Rc::new(Facts::dense(DMatrix::zeros(rows, 1))),
            Rc::new(Facts::dense(
                matrix.columns(half, columns - half).into_owned(),
            )),
        ]
    };
    let times = |columns: usize, seed: u64| {
        Facts::product(
            Rc::clone(&shared),
            Rc::new(gaussian(matrix.ncols(), columns, seed)),
        )
    };
    vec![
        Facts::dense(Rc::clone(&shared)),
        times(3, 1),
        times(columns + 5, 2),
        Facts::product(Rc::clone(&shared), Rc::new(matrix.transpose())),
        Facts::side_by_side(halves()),
        Facts::side_by_side(vec![
            Rc::new(times(columns + 5, 3)),
            Rc::new(times(columns + 5, 4)),
        ]),
        Facts::side_by_side(vec![
            Rc::new(Facts::side_by_side(halves())),
            Rc::new(times(2, 5)),
        ]),
    ]
}

#[track_caller]
fn assert_answers(measurements: &[Measurement], outputs: usize, context: &str) {
    assert_eq!(measurements.len(), outputs, "{context}");
    for Measurement { value, status } in measurements {
        assert!(value.is_none_or(f64::is_finite), "{context}: {value:?}");
        assert!(
            value.is_some() || status.is_some(),
            "{context}: no number and no reason"
        );
        let words = status.as_ref().map(ToString::to_string);
        assert!(words.is_none_or(|words| !words.is_empty()), "{context}");
    }
}

#[test]
fn every_metric_of_one_matrix_answers_to_every_difficult_one() {
    for (what, matrix) in difficult() {
        for (form, facts) in forms(&matrix).iter().enumerate() {
            for (metric, parameters) in every_question() {
                let context = format!("{} {parameters:?}: {what}, form {form}", metric.name());
                let found = measure(metric, &parameters, facts, facts);
                assert_answers(&found, metric.outputs(&parameters).len(), &context);
            }
        }
    }
}

#[test]
fn every_comparative_metric_answers_to_every_difficult_pair() {
    let in_forms = |(what, matrix): (&'static str, DMatrix<f64>)| {
        forms(&matrix).into_iter().map(move |facts| (what, facts))
    };
    let all: Vec<_> = difficult().into_iter().flat_map(in_forms).collect();
    let comparative = |metric: &dyn Metric| metric.form().is_comparative();
    for (metric, parameters) in every_question().filter(|(metric, _)| comparative(*metric)) {
        for (step_is, step) in &all {
            for (target_is, target) in &all {
                let context = format!("{} {parameters:?}: {step_is}, {target_is}", metric.name());
                let found = measure(metric, &parameters, step, target);
                assert_answers(&found, metric.outputs(&parameters).len(), &context);
            }
        }
    }
}

#[test]
fn nothing_side_by_side_is_an_empty_matrix() {
    let facts = Facts::side_by_side(Vec::new());
    assert_eq!((facts.rows(), facts.columns()), (0, 0));
    for metric in METRICS {
        let parameters = Parameters::defaults(metric.parameters());
        let found = measure(*metric, &parameters, &facts, &facts);
        assert_answers(&found, metric.outputs(&parameters).len(), metric.name());
    }
}

#[test]
fn what_is_prepared_is_what_is_asked_for() {
    let (step, target) = (gaussian(40, 6, 20), gaussian(40, 6, 21));
    for (metric, parameters) in every_question() {
        let answer = |prepared: bool| {
            let (step, target) = (Facts::dense(step.clone()), Facts::dense(target.clone()));
            if prepared {
                step.prepare(metric.needs(&parameters));
                target.prepare(metric.needs(&parameters));
            }
            measure(metric, &parameters, &step, &target)
        };
        assert_eq!(answer(true), answer(false), "{}", metric.name());
    }
}

#[test]
fn names_and_outputs_are_fit_for_configs_and_keys() {
    let names: BTreeSet<_> = METRICS.iter().map(|metric| metric.name()).collect();
    assert_eq!(names.len(), METRICS.len());
    for metric in METRICS {
        let is_plain = |name: &str| {
            !name.is_empty()
                && name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        };
        assert!(is_plain(metric.name()), "{}", metric.name());
        assert!(!metric.summary().is_empty(), "{}", metric.name());
        assert!(!metric.applies_to().is_empty(), "{}", metric.name());
        let defaults = Parameters::defaults(metric.parameters());
        match metric.outputs(&defaults) {
            [""] => {}
            several => {
                let suffixes: Vec<_> = several
                    .iter()
                    .map(|suffix| suffix.strip_prefix('.').unwrap())
                    .collect();
                assert!(
                    suffixes.iter().all(|suffix| is_plain(suffix)),
                    "{suffixes:?}"
                );
            }
        }
    }
}

#[test]
fn defaults_are_values_that_may_be_given() {
    for parameter in METRICS.iter().flat_map(|metric| metric.parameters()) {
        let is_taken = parameter.kind.takes(parameter.default);
        assert!(is_taken, "{}", parameter.name);
        assert!(!parameter.summary.is_empty(), "{}", parameter.name);
    }
}

#[test]
fn a_range_takes_what_lies_in_it() {
    let range = |min, max| ParameterKind::Fraction { min, max };
    let half_open = range(Bound::Excluded(0.0), Bound::Included(1.0));
    let open = range(Bound::Included(-1.5), Bound::Excluded(0.001));
    let all = range(Bound::Unbounded, Bound::Unbounded);
    for (kind, words, taken, refused) in [
        (half_open, "(0, 1]", vec![5e-324, 1.0], vec![0.0, -0.0, 1.5]),
        (open, "[-1.5, 0.001)", vec![-1.5, 0.0], vec![0.001, -2.0]),
        (
            all,
            "(-inf, inf)",
            vec![f64::MAX, f64::MIN],
            vec![f64::INFINITY],
        ),
    ] {
        assert_eq!(kind.to_string(), words);
        let takes = |number: &f64| kind.takes(ParameterValue::Fraction(*number));
        assert!(taken.iter().all(takes), "{words}");
        assert!(!refused.iter().chain([&f64::NAN]).any(takes), "{words}");
        assert!(!kind.takes(ParameterValue::Integer(0)), "{words}");
    }
}
