//! What one tensor looks like: its entries' distribution, and its singular values.

use ckptscope_checkpoint::{StoredTensor, Tensor};
use ckptscope_metrics::facts::estimate::{Estimate, SpectrumEstimate};
use ckptscope_metrics::{Facts, MatrixExtent, Needs, Status, Work};
use ckptscope_protocol::tab::SpectrumView;
use nalgebra::DMatrix;

use crate::component::Shape;
use crate::plan::matrix_shape;

/// Bins of a histogram.
pub const BINS: usize = 64;

/// The distribution of a tensor's entries. Those that are not finite are counted, and left out of
/// everything else.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Look {
    /// Number of entries.
    pub entries: u64,
    /// How many of them are NaN or infinite.
    pub not_finite: u64,
    /// How many are exactly 0.
    pub zeros: u64,
    /// What there is to say of the finite ones; none where there is none.
    pub finite: Option<Finite>,
}

/// The distribution of finite numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Finite {
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
    /// Mean.
    pub mean: f64,
    /// Standard deviation, of the population.
    pub standard_deviation: f64,
    /// Square root of the sum of squares; infinite where that is beyond float64.
    pub frobenius_norm: f64,
    /// Counts of [`BINS`] equally wide bins from `min` to `max`; of one bin where these are equal.
    pub histogram: Vec<u64>,
}

impl Look {
    /// Of a tensor's entries.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        Self::of_runs(values.iter().map(|value| (*value, 1)))
    }

    /// Of a tensor of which somebody counted how often each value occurs. One value may stand there
    /// several times.
    #[must_use]
    pub fn of_counts(counts: &[(f64, usize)]) -> Self {
        Self::of_runs(counts.iter().copied())
    }

    /// Of values, each with how often it occurs.
    fn of_runs(values: impl Iterator<Item = (f64, usize)> + Clone) -> Self {
        let mut look = Self::default();
        let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
        for (value, count) in values.clone() {
            let count = count as u64;
            look.entries += count;
            if value.is_finite() {
                look.zeros += if value == 0.0 { count } else { 0 };
                min = min.min(value);
                max = max.max(value);
            } else {
                look.not_finite += count;
            }
        }
        if min <= max {
            let count = look.entries - look.not_finite;
            let finite = values.filter(|(value, _)| value.is_finite());
            look.finite = Some(Finite::of(&finite, count, min, max));
        }
        look
    }
}

impl Finite {
    /// Sums are of numbers brought below 1 by a power of two, so that no square overflows.
    #[allow(clippy::cast_precision_loss)] // a count
    fn of(
        values: &(impl Iterator<Item = (f64, usize)> + Clone),
        count: u64,
        min: f64,
        max: f64,
    ) -> Self {
        let scale = power_of_two_above(min.abs().max(max.abs()));
        let scaled = || values.clone().map(|(value, count)| (value / scale, count));
        let sum_of = |term: &dyn Fn(f64) -> f64| {
            sum(scaled().map(|(value, count)| term(value) * count as f64))
        };
        let mean = sum_of(&|value| value) / count as f64;
        let squares = sum_of(&|value| value * value);
        let variance = sum_of(&|value| (value - mean) * (value - mean)) / count as f64;
        Self {
            min,
            max,
            // Rounding must not push it past the ends: of equal numbers it is that number.
            mean: (mean * scale).clamp(min, max),
            standard_deviation: variance.sqrt() * scale,
            frobenius_norm: squares.sqrt() * scale,
            histogram: histogram(scaled(), count, min / scale, max / scale),
        }
    }
}

/// The sum with what rounding takes off carried along (Neumaier, 1974).
fn sum(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut carried) = (0.0_f64, 0.0);
    for value in values {
        let next = sum + value;
        carried += if sum.abs() >= value.abs() {
            (sum - next) + value
        } else {
            (value - next) + sum
        };
        sum = next;
    }
    sum + carried
}

/// The smallest power of two that is not below a magnitude; 1 for 0. Dividing by it is exact but
/// for what vanishes beside the largest.
fn power_of_two_above(magnitude: f64) -> f64 {
    if magnitude == 0.0 {
        return 1.0;
    }
    let exponent = magnitude.log2().ceil().clamp(-1022.0, 1023.0);
    exponent.exp2()
}

#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]
fn histogram(
    values: impl Iterator<Item = (f64, usize)>,
    count: u64,
    min: f64,
    max: f64,
) -> Vec<u64> {
    let width = max - min;
    if width <= 0.0 {
        return vec![count];
    }
    let mut bins = vec![0; BINS];
    for (value, count) in values {
        let place = (value - min) / width * BINS as f64;
        // Not negative, and the largest entry belongs into the last bin.
        if let Some(bin) = bins.get_mut((place as usize).min(BINS - 1)) {
            *bin += count as u64;
        }
    }
    bins
}

/// Rows and columns of a tensor seen as a matrix.
#[must_use]
pub fn rows_and_columns(tensor: &StoredTensor) -> (usize, usize) {
    let Shape { rows, columns } = matrix_shape(tensor.shape());
    (rows, columns)
}

/// What the singular values of a tensor take, with reading it.
#[must_use]
pub fn work(rows: usize, columns: usize) -> Work {
    let needs = Needs {
        singular_values: true,
        ..Needs::default()
    };
    #[allow(clippy::cast_precision_loss)] // an estimate
    let widened = rows as f64 * columns as f64;
    let read = Work {
        widened,
        ..Work::default()
    };
    read + MatrixExtent::dense(rows, columns).work(needs)
}

/// The spectrum of a tensor seen as a matrix: exactly, or estimated from a few products with it.
///
/// # Errors
/// Why there is none, in words.
pub fn spectrum(tensor: Tensor, is_estimated: bool) -> Result<SpectrumView, String> {
    let (rows, columns) = (tensor.rows(), tensor.columns());
    let facts = Facts::dense(DMatrix::from_vec(rows, columns, tensor.values));
    spectrum_of(&facts, is_estimated).map_err(|status| status.to_string())
}

fn spectrum_of(facts: &Facts, is_estimated: bool) -> Result<SpectrumView, Status> {
    let exactly;
    let spectrum = if is_estimated {
        facts.spectrum_estimate()?
    } else {
        exactly = SpectrumEstimate::exact(facts.singular_values()?.to_vec());
        &exactly
    };
    let unscaled = |value: f64| facts.unscaled(value);
    let values: Result<_, _> = spectrum.values().into_iter().map(unscaled).collect();
    let mut numbers: Vec<Estimate> = Vec::new();
    if spectrum.of_shares().is_ok() {
        numbers.push(spectrum.largest().map(unscaled)?);
        numbers.push(spectrum.nuclear_norm().map(unscaled)?);
        numbers.push(spectrum.effective_rank());
        numbers.push(spectrum.spectral_entropy_rank());
        numbers.push(spectrum.stable_rank());
    }
    let numbers = numbers.into_iter();
    Ok(SpectrumView {
        is_estimated: !spectrum.is_exact(),
        values: values?,
        numbers: numbers.flat_map(|it| [it.value, it.low, it.high]).collect(),
    })
}

#[cfg(test)]
mod tests {
    use ckptscope_protocol::tab::SPECTRUM_NUMBERS;

    use super::*;

    #[test]
    fn by_hand() {
        let look = Look::of(&[3.0, -4.0, 0.0, f64::NAN, f64::INFINITY, 1.0]);
        assert_eq!((look.entries, look.not_finite, look.zeros), (6, 2, 1));
        let finite = look.finite.unwrap();
        assert_eq!((finite.min, finite.max, finite.mean), (-4.0, 3.0, 0.0));
        assert_eq!(finite.standard_deviation, 6.5_f64.sqrt());
        assert_eq!(finite.frobenius_norm, 26.0_f64.sqrt());
        assert_eq!(finite.histogram.len(), BINS);
        assert_eq!(finite.histogram.iter().sum::<u64>(), 4);
        let filled: Vec<_> = (0..BINS).filter(|bin| finite.histogram[*bin] > 0).collect();
        // (x + 4) / 7 * 64: 0, 36.57, 45.7 and 64.
        assert_eq!(filled, [0, 36, 45, 63]);
    }

    #[test]
    fn nothing_and_nothing_finite() {
        assert_eq!(Look::of(&[]).finite, None);
        let look = Look::of(&[f64::NAN]);
        assert_eq!((look.not_finite, look.finite), (1, None));
    }

    #[test]
    fn equal_entries_are_one_bin() {
        let finite = Look::of(&[0.1; 7]).finite.unwrap();
        assert_eq!((finite.mean, finite.standard_deviation), (0.1, 0.0));
        assert_eq!(finite.histogram, [7]);
        let zeros = Look::of(&[0.0; 3]).finite.unwrap();
        assert_eq!((zeros.frobenius_norm, zeros.histogram), (0.0, vec![3]));
    }

    #[test]
    fn the_ends_of_the_range() {
        for size in [1e300, 1e-300, f64::MIN_POSITIVE / 1024.0] {
            let finite = Look::of(&[3.0 * size, -4.0 * size]).finite.unwrap();
            let close = |found: f64, expected: f64| (found / expected - 1.0).abs() < 1e-9;
            assert!(
                close(finite.frobenius_norm, 5.0 * size),
                "{size}: {finite:?}"
            );
            assert!(
                close(finite.standard_deviation, 3.5 * size),
                "{size}: {finite:?}"
            );
            assert_eq!(finite.histogram.iter().sum::<u64>(), 2);
        }
        let widest = Look::of(&[f64::MAX, f64::MIN]).finite.unwrap();
        assert_eq!((widest.mean, widest.histogram[0]), (0.0, 1));
    }

    #[test]
    fn small_entries_count_beside_large_ones() {
        let mut values = vec![1.0; 1_000_000];
        values.push(1e16);
        let finite = Look::of(&values).finite.unwrap();
        assert_eq!(finite.mean, (1e16 + 1e6) / 1_000_001.0);
    }

    #[test]
    fn singular_values_of_a_tensor() {
        // Column-major: [[0, 2], [-3, 0]].
        let tensor = |values: Vec<f64>| Tensor {
            shape: vec![2, 2],
            values,
        };
        for is_estimated in [false, true] {
            let look = spectrum(tensor(vec![0.0, -3.0, 2.0, 0.0]), is_estimated).unwrap();
            let [largest, smallest] = look.values[..] else {
                panic!("{look:?}");
            };
            assert!((largest - 3.0).abs() < 1e-14 && (smallest - 2.0).abs() < 1e-14);
            // A small matrix is decomposed.
            assert!(!look.is_estimated);
            assert_eq!(look.numbers.len(), 3 * SPECTRUM_NUMBERS.len());
            let [norm, low, high] = look.numbers.as_chunks::<3>().0[1];
            assert!((norm - 5.0).abs() < 1e-14 && low == high);
        }
        let reason = spectrum(tensor(vec![0.0, f64::NAN, 2.0, 0.0]), true).unwrap_err();
        assert!(
            reason.contains("NaN") || reason.contains("finite"),
            "{reason}"
        );
    }

    #[test]
    fn an_estimated_spectrum_lies_near_the_exact_one() {
        // Far from any pattern, in a wide range.
        let values: Vec<f64> = (1..=300 * 400)
            .map(|i| (f64::from(i) * 0.618_033_988_749_894_9 * f64::from(i)).fract() - 0.5)
            .collect();
        let tensor = Tensor {
            shape: vec![300, 400],
            values,
        };
        let exact = spectrum(tensor.clone(), false).unwrap();
        let estimated = spectrum(tensor, true).unwrap();
        assert!(estimated.is_estimated && !exact.is_estimated);
        assert_eq!(estimated.values.len(), exact.values.len());
        assert!(estimated.values.is_sorted_by(|a, b| a >= b));
        let off = estimated.values.iter().zip(&exact.values);
        let off = off
            .map(|(a, b)| (a - b).abs() / exact.values[0])
            .fold(0.0, f64::max);
        assert!(off < 0.03, "{off}");
        // The rule's nodes, which lie in groups, leave no steps in the curve.
        let steepest = estimated
            .values
            .windows(2)
            .skip(8)
            .map(|pair| pair[0] - pair[1]);
        let steepest = steepest.fold(0.0, f64::max) / exact.values[0];
        assert!(steepest < 0.01, "{steepest}");
        let triples = |view: &SpectrumView| view.numbers.as_chunks::<3>().0.to_vec();
        for ([_, low, high], [exact, ..]) in triples(&estimated).into_iter().zip(triples(&exact)) {
            assert!(low <= exact && exact <= high, "{exact}: {low} to {high}");
        }
    }
}
