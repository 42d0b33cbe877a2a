//! The size of a matrix as a power of two, taken out of it so that no square of an entry leaves
//! the range of float64.

use nalgebra::DMatrix;

use super::entries::padded;

/// Magnitudes beyond this, or all below its inverse, are scaled: fourth powers of a product of
/// two such factors still fit.
const LARGEST: f64 = 1e30;

/// Powers of two that are multiplied by at a time: they and their inverses are float64s.
const STEP: i32 = 1000;

/// Entries looked at side by side, so that none waits for the one before.
const LANES: usize = 8;

/// A power of two, by its exponent; none for zeros, which have no size. Nearly always 2^0.
///
/// An exponent, because the product of two powers may be no float64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Scale(Option<i32>);

impl Scale {
    /// What to divide a matrix by: 2^0 unless its largest finite magnitude is out of range.
    pub(super) fn of(matrix: &DMatrix<f64>) -> Self {
        Self::of_largest(largest_finite_magnitude(matrix.as_slice()))
    }

    /// What to divide a matrix by whose largest finite magnitude is this.
    pub(super) fn of_largest(largest: f64) -> Self {
        if largest == 0.0 {
            return Self(None);
        }
        if (LARGEST.recip()..=LARGEST).contains(&largest) {
            return Self(Some(0));
        }
        // 2^-1022 is the smallest power of two whose inverse is finite; the logarithm of the
        // largest float64 rounds to 1024.
        #[allow(clippy::cast_possible_truncation)] // it is within these bounds
        let exponent = largest.log2().floor().clamp(-1022.0, 1023.0) as i32;
        Self(Some(exponent))
    }

    /// Of the product of two matrices.
    pub(super) fn times(self, other: Self) -> Self {
        Self(self.0.zip(other.0).map(|(a, b)| a + b))
    }

    /// The largest of those of several matrices.
    pub(super) fn largest(scales: impl Iterator<Item = Self>) -> Self {
        scales.max().unwrap_or(Self(None))
    }

    /// Whether it is 2^0.
    pub(super) fn is_one(self) -> bool {
        self.exponent() == 0
    }

    /// `value` times this power of two.
    pub(super) fn restore(self, value: f64) -> f64 {
        times_power_of_two(value, self.exponent())
    }

    /// The factor from numbers in this scale to numbers in the scale `other`.
    pub(super) fn relative_to(self, other: Self) -> f64 {
        match (self.0, other.0) {
            (Some(own), Some(other)) => times_power_of_two(1.0, own - other),
            _ => 1.0,
        }
    }

    /// The matrix divided by this power of two.
    pub(super) fn taken_out_of(self, matrix: &DMatrix<f64>) -> DMatrix<f64> {
        let divisor = f64::from(self.exponent()).exp2();
        matrix.map(|entry| entry / divisor)
    }

    fn exponent(self) -> i32 {
        self.0.unwrap_or(0)
    }
}

/// 0 where there is none.
fn largest_finite_magnitude(entries: &[f64]) -> f64 {
    let mut largest = [0.0_f64; LANES];
    let (chunks, rest) = entries.as_chunks::<LANES>();
    for chunk in chunks.iter().chain([&padded(rest)]) {
        for (largest, entry) in largest.iter_mut().zip(chunk) {
            let magnitude = entry.abs();
            if magnitude > *largest && magnitude < f64::INFINITY {
                *largest = magnitude;
            }
        }
    }
    largest.into_iter().fold(0.0, f64::max)
}

fn times_power_of_two(mut value: f64, mut exponent: i32) -> f64 {
    while exponent.abs() > STEP {
        let step = STEP * exponent.signum();
        value *= f64::from(step).exp2();
        exponent -= step;
    }
    value * f64::from(exponent).exp2()
}

#[cfg(test)]
mod tests {
    use nalgebra::dmatrix;

    use super::{Scale, times_power_of_two};

    #[test]
    fn what_is_taken_out_is_restored() {
        for largest in [5e-324, 1e-310, 1e-31, 1.0, 1e30, 1e31, f64::MAX] {
            let matrix = dmatrix![largest, 0.0];
            let scale = Scale::of(&matrix);
            let rest = scale.taken_out_of(&matrix)[0];
            assert!((1e-30..=1e30).contains(&rest), "{largest}: {rest}");
            assert_eq!(scale.restore(rest), largest);
        }
    }

    #[test]
    fn zeros_and_infinities_have_no_size() {
        for matrix in [dmatrix![0.0, -0.0], dmatrix![f64::NAN, f64::INFINITY]] {
            assert_eq!(Scale::of(&matrix), Scale(None));
            assert!(Scale::of(&matrix) < Scale(Some(-2000)));
        }
    }

    #[test]
    fn powers_beyond_the_range_cancel() {
        let (large, small) = (Scale(Some(1023)), Scale(Some(-1022)));
        assert_eq!(large.times(large).relative_to(large), 1023_f64.exp2());
        assert_eq!(large.times(small).restore(3.0), 6.0);
        assert_eq!(small.times(small).relative_to(large), 0.0);
    }

    #[test]
    fn a_power_beyond_the_range_may_have_a_product_within() {
        assert_eq!(times_power_of_two((-60_f64).exp2(), 1060), 1000_f64.exp2());
        assert_eq!(times_power_of_two(60_f64.exp2(), -1100), (-1040_f64).exp2());
        assert_eq!(times_power_of_two(1.0, 2000), f64::INFINITY);
    }
}
