//! How much there is to compute, by kinds of work, and how fast a machine does each.
//!
//! One figure would not do: of the same operations a product of large matrices takes a tenth of the
//! time that they take one after the other. What differs between machines, and between a program
//! and a browser's tab, are the rates of these kinds.

use std::iter::Sum;
use std::ops::{Add, Mul};

use serde::{Deserialize, Serialize};

/// Work, counted by kinds. Estimated from shapes alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Work {
    /// Floating-point operations of products of matrices.
    pub products: f64,
    /// Floating-point operations of matrices times vectors, as decompositions do them.
    pub vectors: f64,
    /// Rotations, reflections and the like that wait for the one before.
    pub turns: f64,
    /// Comparisons of sorts.
    pub comparisons: f64,
    /// Entries looked at, each time that somebody does.
    pub entries: f64,
    /// Entries read and widened to float64.
    pub widened: f64,
}

/// How much of each kind of work one thread does in a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rates {
    /// Floating-point operations of products of matrices, per second.
    pub products: f64,
    /// Floating-point operations of matrices times vectors, per second.
    pub vectors: f64,
    /// Rotations, reflections and the like, per second.
    pub turns: f64,
    /// Comparisons, per second.
    pub comparisons: f64,
    /// Entries looked at, per second.
    pub entries: f64,
    /// Entries read and widened, per second.
    pub widened: f64,
}

impl Work {
    /// How long one thread takes, in seconds. A kind whose rate is not known counts for nothing:
    /// see [`Rates::are_known`].
    #[must_use]
    pub fn seconds(&self, rates: &Rates) -> f64 {
        let kinds = self.kinds().into_iter().zip(rates.kinds());
        let known = kinds.filter(|(_, rate)| *rate > 0.0);
        known.map(|(work, rate)| work / rate).sum()
    }

    /// Operations of all kinds, taken together.
    #[must_use]
    pub fn operations(&self) -> f64 {
        self.kinds().into_iter().sum()
    }
}

impl Rates {
    /// Of an ordinary machine: for what must be the same on all of them.
    pub const ORDINARY: Self = Self {
        products: 3e10,
        vectors: 6e9,
        turns: 7e8,
        comparisons: 7e8,
        entries: 5e8,
        widened: 7e8,
    };

    /// Whether somebody measured them all.
    #[must_use]
    pub fn are_known(&self) -> bool {
        self.kinds().iter().all(|rate| *rate > 0.0)
    }

    /// The faster of the two in every kind.
    #[must_use]
    pub fn at_least(self, other: Self) -> Self {
        self.with(other, f64::max)
    }
}

/// What both have: their figures in one order, sums and multiples.
macro_rules! figures_of_kinds {
    ($type:ident) => {
        impl $type {
            const fn kinds(&self) -> [f64; 6] {
                [
                    self.products,
                    self.vectors,
                    self.turns,
                    self.comparisons,
                    self.entries,
                    self.widened,
                ]
            }

            const fn of_kinds(kinds: [f64; 6]) -> Self {
                let [products, vectors, turns, comparisons, entries, widened] = kinds;
                Self {
                    products,
                    vectors,
                    turns,
                    comparisons,
                    entries,
                    widened,
                }
            }

            fn with(self, other: Self, figure: impl Fn(f64, f64) -> f64) -> Self {
                let others = other.kinds();
                let mut kinds = self.kinds();
                for (one, other) in kinds.iter_mut().zip(others) {
                    *one = figure(*one, other);
                }
                Self::of_kinds(kinds)
            }
        }

        impl Add for $type {
            type Output = Self;

            /// Of both together.
            fn add(self, other: Self) -> Self {
                self.with(other, Add::add)
            }
        }

        impl Mul<f64> for $type {
            type Output = Self;

            /// So many times as much, or as fast.
            fn mul(self, factor: f64) -> Self {
                Self::of_kinds(self.kinds().map(|figure| figure * factor))
            }
        }
    };
}

figures_of_kinds!(Work);
figures_of_kinds!(Rates);

impl Sum for Work {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::{Rates, Work};

    const WORK: Work = Work {
        products: 6e9,
        vectors: 2e9,
        turns: 3e6,
        comparisons: 4e6,
        entries: 5e6,
        widened: 8e6,
    };

    const RATES: Rates = Rates {
        products: 2e9,
        vectors: 1e9,
        turns: 1e6,
        comparisons: 2e6,
        entries: 5e6,
        widened: 4e6,
    };

    #[test]
    fn every_kind_takes_its_time() {
        assert_eq!(WORK.seconds(&RATES), 3.0 + 2.0 + 3.0 + 2.0 + 1.0 + 2.0);
        assert_eq!(Work::default().seconds(&RATES), 0.0);
        assert_eq!(WORK.operations(), 8.02e9);
    }

    #[test]
    fn times_add_up() {
        let twice = (WORK + WORK).seconds(&RATES);
        assert_eq!(twice, 2.0 * WORK.seconds(&RATES));
        assert_eq!((WORK * 2.0).seconds(&RATES), twice);
        assert_eq!([WORK; 3].into_iter().sum::<Work>(), WORK * 3.0);
        assert_eq!(WORK.seconds(&(RATES * 2.0)) * 2.0, WORK.seconds(&RATES));
    }

    #[test]
    fn rates_are_known_where_all_are() {
        assert!(RATES.are_known() && Rates::ORDINARY.are_known());
        assert!(!Rates::default().are_known());
        let some = Rates {
            widened: 0.0,
            ..RATES
        };
        assert!(!some.are_known() && RATES.at_least(some).are_known());
        assert!(some.at_least(RATES).are_known());
    }
}
