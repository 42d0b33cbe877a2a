//! How finely the numbers of a matrix were stored, before they were widened to float64.

/// The gap between 1 and the next number of a format: twice what rounding to it may change, as a
/// share of the number. The coarser format is the greater.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Precision {
    epsilon: f64,
}

impl Precision {
    /// Of float64, in which everything is computed.
    pub const DOUBLE: Self = Self {
        epsilon: f64::EPSILON,
    };

    /// Of a format whose fractions have so many bits: 23 of float32, 10 of float16, 7 of bfloat16.
    #[must_use]
    pub fn of_fraction_bits(bits: u32) -> Self {
        Self {
            epsilon: (-f64::from(bits)).exp2(),
        }
    }

    /// The gap between 1 and the next number.
    #[must_use]
    pub const fn epsilon(self) -> f64 {
        self.epsilon
    }

    /// The coarser of the two: that of what is computed of both.
    #[must_use]
    pub fn coarser(self, other: Self) -> Self {
        if self < other { other } else { self }
    }
}
