//! The exponent of the tail of the squared singular values.

use super::condition_number::rank_above;
use crate::facts::{Facts, Needs};
use crate::measurement::{Measurement, Status};
use crate::metric::{About, DataKind, Form, Metric, Single};
use crate::parameter::{Parameter, ParameterKind, ParameterValue, Parameters};

/// How heavy the tail of the squared singular values is: the exponent of a power law.
///
/// # Definition
/// Of the matrix `[m, n]`, the singular values above $s_1 \max(m, n)\, 2^{-52}$ count. Their squares
/// ascending are $\lambda_0 \le \dots \le \lambda_{k-1}$. With $n_i = k - i$, for every start $i$ of
/// a tail:
/// $$ \alpha_i = 1 + \frac{n_i}{\sum_{j \ge i} \ln \lambda_j - n_i \ln \lambda_i} \qquad
///    D_i = \max_{j \ge i} \Bigl| 1 - (\lambda_j / \lambda_i)^{1 - \alpha_i} - (j - i) / n_i \Bigr| $$
/// By `fit`, the tail starts at the $i \le k - 2$ with the smallest $D_i$, the first of equals (`ks`),
/// or at $i = \lfloor k / 2 \rfloor$ without any choice (`median`):
/// - `.alpha`: $\alpha_i$, the exponent of the density $\lambda^{-\alpha}$;
/// - `.sigma`: $(\alpha_i - 1) / \sqrt{n_i}$, its standard error;
/// - `.d`: $D_i$, the distance of Kolmogorov and Smirnov;
/// - `.tail`: $n_i$, how many values are in the tail;
/// - `.xmin`: $\lambda_i$, where it starts.
///
/// # Range and reading
/// `alpha` from 1 upwards; smaller is a heavier tail. Of large well-trained layers 2 to 6 are usual.
/// Compare `d` and `sigma` before believing it: of a few values, or where `d` is large, there is no
/// power law.
///
/// # Applies to
/// Weights, gradients and activations.
///
/// # Numerics
/// From the singular values that all metrics of the matrix share; scale-free but for `xmin`. Of $k$
/// values at most $k^2 / 2$ powers are taken; tails that are worse already are left early. Tails whose
/// logarithms differ by less than 1e-10 on average are equal up to rounding, and do not count.
///
/// It agrees with WeightWatcher 0.7.7 to 1e-15 on float32 weights of 20 values and more. That one
/// converts weights to float32, drops $\lambda \le 10^{-5}$, and takes another estimator for fewer
/// than 20 values. Its `spectral_norm` is $s_1^2$, its `norm` is $\sum s_i^2$.
///
/// # Errors
/// Undefined with fewer than two values above rounding, where all tails are equal, and with `median`
/// where the tail has one value; where the matrix is empty or all entries are zero; `not finite` where
/// an entry is NaN or infinite. `xmin` is `beyond the range of float64` where the square is. Of a tail
/// that starts where rounding may have left singular values when the numbers were stored, all outputs
/// say so.
///
/// # References
/// A. Clauset, C. R. Shalizi and M. E. J. Newman, "Power-law distributions in empirical data", SIAM
/// Review 51 (2009). C. H. Martin, T. Peng and M. W. Mahoney, "Predicting trends in the quality of
/// state-of-the-art neural networks without access to training or testing data", Nature Communications
/// 12 (2021).
///
/// # Example
/// Squares 1 and $e^2$ have one tail: $\alpha = 1 + 2 / (2 - 0) = 2$.
/// ```
/// use nalgebra::dmatrix;
/// use ckptscope_metrics::{Facts, Metric, Parameters, Single, single::power_law::PowerLaw};
///
/// let matrix = Facts::dense(dmatrix![1.0, 0.0; 0.0, 1.0_f64.exp()]);
/// let found = PowerLaw.measure(&Parameters::defaults(PowerLaw.parameters()), &matrix);
/// assert!((found[0].value.unwrap() - 2.0).abs() < 1e-14);
/// assert_eq!(found[3].value, Some(2.0));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PowerLaw;

const OUTPUTS: &[&str] = &[".alpha", ".sigma", ".d", ".tail", ".xmin"];

const PARAMETERS: &[Parameter] = &[Parameter {
    name: "fit",
    summary: "where the tail starts: where it fits best, or at the median",
    kind: ParameterKind::Choice(&["ks", "median"]),
    default: ParameterValue::Choice("ks"),
}];

/// Tails whose logarithms are above the first by less than this on average are equal: singular
/// values are good to a relative 1e-11, but for those near the floor.
const EQUAL: f64 = 1e-10;

impl Metric for PowerLaw {
    fn about(&self) -> About<'_> {
        About {
            name: "power_law",
            title: "Power law",
            summary: "how heavy the tail of the squared singular values is: the exponent of a power law",
            applies_to: DataKind::ALL,
            parameters: PARAMETERS,
            form: Form::Single(self),
        }
    }

    fn outputs(&self, _: &Parameters) -> &'static [&'static str] {
        OUTPUTS
    }

    fn needs(&self, _: &Parameters) -> Needs {
        Needs {
            singular_values: true,
            ..Needs::default()
        }
    }
}

impl Single for PowerLaw {
    fn measure(&self, parameters: &Parameters, matrix: &Facts) -> Vec<Measurement> {
        match power_law(parameters.choice("fit"), matrix) {
            Ok(found) => found,
            Err(status) => vec![Measurement::undefined(status); OUTPUTS.len()],
        }
    }
}

fn power_law(fit: &str, matrix: &Facts) -> Result<Vec<Measurement>, Status> {
    let spectrum = Spectrum::of(matrix)?;
    let tail = match fit {
        "median" => spectrum.median_tail()?,
        _ => spectrum.best_tail()?,
    };
    #[allow(clippy::cast_precision_loss)] // a number of singular values
    let count = (spectrum.logs.len() - tail.start) as f64;
    let smallest = spectrum.values[tail.start];
    let found = vec![
        Measurement::of(tail.alpha),
        Measurement::of((tail.alpha - 1.0) / count.sqrt()),
        Measurement::of(tail.distance),
        Measurement::of(count),
        matrix.unscaled(smallest).and_then(square).into(),
    ];
    let rounding = matrix.rounding_of_storage()?;
    if smallest > rounding {
        return Ok(found);
    }
    let values = matrix.singular_values()?;
    let (rank, of) = (rank_above(values, rounding), values.len());
    let note = |one: Measurement| match one.value {
        Some(_) => one.noting(Status::WithinRounding { rank, of }),
        None => one,
    };
    Ok(found.into_iter().map(note).collect())
}

/// The square; it may be no float64.
fn square(value: f64) -> Result<f64, Status> {
    let square = value * value;
    if square > 0.0 && square.is_finite() {
        Ok(square)
    } else {
        Err(Status::Overflow)
    }
}

/// The singular values that count, ascending, and the logarithms of their squares over the largest.
struct Spectrum {
    values: Vec<f64>,
    logs: Vec<f64>,
    /// For every value the sum of its logarithm and all behind it.
    sums: Vec<f64>,
}

/// The values from a start on, and what fits them.
struct Tail {
    start: usize,
    alpha: f64,
    distance: f64,
}

impl Spectrum {
    fn of(matrix: &Facts) -> Result<Self, Status> {
        // Refuses what is empty or zero.
        matrix.relative_squares()?;
        let descending = matrix.singular_values()?;
        let largest = descending.first().copied().unwrap_or_default();
        #[allow(clippy::cast_precision_loss)] // sizes of matrices in memory
        let floor = largest * matrix.rows().max(matrix.columns()) as f64 * f64::EPSILON;
        let counting = descending.iter().copied().filter(|value| *value > floor);
        let mut values: Vec<f64> = counting.collect();
        values.reverse();
        if values.len() < 2 {
            return Err(Status::TooFewSingularValues {
                values: values.len(),
                needed: 2,
            });
        }
        let logs: Vec<f64> = values
            .iter()
            .map(|value| 2.0 * (value / largest).ln())
            .collect();
        let mut sums = logs.clone();
        for place in (0..sums.len() - 1).rev() {
            sums[place] += sums[place + 1];
        }
        Ok(Self { values, logs, sums })
    }

    fn median_tail(&self) -> Result<Tail, Status> {
        let (count, start) = (self.logs.len(), self.logs.len() / 2);
        if start + 1 == count {
            return Err(Status::TooFewSingularValues {
                values: count,
                needed: 3,
            });
        }
        self.tail(start, f64::INFINITY).ok_or_else(all_equal)
    }

    fn best_tail(&self) -> Result<Tail, Status> {
        let mut best: Option<Tail> = None;
        for start in 0..self.logs.len() - 1 {
            let bound = best.as_ref().map_or(f64::INFINITY, |best| best.distance);
            best = self.tail(start, bound).or(best);
        }
        best.ok_or_else(all_equal)
    }

    /// The tail from `start` on; none where its values are equal, or its distance is not below the
    /// bound.
    #[allow(clippy::cast_precision_loss)] // a number of singular values
    fn tail(&self, start: usize, bound: f64) -> Option<Tail> {
        let first = self.logs[start];
        let count = (self.logs.len() - start) as f64;
        let excess = self.sums[start] / count - first;
        if excess < EQUAL {
            return None;
        }
        let exponent = -excess.recip();
        let mut distance = 0.0_f64;
        for (place, log) in self.logs[start..].iter().enumerate() {
            let beyond = (exponent * (log - first)).exp();
            distance = distance.max((1.0 - beyond - place as f64 / count).abs());
            if distance >= bound {
                return None;
            }
        }
        Some(Tail {
            start,
            alpha: 1.0 + excess.recip(),
            distance,
        })
    }
}

const fn all_equal() -> Status {
    Status::AllEqual {
        what: "singular values of every tail",
    }
}
