//! The angle between two matrices, entry by entry.

use ckptscope_vocabulary::Work;

use crate::facts::{Facts, MatrixExtent, Needs};
use crate::measurement::{Measurement, Status};
use crate::metric::{About, Bias, Comparative, DataKind, Form, Metric};
use crate::parameter::Parameters;

/// How far a step's matrix points the same way as the target's.
///
/// # Definition
/// Of the step's $A$ and the target's $B$, both `[m, n]`, as vectors of their entries:
/// $$ \frac{\sum a_{ij} b_{ij}}{\lVert A \rVert_F \, \lVert B \rVert_F} $$
/// No mean is taken off.
///
/// # Range and reading
/// From -1, opposite, over 0, at right angles, to 1, where one is a positive multiple of the other.
/// Matrices in random directions are within about $1 / \sqrt{mn}$ of 0.
///
/// # Applies to
/// Weights, gradients and activations of one shape.
///
/// # Numerics
/// Products of thin factors stay in their factors; scale-free. Never beyond -1 and 1.
///
/// # Errors
/// Undefined where the shapes differ or a side is zero; `not finite` where an entry is NaN or infinite.
///
/// # References
/// None: it is the cosine of the angle between two vectors.
///
/// # Example
/// (3, 4) and (4, 3): $24 / 25$.
/// ```
/// use nalgebra::dmatrix;
/// use ckptscope_metrics::{Comparative, Facts, Parameters, comparative::cosine::Cosine};
///
/// let (step, target) = (Facts::dense(dmatrix![3.0, 4.0]), Facts::dense(dmatrix![4.0, 3.0]));
/// let cosine = Cosine.measure(&Parameters::default(), &step, &target);
/// assert!((cosine[0].value.unwrap() - 0.96).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Cosine;

impl Metric for Cosine {
    fn about(&self) -> About<'_> {
        About {
            name: "cosine",
            title: "Cosine similarity",
            summary: "how far a matrix points the same way as the target's: 1 the same, 0 at right angles",
            applies_to: DataKind::ALL,
            parameters: &[],
            form: Form::Comparative(self),
        }
    }

    fn needs(&self, _: &Parameters) -> Needs {
        Needs {
            magnitude_sums: true,
            ..Needs::default()
        }
    }

    fn work(&self, _: &Parameters, extent: MatrixExtent) -> Work {
        extent.looked_at(2.0)
    }
}

impl Comparative for Cosine {
    fn measure(&self, _: &Parameters, step: &Facts, target: &Facts) -> Vec<Measurement> {
        vec![cosine(step, target).into()]
    }

    fn bias(&self, _: &Parameters) -> Option<Bias> {
        None
    }
}

fn cosine(step: &Facts, target: &Facts) -> Result<f64, Status> {
    let product = step.inner_product(target)?;
    let length = |facts: &Facts| -> Result<f64, Status> {
        match facts.magnitude_sums()?.sum_of_squares.sqrt() {
            0.0 => Err(Status::AllZero),
            length => Ok(length),
        }
    };
    Ok((product / length(step)? / length(target)?).clamp(-1.0, 1.0))
}
