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
    pub const fn at_least(self, other: Self) -> Self {
        Self {
            products: self.products.max(other.products),
            vectors: self.vectors.max(other.vectors),
            turns: self.turns.max(other.turns),
            comparisons: self.comparisons.max(other.comparisons),
            entries: self.entries.max(other.entries),
            widened: self.widened.max(other.widened),
        }
    }

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
}

impl Add for Rates {
    type Output = Self;

    /// Of both together.
    fn add(self, other: Self) -> Self {
        Self {
            products: self.products + other.products,
            vectors: self.vectors + other.vectors,
            turns: self.turns + other.turns,
            comparisons: self.comparisons + other.comparisons,
            entries: self.entries + other.entries,
            widened: self.widened + other.widened,
        }
    }
}

impl Mul<f64> for Rates {
    type Output = Self;

    /// So many times as fast.
    fn mul(self, factor: f64) -> Self {
        let Self {
            products,
            vectors,
            turns,
            comparisons,
            entries,
            widened,
        } = self;
        Self {
            products: products * factor,
            vectors: vectors * factor,
            turns: turns * factor,
            comparisons: comparisons * factor,
            entries: entries * factor,
            widened: widened * factor,
        }
    }
}

impl Add for Work {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            products: self.products + other.products,
            vectors: self.vectors + other.vectors,
            turns: self.turns + other.turns,
            comparisons: self.comparisons + other.comparisons,
            entries: self.entries + other.entries,
            widened: self.widened + other.widened,
        }
    }
}

impl Mul<f64> for Work {
    type Output = Self;

    /// So often.
    fn mul(self, count: f64) -> Self {
        Self {
            products: self.products * count,
            vectors: self.vectors * count,
            turns: self.turns * count,
            comparisons: self.comparisons * count,
            entries: self.entries * count,
            widened: self.widened * count,
        }
    }
}

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
