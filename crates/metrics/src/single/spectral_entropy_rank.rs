//! The effective rank by the entropy of the squared singular values.

use crate::facts::estimate::{self, ESTIMATE};
use crate::facts::{Facts, Needs};
use crate::measurement::{Measurement, Status};
use crate::metric::{About, DataKind, Form, Metric, Single};
use crate::parameter::Parameters;

/// Over how many directions the squared length of a matrix is spread, by its entropy.
///
/// # Definition
/// Of the matrix `[m, n]` with singular values $s_i$, $q_i = s_i^2 / \sum_j s_j^2$ and
/// $0 \ln 0 = 0$:
/// $$ \exp\Bigl(-\sum_i q_i \ln q_i\Bigr) $$
/// (`per` uses $s_i$ in the place of $s_i^2$, and divides by the largest rank.)
///
/// # Range and reading
/// From 1, where one direction is all, to the rank, where all directions are equally strong. Never
/// less than the participation ratio.
///
/// # Applies to
/// Weights, gradients and activations.
///
/// # Numerics
/// From the singular values that all metrics of the matrix share; scale-free. What is zero by
/// construction adds nothing.
///
/// With `estimate: true`, from a few products with the matrix instead of a decomposition: block
/// Lanczos with 8 random directions and 12 products, the same ones at every run. The interval holds
/// the exact value in 95 of 100 cases. Up to 256 rows or columns the value is exact, and the
/// interval has no width.
///
/// # Errors
/// Undefined where the matrix is empty or all entries are zero; `not finite` where an entry is NaN
/// or infinite.
///
/// # References
/// O. Roy and M. Vetterli, "The effective rank: a measure of effective dimensionality", EUSIPCO
/// 2007. O. Alter, P. O. Brown and D. Botstein, "Singular value decomposition for genome-wide
/// expression data processing and modeling", PNAS 97 (2000), for shares of the squares.
///
/// # Example
/// Singular values 2 and 2: shares 1/2 and 1/2, whose entropy is $\ln 2$.
/// ```
/// use nalgebra::dmatrix;
/// use ckptscope_metrics::{Facts, Parameters, Single};
/// use ckptscope_metrics::single::spectral_entropy_rank::SpectralEntropyRank;
///
/// let matrix = Facts::dense(dmatrix![0.0, 2.0; -2.0, 0.0]);
/// let rank = SpectralEntropyRank.measure(&Parameters::default(), &matrix);
/// assert!((rank[0].value.unwrap() - 2.0).abs() < 1e-14);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SpectralEntropyRank;

impl Metric for SpectralEntropyRank {
    fn about(&self) -> About<'_> {
        About {
            name: "spectral_entropy_rank",
            title: "Spectral entropy rank",
            summary: "over how many directions the squared length of a matrix is spread, by its entropy",
            applies_to: DataKind::ALL,
            parameters: &[ESTIMATE],
            form: Form::Single(self),
        }
    }

    fn outputs(&self, parameters: &Parameters) -> &'static [&'static str] {
        estimate::outputs(parameters)
    }

    fn needs(&self, parameters: &Parameters) -> Needs {
        estimate::needs(parameters)
    }
}

impl Single for SpectralEntropyRank {
    fn measure(&self, parameters: &Parameters, matrix: &Facts) -> Vec<Measurement> {
        let estimated = || {
            Ok(matrix
                .spectrum_estimate()?
                .of_shares()?
                .spectral_entropy_rank())
        };
        estimate::measured(parameters, estimated, || spectral_entropy_rank(matrix))
    }
}

fn spectral_entropy_rank(matrix: &Facts) -> Result<f64, Status> {
    let squares = matrix.relative_squares()?;
    let sum: f64 = squares.iter().sum();
    let shares = squares.iter().map(|square| square / sum);
    let shares = shares.filter(|share| *share > 0.0);
    Ok((-shares.map(|share| share * share.ln()).sum::<f64>()).exp())
}
