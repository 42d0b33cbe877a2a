//! What CKA comes to by chance.

use super::same_samples;
use crate::facts::{Facts, Needs};
use crate::measurement::{Measurement, Status};
use crate::metric::{About, Bias, Comparative, DataKind, Form, Metric};
use crate::parameter::Parameters;

/// What CKA would be on average if samples were matched at random: its chance level.
///
/// # Definition
/// With the columns of $X$ `[n, p]` and $Y$ `[n, q]` centred to $X_c$ and $Y_c$, the mean of linear CKA
/// over all orders of the samples of $Y$:
/// $$ \frac{\lVert X_c \rVert_F^2 \, \lVert Y_c \rVert_F^2}
///    {(n - 1) \, \lVert X_c^T X_c \rVert_F \, \lVert Y_c^T Y_c \rVert_F} $$
///
/// # Range and reading
/// Above 0, at most 1. CKA near it says nothing: with few samples of many features it is large. The
/// chance level of CKA with `debiased: true` is 0 always.
///
/// # Applies to
/// Activations, one row per sample, the same samples in the same order.
///
/// # Numerics
/// Exact; no order is drawn. From the Gram matrices that CKA needs.
///
/// # Errors
/// Undefined where the sample counts differ and where a side is constant over the samples; `not finite`
/// where an entry is NaN or infinite.
///
/// # References
/// J. Josse, J. Pagès and F. Husson, "Testing the significance of the RV coefficient", Computational
/// Statistics and Data Analysis 53 (2008): the mean over permutations, of the same coefficient.
///
/// # Example
/// Of a single centred column on both sides it is $1 / (n - 1)$.
/// ```
/// use nalgebra::dmatrix;
/// use ckptscope_metrics::{Comparative, Facts, Parameters, comparative::cka_chance::CkaChance};
///
/// let (step, target) = (dmatrix![1.0; 2.0; 3.0], dmatrix![5.0; 7.0; 6.0]);
/// let (step, target) = (Facts::dense(step), Facts::dense(target));
/// let chance = CkaChance.measure(&Parameters::default(), &step, &target);
/// assert!((chance[0].value.unwrap() - 0.5).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CkaChance;

impl Metric for CkaChance {
    fn about(&self) -> About<'_> {
        About {
            name: "cka_chance",
            title: "CKA by chance",
            summary: "what CKA would be on average if samples were matched at random",
            applies_to: &[DataKind::Activations],
            parameters: &[],
            form: Form::Comparative(self),
        }
    }

    fn needs(&self, _: &Parameters) -> Needs {
        Needs {
            centred_gram: true,
            ..Needs::default()
        }
    }
}

impl Comparative for CkaChance {
    fn measure(&self, _: &Parameters, step: &Facts, target: &Facts) -> Vec<Measurement> {
        let chance = same_samples(step, target).and_then(|()| chance(step, target));
        vec![chance.into()]
    }

    fn bias(&self, _: &Parameters) -> Option<Bias> {
        None
    }
}

fn chance(step: &Facts, target: &Facts) -> Result<f64, Status> {
    let spread = |facts: &Facts| -> Result<f64, Status> {
        Ok(facts.centred()?.matrix.norm_squared() / facts.centred_gram()?.norm())
    };
    let spreads = spread(step)? * spread(target)?;
    #[allow(clippy::cast_precision_loss)] // a number of samples
    let others = (step.rows() - 1) as f64;
    Ok(spreads / others)
}
