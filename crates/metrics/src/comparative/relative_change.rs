//! How far a matrix is from another, entry by entry.

use ckptscope_vocabulary::Work;

use crate::facts::{Facts, MatrixExtent, Needs};
use crate::measurement::{Measurement, Status};
use crate::metric::{About, Bias, Comparative, DataKind, Form, Metric};
use crate::parameter::Parameters;

/// How far a step's matrix is from the target's, as a share of the target's length.
///
/// # Definition
/// Of the step's $A$ and the target's $B$, both `[m, n]`:
/// $$ \frac{\lVert A - B \rVert_F}{\lVert B \rVert_F} $$
///
/// # Range and reading
/// From 0, where they are equal, upwards. Against the first step it is what training changed, against
/// the step before how large an update was. Of two matrices of equal length in random directions it is
/// about $\sqrt 2$.
///
/// # Applies to
/// Weights, gradients and activations of one shape.
///
/// # Numerics
/// The difference is formed before it is measured: nearly equal matrices lose no digits. Products of
/// thin factors stay in factors, of which the differences are taken first.
///
/// # Errors
/// Undefined where the shapes differ or the target is zero; `not finite` where an entry is NaN or
/// infinite; `beyond the range of float64` where the ratio itself is.
///
/// # References
/// None: it is the relative error of numerical analysis (N. J. Higham, *Accuracy and Stability of
/// Numerical Algorithms*, section 1.2).
///
/// # Example
/// From (3, 4) to (3, 1): $3 / 5$ of the former's length.
/// ```
/// use nalgebra::dmatrix;
/// use ckptscope_metrics::{Comparative, Facts, Parameters};
/// use ckptscope_metrics::comparative::relative_change::RelativeChange;
///
/// let (step, target) = (Facts::dense(dmatrix![3.0, 1.0]), Facts::dense(dmatrix![3.0, 4.0]));
/// let change = RelativeChange.measure(&Parameters::default(), &step, &target);
/// assert!((change[0].value.unwrap() - 0.6).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RelativeChange;

impl Metric for RelativeChange {
    fn about(&self) -> About<'_> {
        About {
            name: "relative_change",
            title: "Relative change",
            summary: "how far a matrix is from the target's, as a share of the target's length",
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
        extent.looked_at(6.0)
    }
}

impl Comparative for RelativeChange {
    fn measure(&self, _: &Parameters, step: &Facts, target: &Facts) -> Vec<Measurement> {
        vec![relative_change(step, target).into()]
    }

    fn bias(&self, _: &Parameters) -> Option<Bias> {
        None
    }
}

fn relative_change(step: &Facts, target: &Facts) -> Result<f64, Status> {
    step.relative_distance(target)
}
