//! The distance of two sets of activations over rotations.

use std::rc::Rc;

use super::same_samples;
use crate::facts::{Facts, Needs};
use crate::measurement::{Measurement, Status};
use crate::metric::{About, Bias, Comparative, DataKind, Form, Metric};
use crate::parameter::{Parameter, ParameterKind, ParameterValue, Parameters};

/// How far two sets of activations are apart at best, over all rotations of one onto the other.
///
/// # Definition
/// With the columns of $X$ `[n, p]` and $Y$ `[n, q]` centred to $X_c$ and $Y_c$, the narrower one with
/// zero columns added, and $\lVert \cdot \rVert_*$ the sum of singular values:
/// $$ \min_R \Bigl\lVert \frac{X_c}{\lVert X_c \rVert_F} - \frac{Y_c}{\lVert Y_c \rVert_F} R
///    \Bigr\rVert_F = \sqrt{2 - 2 \frac{\lVert X_c^T Y_c \rVert_*}
///    {\lVert X_c \rVert_F \, \lVert Y_c \rVert_F}} $$
/// With `with_size: true` sides keep their size:
/// $$ \min_R \lVert X_c - Y_c R \rVert_F
///    = \sqrt{\lVert X_c \rVert_F^2 + \lVert Y_c \rVert_F^2 - 2 \lVert X_c^T Y_c \rVert_*} $$
///
/// # Range and reading
/// From 0, one is the other up to rotation, shift and scale, to $\sqrt 2$, nothing in common. With size
/// in the units of the activations. It is a metric: distances obey the triangle inequality. With few
/// samples of many features it is too small on average.
///
/// # Applies to
/// Activations, one row per sample, the same samples in the same order.
///
/// # Numerics
/// Products of thin factors stay in their factors. The square is good to about 1e-15 of the squared
/// lengths, so that a distance is never told from less than about 1e-7 of them.
///
/// # Errors
/// Undefined where the sample counts differ and where a side is constant over the samples; `not finite`
/// where an entry is NaN or infinite.
///
/// # References
/// P. H. Schönemann, "A generalized solution of the orthogonal Procrustes problem", Psychometrika 31
/// (1966). A. H. Williams, E. Kunz, S. Kornblith and S. Linderman, "Generalized shape metrics on neural
/// representations", NeurIPS 2021. F. Ding, J.-S. Denain and J. Steinhardt, "Grounding representation
/// similarity with statistical testing", NeurIPS 2021.
///
/// # Example
/// Centred columns (-1, 0, 1) and (-1, 1, 0): $\sqrt{2 - 2 \cdot 1 / 2} = 1$.
/// ```
/// use nalgebra::dmatrix;
/// use ckptscope_metrics::{Comparative, Facts, Parameters, comparative::procrustes::Procrustes};
///
/// let (step, target) = (dmatrix![1.0; 2.0; 3.0], dmatrix![5.0; 7.0; 6.0]);
/// let (step, target) = (Facts::dense(step), Facts::dense(target));
/// let distance = Procrustes.measure(&Parameters::default(), &step, &target);
/// assert!((distance[0].value.unwrap() - 1.0).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Procrustes;

const PARAMETERS: &[Parameter] = &[Parameter {
    name: "with_size",
    summary: "whether sizes count, instead of each side being scaled to length 1",
    kind: ParameterKind::Boolean,
    default: ParameterValue::Boolean(false),
}];

impl Metric for Procrustes {
    fn about(&self) -> About<'_> {
        About {
            name: "procrustes",
            title: "Procrustes distance",
            summary: "how far activations are from the target's at best, over all rotations: 0 the same",
            applies_to: &[DataKind::Activations],
            parameters: PARAMETERS,
            form: Form::Comparative(self),
        }
    }

    fn needs(&self, _: &Parameters) -> Needs {
        // The product of both sides and its singular values cost what these do, about.
        Needs {
            centred_gram: true,
            centred_basis: true,
            ..Needs::default()
        }
    }
}

impl Comparative for Procrustes {
    fn measure(&self, parameters: &Parameters, step: &Facts, target: &Facts) -> Vec<Measurement> {
        let distance = if parameters.boolean("with_size") {
            with_size
        } else {
            of_shapes
        };
        let distance = same_samples(step, target).and_then(|()| distance(step, target));
        vec![distance.into()]
    }

    fn bias(&self, _: &Parameters) -> Option<Bias> {
        Some(Bias::Downwards)
    }
}

/// Each side scaled to length 1.
fn of_shapes(step: &Facts, target: &Facts) -> Result<f64, Status> {
    let (x, y) = (
        step.centred()?.matrix.norm(),
        target.centred()?.matrix.norm(),
    );
    let alike = aligned(step, target)? / x / y;
    Ok((2.0 - 2.0 * alike).max(0.0).sqrt())
}

fn with_size(step: &Facts, target: &Facts) -> Result<f64, Status> {
    let (x, y) = (
        step.centred()?.matrix.norm(),
        target.centred()?.matrix.norm(),
    );
    let alike = aligned(step, target)? / x / y;
    // In units of the longer side, so that no square leaves the range.
    let (x, y) = (step.unscaled(x)?, target.unscaled(y)?);
    let (longer, shorter) = (x.max(y), x.min(y) / x.max(y));
    let square = 1.0 + shorter * shorter - 2.0 * alike * shorter;
    Ok(square.max(0.0).sqrt() * longer)
}

/// `||X_c^T Y_c||_*`, of the compact forms, which have the same singular values.
fn aligned(step: &Facts, target: &Facts) -> Result<f64, Status> {
    let (x, y) = (&step.centred()?.matrix, &target.centred()?.matrix);
    let cross = Facts::product(Rc::new(x.transpose()), Rc::new(y.clone()));
    let sum: f64 = cross.singular_values()?.iter().sum();
    cross.unscaled(sum)
}
