//! A metric of one's own. `cargo xtask test extension` puts this file among the built-in ones.

use ckptscope_metrics::{
    About, DataKind, Facts, Form, Measurement, Metric, Needs, Parameters, Single, Status,
};

/// The share of entries below zero.
///
/// # Definition
/// Of the $N = mn$ entries of the matrix `[m, n]`, the part that is negative:
/// $|\{i : x_i < 0\}| / N$.
///
/// # Range and reading
/// From 0 to 1; one half where signs are balanced.
///
/// # Applies to
/// Weights, gradients and activations.
///
/// # Numerics
/// Counts, so it is exact up to one division.
///
/// # Errors
/// Undefined for an empty matrix; `not finite` where an entry is NaN or infinite.
///
/// # References
/// None: it is an example.
///
/// # Example
/// One of the four entries 1, -4, 2, 0 is negative.
/// ```
/// use nalgebra::dmatrix;
/// use ckptscope_metrics::{Facts, Parameters, Single, single::negative_share::NegativeShare};
///
/// let matrix = Facts::dense(dmatrix![1.0, -4.0, 2.0, 0.0]);
/// let share = NegativeShare.measure(&Parameters::default(), &matrix);
/// assert_eq!(share[0].value, Some(0.25));
/// ```
pub struct NegativeShare;

impl Metric for NegativeShare {
    fn about(&self) -> About<'_> {
        About {
            name: "negative_share",
            title: "Negative share",
            summary: "the share of entries below zero",
            applies_to: DataKind::ALL,
            parameters: &[],
            form: Form::Single(self),
        }
    }

    fn needs(&self, _: &Parameters) -> Needs {
        Needs::default()
    }
}

impl Single for NegativeShare {
    fn measure(&self, _: &Parameters, matrix: &Facts) -> Vec<Measurement> {
        vec![negative_share(matrix).into()]
    }
}

fn negative_share(matrix: &Facts) -> Result<f64, Status> {
    // Asked for its count only, it still says where entries are NaN or infinite.
    let count = matrix.magnitude_sums()?.entries;
    if count == 0 {
        return Err(Status::TooFewEntries {
            entries: 0,
            needed: 1,
        });
    }
    let entries = matrix.entries();
    let negative = entries.iter().filter(|entry| **entry < 0.0).count();
    Ok(negative as f64 / count as f64)
}
