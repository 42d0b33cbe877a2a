//! A quantile of the entries.

use std::ops::Bound;

use ckptscope_vocabulary::{between, quantile_place};

use crate::facts::{Facts, Needs};
use crate::measurement::{Measurement, Status};
use crate::metric::{About, DataKind, Form, Metric, Single};
use crate::parameter::{Parameter, ParameterKind, ParameterValue, Parameters};

/// The entry below which a share `q` of all entries lies.
///
/// # Definition
/// With the `N` entries of the matrix `[m, n]` ascending, $x_{(0)} \le \dots \le x_{(N-1)}$, and
/// $h = q (N - 1)$: $x_{(\lfloor h \rfloor)}$ and the share $h - \lfloor h \rfloor$ of the way from
/// there to the next entry.
///
/// # Range and reading
/// In the units of the entries: 0 is the smallest, 0.5 the median, 1 the largest. Quantiles near
/// both ends say how far the tails reach where one outlier decides the largest entry.
///
/// # Applies to
/// Weights, gradients and activations.
///
/// # Numerics
/// The two entries are selected in one pass, without a sort.
///
/// # Errors
/// Undefined without entries; `not finite` where an entry is NaN or infinite.
///
/// # References
/// R. J. Hyndman and Y. Fan, *Sample Quantiles in Statistical Packages*, The American Statistician
/// 50 (1996), type 7: the default of NumPy, PyTorch and R.
///
/// # Example
/// Three quarters of the way from the first to the last of 1, 2, 4, 8, 16 stands 8.
/// ```
/// use nalgebra::dmatrix;
/// use ckptscope_metrics::{Facts, Metric, ParameterValue, Parameters, Single};
/// use ckptscope_metrics::single::quantile::Quantile;
///
/// let matrix = Facts::dense(dmatrix![1.0, 16.0, 4.0, 8.0, 2.0]);
/// let upper = ParameterValue::Fraction(0.75);
/// let upper = Parameters::defaults(Quantile.parameters()).with("q", upper);
/// assert_eq!(Quantile.measure(&upper, &matrix)[0].value, Some(8.0));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Quantile;

const PARAMETERS: &[Parameter] = &[Parameter {
    name: "q",
    summary: "the share of entries below it",
    kind: ParameterKind::Fraction {
        min: Bound::Included(0.0),
        max: Bound::Included(1.0),
    },
    default: ParameterValue::Fraction(0.5),
}];

impl Metric for Quantile {
    fn about(&self) -> About<'_> {
        About {
            name: "quantile",
            title: "Quantile",
            summary: "the entry below which a share q of all entries lies: 0 smallest, 0.5 median, 1 largest",
            applies_to: DataKind::ALL,
            parameters: PARAMETERS,
            form: Form::Single(self),
        }
    }

    fn needs(&self, _: &Parameters) -> Needs {
        Needs {
            magnitude_sums: true,
            entries_by_rank: true,
            ..Needs::default()
        }
    }

    fn ignores_places(&self, _: &Parameters) -> bool {
        true
    }
}

impl Single for Quantile {
    fn measure(&self, parameters: &Parameters, matrix: &Facts) -> Vec<Measurement> {
        vec![quantile(parameters.fraction("q"), matrix).into()]
    }
}

fn quantile(q: f64, matrix: &Facts) -> Result<f64, Status> {
    // Asked for its count only, it still says where entries are NaN or infinite.
    let count = matrix.magnitude_sums()?.entries;
    let too_few = Status::TooFewEntries {
        entries: 0,
        needed: 1,
    };
    let last = count.checked_sub(1).ok_or(too_few.clone())?;
    let (place, share) = quantile_place(q, last);
    if let Some(entries) = matrix.counted_entries()? {
        let below = entries.get(place).ok_or(too_few)?;
        return matrix.unscaled(between(below, entries.get(place + 1), share));
    }
    let mut entries: Vec<f64> = matrix.entries().data.into();
    let (_, below, above) = entries.select_nth_unstable_by(place, f64::total_cmp);
    let next = above.iter().copied().min_by(f64::total_cmp);
    matrix.unscaled(between(*below, next, share))
}
