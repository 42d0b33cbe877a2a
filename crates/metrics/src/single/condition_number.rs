//! The condition number.

use crate::facts::rank::RANK;
use crate::facts::{Facts, Needs};
use crate::measurement::{Measurement, Status};
use crate::metric::{About, DataKind, Form, Metric, Single};
use crate::parameter::Parameters;

/// How unevenly a matrix stretches: its largest singular value over its smallest.
///
/// # Definition
/// Of the matrix `[m, n]` with $r$ singular values:
/// $$ \kappa = s_1 / s_r $$
/// By `rank`, $r$ is $\min(m, n)$ (`shape`) or what the factors of a product leave of it
/// (`possible`): the width of a head, for its circuit, which has no condition number by its
/// shape. `auto` is `possible` where components are found by role, else `shape`.
///
/// # Range and reading
/// From 1, a multiple of an orthogonal map, upwards without bound.
///
/// # Applies to
/// Weights, gradients and activations.
///
/// # Numerics
/// The relative error is about $\kappa\,\varepsilon$ with $\varepsilon = 2^{-52}$: a condition
/// number of 1e6 is good to about 1e-10.
///
/// Numbers that were stored in less than float64 were rounded before, to a relative
/// $\varepsilon' / 2$: $\varepsilon'$ is $2^{-23}$ of float32, $2^{-10}$ of float16, $2^{-7}$ of
/// bfloat16. That moves every singular value by up to $\varepsilon' \lVert X \rVert_F / 2$ (Weyl).
/// Where $s_r$ is not larger, a status says how many are (`rank k of r: ...`): the number may then
/// be that of the rounding. Of a product the coarsest of its inputs counts.
///
/// # Errors
/// Undefined (`rank k of r`) where $s_r \le s_1 \max(m, n)\,\varepsilon$: the smallest singular
/// value is then nothing but rounding. Undefined where the matrix is empty or all entries are
/// zero; `not finite` where an entry is NaN or infinite.
///
/// # References
/// G. H. Golub and C. F. Van Loan, *Matrix Computations*, 4th edition, section 2.6.
///
/// # Example
/// Singular values 3 and 1.
/// ```
/// use nalgebra::dmatrix;
/// use ckptscope_metrics::{Facts, Parameters, Single, single::condition_number::ConditionNumber};
///
/// let matrix = Facts::dense(dmatrix![0.0, 3.0; -1.0, 0.0]);
/// let condition = ConditionNumber.measure(&Parameters::default(), &matrix);
/// assert!((condition[0].value.unwrap() - 3.0).abs() < 1e-14);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ConditionNumber;

impl Metric for ConditionNumber {
    fn about(&self) -> About<'_> {
        About {
            name: "condition_number",
            title: "Condition number",
            summary: "how unevenly a matrix stretches: largest singular value over smallest",
            applies_to: DataKind::ALL,
            parameters: &[RANK],
            form: Form::Single(self),
        }
    }

    fn needs(&self, _: &Parameters) -> Needs {
        Needs {
            singular_values: true,
            ..Needs::default()
        }
    }
}

impl Single for ConditionNumber {
    fn measure(&self, parameters: &Parameters, matrix: &Facts) -> Vec<Measurement> {
        let rank = parameters.choice(RANK.name);
        vec![condition_number(rank, matrix).unwrap_or_else(Measurement::undefined)]
    }
}

fn condition_number(rank: &str, matrix: &Facts) -> Result<Measurement, Status> {
    let values = matrix.singular_values()?;
    let values = &values[..matrix.largest_rank(rank).min(values.len())];
    let (Some(&largest), Some(&smallest)) = (values.first(), values.last()) else {
        return Err(Status::TooFewEntries {
            entries: 0,
            needed: 1,
        });
    };
    if largest == 0.0 {
        return Err(Status::AllZero);
    }
    #[allow(clippy::cast_precision_loss)] // sizes of matrices in memory
    let threshold = largest * matrix.rows().max(matrix.columns()) as f64 * f64::EPSILON;
    let of = values.len();
    if smallest <= threshold {
        let rank = rank_above(values, threshold);
        return Err(Status::RankDeficient { rank, of });
    }
    let number = Measurement::of(largest / smallest);
    let rounding = matrix.rounding_of_storage()?;
    if smallest <= rounding {
        let rank = rank_above(values, rounding);
        return Ok(number.noting(Status::WithinRounding { rank, of }));
    }
    Ok(number)
}

/// How many singular values are larger than that.
pub(super) fn rank_above(values: &[f64], floor: f64) -> usize {
    values.iter().filter(|value| **value > floor).count()
}
