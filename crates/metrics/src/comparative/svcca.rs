//! Canonical correlations of the strongest directions.

use std::ops::Bound;

use super::same_samples;
use ckptscope_vocabulary::Work;

use crate::facts::{Directions, Facts, MatrixExtent, Needs};
use crate::linalg::{singular_values, transpose_product, work};
use crate::measurement::{Measurement, Status};
use crate::metric::{About, Comparative, DataKind, Form, Metric};
use crate::parameter::{Parameter, ParameterKind, ParameterValue, Parameters};

/// How alike the strongest directions of two sets of activations are: the mean of their canonical
/// correlations.
///
/// # Definition
/// With the columns of $X$ `[n, p]` centred to $X_c$ with singular values $s_i$, the first $k$
/// directions count, $k$ the smallest with $\sum_{i \le k} s_i^2 \ge v \sum_i s_i^2$, $v$ being
/// `variance`. Of $Y$ `[n, q]` likewise. With the left singular vectors $U_X$ `[n, k_X]` and $U_Y$
/// `[n, k_Y]` that are left, and $\rho_i$ the singular values of $U_X^T U_Y$:
/// $$ \frac{1}{\min(k_X, k_Y)} \sum_{i=1}^{\min(k_X, k_Y)} \rho_i $$
///
/// # Range and reading
/// From 0 to 1, where the directions of one side span those of the other. It does not feel any
/// invertible linear map of the directions that are left.
///
/// # Applies to
/// Activations, one row per sample, the same samples in the same order.
///
/// # Numerics
/// Products of thin factors stay in their factors. Where there are fewer samples than the ranks of both
/// sides together, canonical correlations are largely forced: the number has a status that says so.
/// With fewer than 5 (p + q) samples it is biased upwards.
///
/// # Errors
/// Undefined where the sample counts differ and where a side is constant over the samples; `not finite`
/// where an entry is NaN or infinite.
///
/// # References
/// M. Raghu, J. Gilmer, J. Yosinski and J. Sohl-Dickstein, "SVCCA: singular vector canonical
/// correlation analysis for deep learning dynamics and interpretability", NeurIPS 2017.
///
/// # Example
/// Single centred columns (-1, 0, 1) and (-1, 1, 0) correlate by $1 / 2$.
/// ```
/// use nalgebra::dmatrix;
/// use ckptscope_metrics::{Comparative, Facts, Metric, Parameters, comparative::svcca::Svcca};
///
/// let (step, target) = (dmatrix![1.0; 2.0; 3.0], dmatrix![5.0; 7.0; 6.0]);
/// let (step, target) = (Facts::dense(step), Facts::dense(target));
/// let svcca = Svcca.measure(&Parameters::defaults(Svcca.parameters()), &step, &target);
/// assert!((svcca[0].value.unwrap() - 0.5).abs() < 1e-14);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Svcca;

const PARAMETERS: &[Parameter] = &[Parameter {
    name: "variance",
    summary: "the share of the squared length that the directions that count must have",
    kind: ParameterKind::Fraction {
        min: Bound::Excluded(0.0),
        max: Bound::Included(1.0),
    },
    default: ParameterValue::Fraction(0.99),
}];

impl Metric for Svcca {
    fn about(&self) -> About<'_> {
        About {
            name: "svcca",
            title: "SVCCA",
            summary: "how alike the strongest directions are to those of the target: 0 not at all, 1 the same",
            applies_to: &[DataKind::Activations],
            parameters: PARAMETERS,
            form: Form::Comparative(self),
        }
    }

    fn needs(&self, _: &Parameters) -> Needs {
        Needs {
            centred_gram: true,
            centred_basis: true,
            ..Needs::default()
        }
    }

    fn work(&self, _: &Parameters, extent: MatrixExtent) -> Work {
        let rank = extent.basis_rank();
        work::product(rank, extent.rows, rank) + work::singular_values(rank, rank)
    }
}

impl Comparative for Svcca {
    fn measure(&self, parameters: &Parameters, step: &Facts, target: &Facts) -> Vec<Measurement> {
        let variance = parameters.fraction("variance");
        let result = same_samples(step, target).and_then(|()| svcca(variance, step, target));
        vec![result.unwrap_or_else(Measurement::undefined)]
    }
}

fn svcca(variance: f64, step: &Facts, target: &Facts) -> Result<Measurement, Status> {
    let strongest = |facts: &Facts| -> Result<usize, Status> {
        let whole = facts.centred()?.matrix.norm_squared();
        Ok(enough(facts.centred_directions()?, variance * whole))
    };
    let (of_x, of_y) = (strongest(step)?, strongest(target)?);
    let cross = transpose_product(
        &step.centred_basis()?.columns(0, of_x).into_owned(),
        &target.centred_basis()?.columns(0, of_y).into_owned(),
    );
    let correlations = singular_values(&cross)?;
    let sum: f64 = correlations.iter().map(|rho| rho.clamp(0.0, 1.0)).sum();
    #[allow(clippy::cast_precision_loss)] // a number of directions
    let mean = Measurement::of(sum / correlations.len() as f64);
    // Samples span one dimension less once their mean is taken off.
    let (samples, ranks) = (step.rows(), of_x + of_y);
    let is_same = std::ptr::eq(step, target);
    Ok(if samples <= ranks && !is_same {
        mean.noting(Status::ForcedCorrelations { samples, ranks })
    } else {
        mean
    })
}

/// How many directions have a squared length of at least this together; all where they have less,
/// because the rest is rounding.
fn enough(directions: &Directions, wanted: f64) -> usize {
    let mut sum = 0.0;
    let enough = directions.values.iter().position(|value| {
        sum += value * value;
        sum >= wanted
    });
    enough.map_or(directions.rank(), |last| last + 1)
}
