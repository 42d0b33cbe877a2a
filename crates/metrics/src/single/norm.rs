//! Matrix norms.

use crate::facts::estimate::{self, ESTIMATE, Estimate};
use crate::facts::{Facts, Needs};
use crate::measurement::{Measurement, Status};
use crate::metric::{About, DataKind, Form, Metric, Single};
use crate::parameter::{Parameter, ParameterKind, ParameterValue, Parameters};

/// How large a matrix is.
///
/// # Definition
/// Of the matrix `[m, n]`, by `norm_type`:
/// - `frobenius`: $\sqrt{\sum x_{ij}^2}$;
/// - `nuclear`: $\sum s_i$, the sum of singular values;
/// - `spectral`: $s_1$, the largest singular value: how far a vector of length 1 is stretched at
///   most. (WeightWatcher's column of that name is its square.)
/// - `inf`: $\max |x_{ij}|$, the largest magnitude. (Not the operator norm of that name.)
///
/// # Range and reading
/// From 0 upwards, in the units of the entries. 0 for an empty matrix.
///
/// # Applies to
/// Weights, gradients and activations.
///
/// # Numerics
/// Safe over the whole range of float64: entries of 1e200 or 1e-200 neither overflow nor vanish
/// in their squares.
///
/// With `estimate: true`, from a few products with the matrix instead of a decomposition: block
/// Lanczos with 8 random directions and 12 products, the same ones at every run. The interval holds
/// the exact value in 95 of 100 cases. Up to 256 rows or columns the value is exact, and the
/// interval has no width.
///
/// # Errors
/// `not finite` where an entry is NaN or infinite; `beyond the range of float64` where the norm
/// itself is.
///
/// # References
/// G. H. Golub and C. F. Van Loan, *Matrix Computations*, 4th edition, section 2.3.
///
/// # Example
/// Singular values 3 and 1.
/// ```
/// use nalgebra::dmatrix;
/// use ckptscope_metrics::{Facts, Metric, ParameterValue, Parameters, Single, single::norm::Norm};
///
/// let matrix = Facts::dense(dmatrix![0.0, 3.0; -1.0, 0.0]);
/// let nuclear = Parameters::defaults(Norm.parameters())
///     .with("norm_type", ParameterValue::Choice("nuclear"));
/// assert!((Norm.measure(&nuclear, &matrix)[0].value.unwrap() - 4.0).abs() < 1e-14);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Norm;

const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "norm_type",
        summary: "which norm",
        kind: ParameterKind::Choice(&["frobenius", "nuclear", "inf", "spectral"]),
        default: ParameterValue::Choice("frobenius"),
    },
    ESTIMATE,
];

impl Metric for Norm {
    fn about(&self) -> About<'_> {
        About {
            name: "norm",
            title: "Norm",
            summary: "how large a matrix is",
            applies_to: DataKind::ALL,
            parameters: PARAMETERS,
            form: Form::Single(self),
        }
    }

    fn outputs(&self, parameters: &Parameters) -> &'static [&'static str] {
        estimate::outputs(parameters)
    }

    fn needs(&self, parameters: &Parameters) -> Needs {
        match parameters.choice("norm_type") {
            "nuclear" | "spectral" => estimate::needs(parameters),
            _ => Needs {
                magnitude_sums: true,
                ..Needs::default()
            },
        }
    }

    fn ignores_places(&self, parameters: &Parameters) -> bool {
        self.needs(parameters).magnitude_sums
    }
}

impl Single for Norm {
    fn measure(&self, parameters: &Parameters, matrix: &Facts) -> Vec<Measurement> {
        let norm_type = parameters.choice("norm_type");
        estimate::measured(
            parameters,
            || estimated(norm_type, matrix),
            || norm(norm_type, matrix),
        )
    }
}

/// What needs no singular values is exact.
fn estimated(norm_type: &str, matrix: &Facts) -> Result<Estimate, Status> {
    let scaled = match norm_type {
        "nuclear" => matrix.spectrum_estimate()?.nuclear_norm(),
        "spectral" => matrix.spectrum_estimate()?.largest(),
        _ => return norm(norm_type, matrix).map(Estimate::exact),
    };
    scaled.map(|value| matrix.unscaled(value))
}

fn norm(norm_type: &str, matrix: &Facts) -> Result<f64, Status> {
    let scaled = match norm_type {
        "nuclear" => matrix.singular_values()?.iter().sum(),
        "spectral" => matrix.singular_values()?.first().copied().unwrap_or(0.0),
        "inf" => matrix.magnitude_sums()?.largest,
        _ => matrix.magnitude_sums()?.sum_of_squares.sqrt(),
    };
    matrix.unscaled(scaled)
}
