//! The Gini coefficient of the entries' magnitudes.

use ckptscope_vocabulary::Work;

use crate::facts::sum::Compensated;
use crate::facts::{Facts, MatrixExtent, Needs};
use crate::measurement::{Measurement, Status};
use crate::metric::{About, DataKind, Form, Metric, Single};
use crate::parameter::Parameters;
use crate::tally::{Ascending, CountedValue};

/// How unevenly magnitude is spread over the entries: the Gini coefficient.
///
/// # Definition
/// With the magnitudes in ascending order, $a_1 \le \dots \le a_N$ of the matrix `[m, n]`,
/// $N = mn$:
/// $$ G = \frac{\sum_{i=1}^{N} (2i - N - 1)\, a_i}{N \sum_{i=1}^{N} a_i} $$
///
/// # Range and reading
/// From 0, where all magnitudes are equal, to $1 - 1/N$, where a single entry is not zero. It
/// rises as a matrix grows sparser. 0 for an empty or all-zero matrix.
///
/// # Applies to
/// Weights, gradients and activations.
///
/// # Numerics
/// One sort of the magnitudes and one pass. Entries of at most 16 bits are counted instead. Many of
/// 32 bits are put in order by their upper bits, and counted by the lower ones. Scale-free.
///
/// # Errors
/// `not finite` where an entry is NaN or infinite.
///
/// # References
/// C. Gini, *Variabilità e mutabilità*, 1912. N. Hurley and S. Rickard, "Comparing measures of
/// sparsity", IEEE Transactions on Information Theory 55 (2009).
///
/// # Example
/// Magnitudes 1, 2, 3: $(-2 \cdot 1 + 0 \cdot 2 + 2 \cdot 3) / (3 \cdot 6) = 2/9$.
/// ```
/// use nalgebra::dmatrix;
/// use ckptscope_metrics::{Facts, Parameters, Single, single::gini::Gini};
///
/// let matrix = Facts::dense(dmatrix![3.0, -1.0, 2.0]);
/// let gini = Gini.measure(&Parameters::default(), &matrix);
/// assert!((gini[0].value.unwrap() - 2.0 / 9.0).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Gini;

impl Metric for Gini {
    fn about(&self) -> About<'_> {
        About {
            name: "gini",
            title: "Gini coefficient",
            summary: "how unevenly magnitude is spread over the entries: 0 even, towards 1 concentrated",
            applies_to: DataKind::ALL,
            parameters: &[],
            form: Form::Single(self),
        }
    }

    fn needs(&self, _: &Parameters) -> Needs {
        Needs {
            sorted_magnitudes: true,
            ..Needs::default()
        }
    }

    fn work(&self, _: &Parameters, extent: MatrixExtent) -> Work {
        extent.looked_at(1.0)
    }

    fn ignores_places(&self, _: &Parameters) -> bool {
        true
    }
}

impl Single for Gini {
    fn measure(&self, _: &Parameters, matrix: &Facts) -> Vec<Measurement> {
        vec![gini(matrix).into()]
    }
}

fn gini(matrix: &Facts) -> Result<f64, Status> {
    let magnitudes = matrix.sorted_magnitudes()?;
    let sum = matrix.magnitude_sums()?.sum;
    if sum == 0.0 {
        return Ok(0.0);
    }
    let weighted = match magnitudes {
        Ascending::Each(magnitudes) => weighted_by_rank(magnitudes),
        Ascending::Runs(runs) => weighted_by_rank_of_runs(runs, magnitudes.len()),
        Ascending::Parts(entries, _) => entries.weighted_by_rank(),
    };
    Ok((weighted / sum).max(0.0))
}

/// The same of runs: the weights of `c` equal magnitudes behind `b` smaller ones add up to
/// `c (2b + c - N) / N`.
#[allow(clippy::cast_precision_loss)] // ranks of entries in memory are far below 2^53
fn weighted_by_rank_of_runs(runs: &[CountedValue], entries: usize) -> f64 {
    let mut sum = Compensated::default();
    for run in runs {
        let rank = (2 * run.before + run.count) as f64 - entries as f64;
        sum.add(run.count as f64 * rank * run.value);
    }
    sum.total() / entries as f64
}

/// `sum (2i - N - 1) / N a_i`, in blocks so that one long sum does not gather rounding.
#[allow(clippy::cast_precision_loss)] // ranks of entries in memory are far below 2^53
fn weighted_by_rank(ascending: &[f64]) -> f64 {
    const BLOCK: usize = 4096;
    let count = ascending.len() as f64;
    let block_sum = |(block, magnitudes): (usize, &[f64])| {
        let first = (block * BLOCK) as f64;
        let mut sum = 0.0;
        for (i, magnitude) in magnitudes.iter().enumerate() {
            sum += (2.0 * (first + i as f64 + 1.0) - count - 1.0) * magnitude;
        }
        sum
    };
    ascending
        .chunks(BLOCK)
        .enumerate()
        .map(block_sum)
        .sum::<f64>()
        / count
}
