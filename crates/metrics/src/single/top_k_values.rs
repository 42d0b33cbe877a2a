//! The largest values. The example to copy when adding a metric.

use crate::facts::{Facts, Needs};
use crate::measurement::{Measurement, Status};
use crate::metric::{About, DataKind, Form, Metric, Single};
use crate::parameter::{Parameter, ParameterKind, ParameterValue, Parameters};
use crate::sort::sort_numbers;

/// The `k` largest entries: their mean, the largest, and how far it stands out.
///
/// # Definition
/// With the `k` largest entries of the matrix `[m, n]`, or of their magnitudes where `absolute`,
/// $t_1 \ge \dots \ge t_k$:
/// - `.top_k_mean`: $\frac1k \sum t_i$;
/// - `.top_k_max`: $t_1$;
/// - `.top_k_ratio`: $t_1 / t_k$.
///
/// # Range and reading
/// Mean and maximum in the units of the entries. The ratio is 1 where the largest are equal and
/// grows with outliers.
///
/// # Applies to
/// Weights, gradients and activations.
///
/// # Numerics
/// Magnitudes come from the sort that all metrics of the matrix share; signed entries are
/// selected in one pass.
///
/// # Errors
/// Undefined for fewer than `k` entries; the ratio where $t_k$ is zero; `not finite` where an
/// entry is NaN or infinite.
///
/// # References
/// None: it is the example to copy when adding a metric.
///
/// # Example
/// The two largest magnitudes of 1, -4, 2 are 4 and 2.
/// ```
/// use nalgebra::dmatrix;
/// use ckptscope_metrics::{Facts, Metric, ParameterValue, Parameters, Single};
/// use ckptscope_metrics::single::top_k_values::TopKValues;
///
/// let matrix = Facts::dense(dmatrix![1.0, -4.0, 2.0]);
/// let two = Parameters::defaults(TopKValues.parameters()).with("k", ParameterValue::Integer(2));
/// let values: Vec<_> = TopKValues.measure(&two, &matrix).into_iter().map(|m| m.value).collect();
/// assert_eq!(values, [Some(3.0), Some(4.0), Some(2.0)]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TopKValues;

const OUTPUTS: &[&str] = &[".top_k_mean", ".top_k_max", ".top_k_ratio"];

const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "k",
        summary: "how many of the largest entries",
        kind: ParameterKind::Integer {
            min: 1,
            max: 1_000_000_000,
        },
        default: ParameterValue::Integer(10),
    },
    Parameter {
        name: "absolute",
        summary: "whether entries are compared by magnitude",
        kind: ParameterKind::Boolean,
        default: ParameterValue::Boolean(true),
    },
];

impl Metric for TopKValues {
    fn about(&self) -> About<'_> {
        About {
            name: "top_k_values",
            title: "Top-k values",
            summary: "the k largest entries: their mean, the largest, and how far it stands out",
            applies_to: DataKind::ALL,
            parameters: PARAMETERS,
            form: Form::Single(self),
        }
    }

    fn outputs(&self, _: &Parameters) -> &'static [&'static str] {
        OUTPUTS
    }

    fn needs(&self, parameters: &Parameters) -> Needs {
        Needs {
            sorted_magnitudes: parameters.boolean("absolute"),
            entries_by_rank: !parameters.boolean("absolute"),
            ..Needs::default()
        }
    }

    fn ignores_places(&self, _: &Parameters) -> bool {
        true
    }
}

impl Single for TopKValues {
    fn measure(&self, parameters: &Parameters, matrix: &Facts) -> Vec<Measurement> {
        let k = usize::try_from(parameters.integer("k")).unwrap_or(usize::MAX);
        match largest(matrix, k, parameters.boolean("absolute")) {
            Ok(descending) => summary(matrix, &descending),
            Err(status) => vec![Measurement::undefined(status); OUTPUTS.len()],
        }
    }
}

/// The `k` largest entries, descending, in the matrix's scale.
fn largest(matrix: &Facts, k: usize, absolute: bool) -> Result<Vec<f64>, Status> {
    let entries = matrix.rows() * matrix.columns();
    if entries < k {
        return Err(Status::TooFewEntries { entries, needed: k });
    }
    if absolute {
        let magnitudes = matrix.sorted_magnitudes()?;
        return Ok(magnitudes.largest(k));
    }
    if let Some(entries) = matrix.counted_entries()? {
        return Ok(entries.largest(k));
    }
    let mut values: Vec<f64> = matrix.entries().data.into();
    let others = values.len() - k;
    if k > 0 && others > 0 {
        values.select_nth_unstable_by(others, f64::total_cmp);
    }
    let mut largest = values.split_off(others);
    sort_numbers(&mut largest);
    largest.reverse();
    Ok(largest)
}

fn summary(matrix: &Facts, descending: &[f64]) -> Vec<Measurement> {
    let (Some(&first), Some(&last)) = (descending.first(), descending.last()) else {
        return vec![Measurement::undefined(Status::AllZero); OUTPUTS.len()];
    };
    #[allow(clippy::cast_precision_loss)] // entries in memory are far below 2^53
    let mean = descending.iter().sum::<f64>() / descending.len() as f64;
    let ratio = if last == 0.0 {
        Err(Status::ZeroDivisor)
    } else {
        Ok(first / last)
    };
    vec![
        matrix.unscaled(mean).into(),
        matrix.unscaled(first).into(),
        ratio.into(),
    ]
}
