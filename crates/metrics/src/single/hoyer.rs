//! Hoyer's sparseness.

use crate::facts::{Facts, Needs};
use crate::measurement::{Measurement, Status};
use crate::metric::{About, DataKind, Form, Metric, Single};
use crate::parameter::Parameters;

/// How few entries carry the matrix: Hoyer's sparseness, from the ratio of its L1 and L2 norms.
///
/// # Definition
/// Over the $N = mn$ entries of the matrix `[m, n]`:
/// $$ H = \frac{\sqrt N - \lVert x \rVert_1 / \lVert x \rVert_2}{\sqrt N - 1} $$
///
/// # Range and reading
/// From 0, where all magnitudes are equal, to 1, where a single entry is not zero.
///
/// # Applies to
/// Weights, gradients and activations.
///
/// # Numerics
/// One pass; scale-free. Exactly 0 where all magnitudes are equal: values that rounding alone may
/// have moved from 0 are looked at again. Never beyond 0 and 1.
///
/// # Errors
/// Undefined for fewer than two entries (`1 entries, at least 2 needed`) and where all are zero;
/// `not finite` where an entry is NaN or infinite.
///
/// # References
/// P. O. Hoyer, "Non-negative matrix factorization with sparseness constraints", Journal of
/// Machine Learning Research 5 (2004).
///
/// # Example
/// Entries 3, 4, 0, 0: $(2 - 7/5) / (2 - 1) = 0.6$.
/// ```
/// use nalgebra::dmatrix;
/// use ckptscope_metrics::{Facts, Parameters, Single, single::hoyer::Hoyer};
///
/// let matrix = Facts::dense(dmatrix![3.0, 0.0; 4.0, 0.0]);
/// let hoyer = Hoyer.measure(&Parameters::default(), &matrix);
/// assert!((hoyer[0].value.unwrap() - 0.6).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Hoyer;

impl Metric for Hoyer {
    fn about(&self) -> About<'_> {
        About {
            name: "hoyer",
            title: "Hoyer sparsity",
            summary: "how few entries carry the matrix: 0 dense, 1 a single entry",
            applies_to: DataKind::ALL,
            parameters: &[],
            form: Form::Single(self),
        }
    }

    fn needs(&self, _: &Parameters) -> Needs {
        Needs {
            magnitude_sums: true,
            ..Needs::default()
        }
    }

    fn ignores_places(&self, _: &Parameters) -> bool {
        true
    }
}

impl Single for Hoyer {
    fn measure(&self, _: &Parameters, matrix: &Facts) -> Vec<Measurement> {
        vec![hoyer(matrix).into()]
    }
}

fn hoyer(matrix: &Facts) -> Result<f64, Status> {
    let statistics = matrix.magnitude_sums()?;
    if statistics.entries < 2 {
        return Err(Status::TooFewEntries {
            entries: statistics.entries,
            needed: 2,
        });
    }
    if statistics.largest == 0.0 {
        return Err(Status::AllZero);
    }
    #[allow(clippy::cast_precision_loss)] // entries in memory are far below 2^53
    let root = (statistics.entries as f64).sqrt();
    let hoyer = (root - statistics.sum / statistics.sum_of_squares.sqrt()) / (root - 1.0);
    if hoyer < ROUNDING && matrix.has_even_magnitudes()? {
        return Ok(0.0);
    }
    Ok(hoyer.clamp(0.0, 1.0))
}

/// What rounding makes of 0, and much more.
const ROUNDING: f64 = 1e-9;
