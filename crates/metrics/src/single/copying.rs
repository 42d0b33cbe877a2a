//! Whether a head writes what it reads.

use crate::facts::{Facts, Needs};
use crate::measurement::{Measurement, Status};
use crate::metric::{About, DataKind, Form, Metric, Single};
use crate::parameter::Parameters;

/// Whether a head writes what it reads: copying by the eigenvalues of its OV circuit.
///
/// # Definition
/// Of the circuit $M = O_h V_k$ `[d_model, d_model]` with eigenvalues $e_i$:
/// $$ \frac{\sum_i \operatorname{Re} e_i}{\sum_i |e_i|} $$
///
/// # Range and reading
/// From -1 to 1. Near 1 a head writes along what it reads and copies tokens, near -1 it takes them
/// away; near 0 it does neither. Of a query-key circuit near 1 a token attends to tokens like itself.
///
/// # Applies to
/// Weights, of a head's circuit in its factors: `ov_circuit` with `form: circuit`. The circuit proper
/// goes from the residual stream back into it; of other matrices the number says nothing.
///
/// # Numerics
/// From the small product $V_k O_h$ `[d_head, d_head]`, which has the same eigenvalues but for zeros;
/// the circuit is never formed. Of a layer's only head as wide as the stream, the circuit itself.
///
/// # Errors
/// Undefined where the matrix is not a square product, such as a tensor by itself or several heads
/// side by side; where all eigenvalues are zero; `not finite` where an entry is NaN or infinite.
///
/// # References
/// N. Elhage et al., "A mathematical framework for transformer circuits", Transformer Circuits Thread
/// 2021, section on copying.
///
/// # Example
/// Factors `[3, 1]` and `[1, 3]` whose small product is $1 \cdot 2 - 1 \cdot 5 = -3$: it is the only
/// eigenvalue.
/// ```
/// use std::rc::Rc;
/// use nalgebra::dmatrix;
/// use ckptscope_metrics::{Facts, Parameters, Single, single::copying::Copying};
///
/// let (output, value) = (dmatrix![1.0; -1.0; 0.0], dmatrix![2.0, 5.0, 7.0]);
/// let circuit = Facts::product(Rc::new(output), Rc::new(value));
/// assert_eq!(Copying.measure(&Parameters::default(), &circuit)[0].value, Some(-1.0));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Copying;

impl Metric for Copying {
    fn about(&self) -> About<'_> {
        About {
            name: "copying",
            title: "Copying",
            summary: "whether a head writes what it reads, by eigenvalues of its circuit: 1 copies, -1 removes",
            applies_to: &[DataKind::Weights],
            parameters: &[],
            form: Form::Single(self),
        }
    }

    fn needs(&self, _: &Parameters) -> Needs {
        Needs {
            eigenvalues: true,
            ..Needs::default()
        }
    }
}

impl Single for Copying {
    fn measure(&self, _: &Parameters, matrix: &Facts) -> Vec<Measurement> {
        vec![copying(matrix).into()]
    }
}

fn copying(matrix: &Facts) -> Result<f64, Status> {
    let found = matrix.eigenvalues_of_factors()?;
    let moduli = found.values.iter().map(|one| one.re.hypot(one.im));
    #[allow(clippy::cast_precision_loss)] // a number of eigenvalues
    let rounding = found.rounding * found.values.len() as f64;
    let moduli: f64 = moduli.sum();
    if moduli <= rounding {
        return Err(Status::ZeroDivisor);
    }
    Ok((found.sum / moduli).clamp(-1.0, 1.0))
}
