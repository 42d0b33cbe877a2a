//! The participation ratio of the singular values' squares.

use crate::facts::{Facts, Needs};
use crate::measurement::{Measurement, Status};
use crate::metric::{About, DataKind, Form, Metric, Single};
use crate::parameter::Parameters;

/// Over how many directions the squared length of a matrix is spread.
///
/// # Definition
/// Of the matrix `[m, n]` with singular values $s_1 \ge \dots \ge s_r$:
/// $$ \frac{\bigl(\sum_i s_i^2\bigr)^2}{\sum_i s_i^4} $$
/// Of activations columns are not centred: their mean counts as a direction.
///
/// # Range and reading
/// From 1, where one direction is all, to the rank, where all directions are equally strong. Never
/// less than the stable rank; weak directions count for less than in an entropy.
///
/// # Applies to
/// Weights, gradients and activations.
///
/// # Numerics
/// From the singular values that all metrics of the matrix share; scale-free. What is zero by
/// construction adds nothing.
///
/// # Errors
/// Undefined where the matrix is empty or all entries are zero; `not finite` where an entry is NaN
/// or infinite.
///
/// # References
/// L. F. Abbott, K. Rajan and H. Sompolinsky, "Interactions between intrinsic and stimulus-evoked
/// activity in recurrent neural networks", in *The Dynamic Brain*, 2011. P. Gao et al., "A theory
/// of multineuronal dimensionality, dynamics and measurement", bioRxiv 214262, 2017.
///
/// # Example
/// Singular values 3 and 1: $(9 + 1)^2 / (81 + 1)$.
/// ```
/// use nalgebra::dmatrix;
/// use ckptscope_metrics::{Facts, Parameters, Single};
/// use ckptscope_metrics::single::participation_ratio::ParticipationRatio;
///
/// let matrix = Facts::dense(dmatrix![0.0, 3.0; -1.0, 0.0]);
/// let ratio = ParticipationRatio.measure(&Parameters::default(), &matrix);
/// assert!((ratio[0].value.unwrap() - 100.0 / 82.0).abs() < 1e-14);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ParticipationRatio;

impl Metric for ParticipationRatio {
    fn about(&self) -> About<'_> {
        About {
            name: "participation_ratio",
            title: "Participation ratio",
            summary: "over how many directions the squared length of a matrix is spread",
            applies_to: DataKind::ALL,
            parameters: &[],
            form: Form::Single(self),
        }
    }

    fn needs(&self, _: &Parameters) -> Needs {
        Needs {
            singular_values: true,
            ..Needs::default()
        }
    }
}

impl Single for ParticipationRatio {
    fn measure(&self, _: &Parameters, matrix: &Facts) -> Vec<Measurement> {
        vec![participation_ratio(matrix).into()]
    }
}

fn participation_ratio(matrix: &Facts) -> Result<f64, Status> {
    let squares = matrix.relative_squares()?;
    let sum: f64 = squares.iter().sum();
    let of_squares: f64 = squares.iter().map(|square| square * square).sum();
    Ok(sum * sum / of_squares)
}
