//! Moments and quantiles of the entries.

use ckptscope_vocabulary::{between, quantile_place};

use ckptscope_vocabulary::Work;

use crate::facts::{Facts, MatrixExtent, Needs};
use crate::measurement::{Measurement, Status};
use crate::metric::{About, DataKind, Form, Metric, Single};
use crate::parameter::Parameters;
use crate::tally::Ascending;

/// How the entries are distributed: mean, spread, shape, zeros and quantiles.
///
/// # Definition
/// Of the $N = mn$ entries $x$ of the matrix `[m, n]`, with $\bar x = \frac1N \sum x$ and
/// $m_k = \frac1N \sum (x - \bar x)^k$:
/// - `.mean`: $\bar x$;
/// - `.std`: $\sqrt{m_2}$, of the population: $N$, not $N - 1$;
/// - `.skew`: $m_3 / m_2^{3/2}$, without a correction for bias;
/// - `.excess_kurtosis`: $m_4 / m_2^2 - 3$, without a correction for bias;
/// - `.zero_share`: the share of entries that are 0;
/// - `.q0`, `.q01`, `.q05`, `.q25`, `.q50`, `.q75`, `.q95`, `.q99`, `.q100`: quantiles at so many
///   hundredths, linear between the entries in order, as `quantile` has them.
///
/// # Range and reading
/// Mean, standard deviation and quantiles in the units of the entries. Skew is 0 of a symmetric
/// distribution. Excess kurtosis is 0 of a normal one, above 0 with heavier tails, at least -2.
///
/// # Applies to
/// Weights, gradients and activations.
///
/// # Numerics
/// One sort; entries of at most 16 bits are counted instead, many of 32 bits sorted a part at a
/// time. Moments are taken around the mean, with compensated sums: entries far from zero that
/// differ little lose no digits. Products are formed. Of a matrix whose largest magnitude is beyond
/// 1e±30, entries smaller than 1e-308 of it count as zeros.
///
/// # Errors
/// Undefined without entries; skew and excess kurtosis where all entries are equal; `not finite`
/// where an entry is NaN or infinite; `beyond the range of float64` where a value itself is.
///
/// # References
/// D. N. Joanes and C. A. Gill, "Comparing measures of sample skewness and kurtosis", The
/// Statistician 47 (1998): $g_1$ and $g_2$, the defaults of SciPy. R. J. Hyndman and Y. Fan, *Sample
/// Quantiles in Statistical Packages*, The American Statistician 50 (1996), type 7.
///
/// # Example
/// Of 0, 0, 0, 4 the mean is 1, $m_2 = (1 + 1 + 1 + 9) / 4 = 3$ and $m_3 = (27 - 3) / 4 = 6$.
/// ```
/// use nalgebra::dmatrix;
/// use ckptscope_metrics::{Facts, Parameters, Single};
/// use ckptscope_metrics::single::entry_statistics::EntryStatistics;
///
/// let matrix = Facts::dense(dmatrix![0.0, 4.0; 0.0, 0.0]);
/// let found = EntryStatistics.measure(&Parameters::default(), &matrix);
/// let value = |output: usize| found[output].value.unwrap();
/// assert_eq!((value(0), value(4)), (1.0, 0.75));
/// assert!((value(1) - 3.0_f64.sqrt()).abs() < 1e-15);
/// assert!((value(2) - 6.0 / 3.0_f64.powf(1.5)).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct EntryStatistics;

const OUTPUTS: &[&str] = &[
    ".mean",
    ".std",
    ".skew",
    ".excess_kurtosis",
    ".zero_share",
    ".q0",
    ".q01",
    ".q05",
    ".q25",
    ".q50",
    ".q75",
    ".q95",
    ".q99",
    ".q100",
];

/// The quantiles, in the order of their outputs.
const QUANTILES: [f64; 9] = [0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0];

impl Metric for EntryStatistics {
    fn about(&self) -> About<'_> {
        About {
            name: "entry_statistics",
            title: "Entry statistics",
            summary: "how entries are distributed: mean, standard deviation, skew, kurtosis, zeros, quantiles",
            applies_to: DataKind::ALL,
            parameters: &[],
            form: Form::Single(self),
        }
    }

    fn outputs(&self, _: &Parameters) -> &'static [&'static str] {
        OUTPUTS
    }

    fn needs(&self, _: &Parameters) -> Needs {
        Needs {
            sorted_entries: true,
            ..Needs::default()
        }
    }

    fn work(&self, _: &Parameters, extent: MatrixExtent) -> Work {
        extent.looked_at(20.0)
    }

    fn ignores_places(&self, _: &Parameters) -> bool {
        true
    }
}

impl Single for EntryStatistics {
    fn measure(&self, _: &Parameters, matrix: &Facts) -> Vec<Measurement> {
        match statistics(matrix) {
            Ok(found) => found,
            Err(status) => vec![Measurement::undefined(status); OUTPUTS.len()],
        }
    }
}

fn statistics(matrix: &Facts) -> Result<Vec<Measurement>, Status> {
    let sorted = matrix.sorted_entries()?;
    let moments = Moments::of(sorted)?;
    let mut found = vec![
        matrix.unscaled(moments.mean).into(),
        matrix.unscaled(moments.second.sqrt()).into(),
        moments.skew().into(),
        moments.excess_kurtosis().into(),
        Measurement::of(moments.zeros),
    ];
    for q in QUANTILES {
        let (place, share) = quantile_place(q, sorted.len() - 1);
        let below = sorted.get(place).ok_or(TOO_FEW)?;
        let quantile = between(below, sorted.get(place + 1), share);
        found.push(matrix.unscaled(quantile).into());
    }
    Ok(found)
}

const TOO_FEW: Status = Status::TooFewEntries {
    entries: 0,
    needed: 1,
};

/// The mean, the share of zeros, and central moments.
struct Moments {
    mean: f64,
    zeros: f64,
    second: f64,
    third: f64,
    fourth: f64,
}

impl Moments {
    /// Of entries in ascending order.
    fn of(sorted: Ascending<'_>) -> Result<Self, Status> {
        let (Some(first), Some(last)) = (sorted.get(0), sorted.last()) else {
            return Err(TOO_FEW);
        };
        if first == last {
            return Ok(Self {
                mean: first,
                zeros: is_zero(first),
                second: 0.0,
                third: 0.0,
                fourth: 0.0,
            });
        }
        let [near] = sorted.means_of(|entry| [entry]);
        // What rounding left out of it.
        let [rest, zeros] = sorted.means_of(|entry| [entry - near, is_zero(entry)]);
        let [second, third, fourth] =
            sorted.means_of(|entry| [2, 3, 4].map(|power| (entry - near - rest).powi(power)));
        Ok(Self {
            mean: near + rest,
            zeros,
            second,
            third,
            fourth,
        })
    }

    fn skew(&self) -> Result<f64, Status> {
        Ok(self.third / self.spread()?.powf(1.5))
    }

    fn excess_kurtosis(&self) -> Result<f64, Status> {
        Ok(self.fourth / self.spread()?.powi(2) - 3.0)
    }

    /// The second moment, where the entries differ.
    const fn spread(&self) -> Result<f64, Status> {
        if self.second > 0.0 {
            Ok(self.second)
        } else {
            Err(Status::AllEqual { what: "entries" })
        }
    }
}

/// 1 of zero, 0 of others.
fn is_zero(entry: f64) -> f64 {
    f64::from(u8::from(entry == 0.0))
}
