//! Asking metrics by name.

use std::fmt::Debug;

use ckptscope_metrics::{
    Facts, Form, METRICS, Measurement, Metric, ParameterValue, Parameters, Status,
};
use nalgebra::DMatrix;

/// The metric of this name.
pub(crate) fn metric(name: &str) -> &'static dyn Metric {
    *METRICS.iter().find(|metric| metric.name() == name).unwrap()
}

/// The defaults of the metric of this name, with some parameters changed.
pub(crate) fn parameters(name: &str, given: &[(&str, ParameterValue)]) -> Parameters {
    let defaults = Parameters::defaults(metric(name).parameters());
    given.iter().fold(defaults, |parameters, (name, value)| {
        parameters.with(name, *value)
    })
}

/// What a metric answers to a matrix, or to a pair of them.
pub(crate) fn measure(
    metric: &dyn Metric,
    parameters: &Parameters,
    step: &Facts,
    target: &Facts,
) -> Vec<Measurement> {
    match metric.form() {
        Form::Single(single) => single.measure(parameters, step),
        Form::Comparative(comparative) => comparative.measure(parameters, step, target),
    }
}

/// The one measurement of a metric of one matrix, its parameters at their defaults.
pub(crate) fn of(name: &str, matrix: &DMatrix<f64>) -> Measurement {
    with(name, &[], matrix)
}

/// The one measurement of a metric of one matrix.
pub(crate) fn with(
    name: &str,
    given: &[(&str, ParameterValue)],
    matrix: &DMatrix<f64>,
) -> Measurement {
    let facts = Facts::dense(matrix.clone());
    only(measure(
        metric(name),
        &parameters(name, given),
        &facts,
        &facts,
    ))
}

/// The one measurement of a metric of a pair.
pub(crate) fn of_pair(
    name: &str,
    given: &[(&str, ParameterValue)],
    step: &DMatrix<f64>,
    target: &DMatrix<f64>,
) -> Measurement {
    let (step, target) = (Facts::dense(step.clone()), Facts::dense(target.clone()));
    only(measure(
        metric(name),
        &parameters(name, given),
        &step,
        &target,
    ))
}

/// A norm by its type.
pub(crate) fn norm(norm_type: &'static str, matrix: &DMatrix<f64>) -> f64 {
    let given = [("norm_type", ParameterValue::Choice(norm_type))];
    with("norm", &given, matrix).value.unwrap()
}

/// The three numbers of `top_k_values`.
pub(crate) fn top_k(k: i64, absolute: bool, matrix: &DMatrix<f64>) -> Vec<Measurement> {
    let given = [
        ("k", ParameterValue::Integer(k)),
        ("absolute", ParameterValue::Boolean(absolute)),
    ];
    let facts = Facts::dense(matrix.clone());
    let name = "top_k_values";
    measure(metric(name), &parameters(name, &given), &facts, &facts)
}

/// That a number is there, has no status, and is near.
#[track_caller]
pub(crate) fn assert_value(measurement: &Measurement, expected: f64, relative: f64) {
    assert_eq!(measurement.status, None, "instead of {expected}");
    assert_near(measurement.value.unwrap(), expected, relative);
}

/// That there is no number, for this reason.
#[track_caller]
pub(crate) fn assert_undefined(measurement: &Measurement, status: Status) {
    assert_eq!(measurement, &Measurement::undefined(status));
}

/// That a number is within `relative` of another, relative to the larger of it and 1e-300.
#[track_caller]
pub(crate) fn assert_near(found: f64, expected: f64, relative: f64) {
    let difference = (found - expected).abs() / expected.abs().max(1e-300);
    assert!(
        difference <= relative || found == expected,
        "{found} for {expected}, off by {difference:e}"
    );
}

/// That two lists are near, number by number, relative to the largest.
#[track_caller]
pub(crate) fn assert_all_near(found: &[f64], expected: &[f64], relative: f64) {
    assert_eq!(found.len(), expected.len());
    let size = expected.iter().fold(0.0, |size: f64, x| size.max(x.abs()));
    let off = |(found, expected): &(&f64, &f64)| (*found - *expected).abs() > relative * size;
    let wrong: Vec<_> = found.iter().zip(expected).filter(off).collect();
    assert!(wrong.is_empty(), "off: {wrong:?}");
}

fn only<T: Debug>(list: Vec<T>) -> T {
    let [one] = <[T; 1]>::try_from(list).unwrap();
    one
}
