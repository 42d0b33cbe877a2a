//! Representational similarity analysis.

use super::same_samples;
use ckptscope_vocabulary::Work;

use crate::facts::{Facts, MatrixExtent, Needs};
use crate::measurement::{Measurement, Status};
use crate::metric::{About, Bias, Comparative, DataKind, Form, Metric};
use crate::parameter::{Parameter, ParameterKind, ParameterValue, Parameters};
use crate::sort::sort_numbers;

/// How alike two sets of activations order pairs of samples by how unlike they are: representational
/// similarity analysis.
///
/// # Definition
/// Of $X$ `[n, p]` the $n (n - 1) / 2$ dissimilarities $1 - r_{ij}$, $r_{ij}$ being Pearson's
/// correlation of the rows $i < j$ over the features; of $Y$ `[n, q]` likewise. Columns are not
/// centred. By `correlation`, the value is the correlation of the two lists: of their ranks, ties by
/// mean rank (`spearman`), or of the numbers (`pearson`).
///
/// # Range and reading
/// From -1 to 1. Near 1 the pairs that are unlike at one step are unlike at the other, near 0 they have
/// nothing to do with each other. A shift of all samples changes it, unlike CKA.
///
/// # Applies to
/// Activations, one row per sample, the same samples in the same order.
///
/// # Numerics
/// $n^2 p$ operations, and memory for $n^2$ numbers. Dissimilarities within 1e-13 of the smallest of
/// them are ties: they are not known better.
///
/// # Errors
/// Undefined where the sample counts differ, with fewer than three samples, where a sample's features
/// are all equal, and where all dissimilarities of a side are; `not finite` where an entry is NaN or
/// infinite.
///
/// # References
/// N. Kriegeskorte, M. Mur and P. Bandettini, "Representational similarity analysis: connecting the
/// branches of systems neuroscience", Frontiers in Systems Neuroscience 2 (2008).
///
/// # Example
/// A side and the same scaled have the same dissimilarities.
/// ```
/// use nalgebra::dmatrix;
/// use ckptscope_metrics::{Comparative, Facts, Metric, Parameters, comparative::rsa::Rsa};
///
/// let step = dmatrix![1.0, 2.0, 4.0; 3.0, 1.0, 2.0; 5.0, 5.0, 1.0];
/// let (step, target) = (Facts::dense(step.clone()), Facts::dense(step * 3.0));
/// let rsa = Rsa.measure(&Parameters::defaults(Rsa.parameters()), &step, &target);
/// assert!((rsa[0].value.unwrap() - 1.0).abs() < 1e-14);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Rsa;

const PARAMETERS: &[Parameter] = &[Parameter {
    name: "correlation",
    summary: "of the ranks of dissimilarities, or of dissimilarities themselves",
    kind: ParameterKind::Choice(&["spearman", "pearson"]),
    default: ParameterValue::Choice("spearman"),
}];

/// Dissimilarities within this of the smallest of them are ties.
const TIE: f64 = 1e-13;

/// Samples that make several pairs.
const SAMPLES: usize = 3;

impl Metric for Rsa {
    fn about(&self) -> About<'_> {
        About {
            name: "rsa",
            title: "RSA",
            summary: "how alike two checkpoints order pairs of samples by how unlike they are: 0 not, 1 the same",
            applies_to: &[DataKind::Activations],
            parameters: PARAMETERS,
            form: Form::Comparative(self),
        }
    }

    fn needs(&self, _: &Parameters) -> Needs {
        Needs {
            dissimilarities: true,
            ..Needs::default()
        }
    }

    fn work(&self, _: &Parameters, extent: MatrixExtent) -> Work {
        extent.ranked_pairs()
    }
}

impl Comparative for Rsa {
    fn measure(&self, parameters: &Parameters, step: &Facts, target: &Facts) -> Vec<Measurement> {
        let correlation = parameters.choice("correlation");
        let rsa = same_samples(step, target).and_then(|()| rsa(correlation, step, target));
        vec![rsa.into()]
    }

    fn bias(&self, _: &Parameters) -> Option<Bias> {
        None
    }
}

fn rsa(correlation: &str, step: &Facts, target: &Facts) -> Result<f64, Status> {
    let [x, y] = [step.dissimilarities()?, target.dissimilarities()?];
    let samples = step.rows();
    if samples < SAMPLES {
        return Err(Status::TooFewSamples {
            samples,
            needed: SAMPLES,
        });
    }
    if is_even(x) || is_even(y) {
        return Err(Status::AllEqual {
            what: "dissimilarities of a side",
        });
    }
    if correlation == "pearson" {
        return Ok(pearson(x, y));
    }
    Ok(pearson(&mean_ranks(x), &mean_ranks(y)))
}

fn is_even(values: &[f64]) -> bool {
    let smallest = values.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    largest - smallest <= TIE
}

/// The rank of each value from 0; those of ties are their mean.
#[allow(clippy::cast_precision_loss)] // a number of pairs in memory
fn mean_ranks(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sort_numbers(&mut sorted);
    let mut ties = Vec::new();
    let (mut first, mut rest) = (0, sorted.as_slice());
    while let Some(&smallest) = rest.first() {
        // From the smallest on: neighbours alone would chain many that differ into one tie.
        let count = rest.partition_point(|value| value - smallest <= TIE);
        ties.push((smallest, first as f64 + (count - 1) as f64 / 2.0));
        (first, rest) = (first + count, &rest[count..]);
    }
    let rank = |value: &f64| {
        let behind = ties.partition_point(|(smallest, _)| smallest <= value);
        ties[behind.saturating_sub(1)].1
    };
    values.iter().map(rank).collect()
}

/// Pearson's correlation of two lists that are not even.
fn pearson(x: &[f64], y: &[f64]) -> f64 {
    #[allow(clippy::cast_precision_loss)] // a number of pairs in memory
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (of_x, of_y) = (mean(x), mean(y));
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        let (x, y) = (x - of_x, y - of_y);
        xx += x * x;
        yy += y * y;
        xy += x * y;
    }
    (xy / (xx.sqrt() * yy.sqrt())).clamp(-1.0, 1.0)
}
