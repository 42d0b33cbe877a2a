//! Numbers by how often each occurs.
//!
//! What is stored in 16 bits has 65,536 values at most. Counting them takes one look at each
//! element and a table of fixed size, however large the tensor. Sums, order and quantiles follow
//! from the table, with less rounding than from the entries one by one.

use crate::facts::sum::Compensated;
use crate::float32::{Float32Entries, Order};

/// How often each value occurs among the entries of a matrix.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Ascending, -0 before 0.
    runs: Vec<CountedValue>,
    not_finite: usize,
}

/// Entries of one value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CountedValue {
    /// The value.
    pub value: f64,
    /// How many entries come before it in ascending order.
    pub before: usize,
    /// How many entries have it.
    pub count: usize,
}

impl Tally {
    /// Of values, each with how often it occurs, in any order. A value may come several times.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = (f64, usize)>) -> Self {
        let (mut finite, mut not_finite) = (Vec::new(), 0);
        for (value, count) in values {
            if value.is_finite() {
                finite.push((value, count));
            } else {
                not_finite += count;
            }
        }
        finite.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        Self {
            runs: runs(finite.into_iter()),
            not_finite,
        }
    }

    /// The finite values, ascending.
    #[must_use]
    pub fn runs(&self) -> &[CountedValue] {
        &self.runs
    }

    /// How many entries are NaN or infinite.
    #[must_use]
    pub const fn not_finite(&self) -> usize {
        self.not_finite
    }

    /// The largest magnitude of finite values; 0 where there is none.
    #[must_use]
    pub fn largest_magnitude(&self) -> f64 {
        let ends = self.runs.first().into_iter().chain(self.runs.last());
        ends.map(|run| run.value.abs()).fold(0.0, f64::max)
    }

    /// The magnitudes of the finite values, ascending.
    #[must_use]
    pub fn magnitudes(&self) -> Vec<CountedValue> {
        let split = self
            .runs
            .partition_point(|run| run.value.is_sign_negative());
        let (below, above) = self.runs.split_at(split);
        let mut below = below
            .iter()
            .rev()
            .map(|run| (-run.value, run.count))
            .peekable();
        let mut above = above.iter().map(|run| (run.value, run.count)).peekable();
        runs(std::iter::from_fn(|| match (below.peek(), above.peek()) {
            (Some(negative), Some(positive)) if negative.0 <= positive.0 => below.next(),
            (Some(_), None) => below.next(),
            _ => above.next(),
        }))
    }

    /// The same with every value changed by a function that keeps their order.
    pub(crate) fn map(&self, change: impl Fn(f64) -> f64) -> Self {
        let changed = self.runs.iter().map(|run| (change(run.value), run.count));
        Self {
            runs: runs(changed),
            not_finite: self.not_finite,
        }
    }
}

/// Runs of ascending values, equal ones together.
fn runs(ascending: impl Iterator<Item = (f64, usize)>) -> Vec<CountedValue> {
    let mut runs: Vec<CountedValue> = Vec::new();
    for (value, count) in ascending.filter(|(_, count)| *count > 0) {
        match runs.last_mut() {
            Some(last) if last.value.to_bits() == value.to_bits() => last.count += count,
            last => {
                let before = last.map_or(0, |last| last.before + last.count);
                runs.push(CountedValue {
                    value,
                    before,
                    count,
                });
            }
        }
    }
    runs
}

/// Numbers in ascending order: one by one, as runs of equal ones where they were counted, or part
/// by part.
#[derive(Clone, Copy, Debug)]
pub enum Ascending<'a> {
    /// Each of them.
    Each(&'a [f64]),
    /// Each value once.
    Runs(&'a [CountedValue]),
    /// Entries of 32 bits, sorted a part at a time.
    Parts(&'a Float32Entries, Order),
}

impl Ascending<'_> {
    /// How many they are.
    #[must_use]
    pub fn len(self) -> usize {
        match self {
            Self::Each(numbers) => numbers.len(),
            Self::Runs(runs) => runs.last().map_or(0, |run| run.before + run.count),
            Self::Parts(entries, _) => entries.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The one at a place, counted from the smallest.
    #[must_use]
    pub fn get(self, place: usize) -> Option<f64> {
        match self {
            Self::Each(numbers) => numbers.get(place).copied(),
            Self::Runs(runs) => {
                let next = runs.partition_point(|run| run.before + run.count <= place);
                runs.get(next).map(|run| run.value)
            }
            Self::Parts(entries, order) => entries.get(order, place),
        }
    }

    /// The last one.
    #[must_use]
    pub fn last(self) -> Option<f64> {
        self.get(self.len().checked_sub(1)?)
    }

    /// Shows each value with how often it stands there, ascending. Numbers that are not runs stand
    /// for themselves.
    pub fn for_each_run(self, look: &mut dyn FnMut(f64, usize)) {
        match self {
            Self::Each(numbers) => numbers.iter().for_each(|number| look(*number, 1)),
            Self::Runs(runs) => runs.iter().for_each(|run| look(run.value, run.count)),
            Self::Parts(entries, order) => {
                for part in 0..order.parts() {
                    let numbers = entries.numbers(order, part);
                    numbers.into_iter().for_each(|number| look(number, 1));
                }
            }
        }
    }

    /// Each of them, ascending.
    #[must_use]
    pub fn each(self) -> Vec<f64> {
        let mut each = Vec::with_capacity(self.len());
        self.for_each_run(&mut |value, count| each.extend(std::iter::repeat_n(value, count)));
        each
    }

    /// The largest so many of them, descending.
    #[must_use]
    pub fn largest(self, count: usize) -> Vec<f64> {
        let mut largest = Vec::new();
        let mut add = |value: f64, entries: usize| {
            let room = count - largest.len();
            largest.extend(std::iter::repeat_n(value, entries.min(room)));
            room > entries
        };
        match self {
            Self::Each(numbers) => numbers.iter().rev().all(|number| add(*number, 1)),
            Self::Runs(runs) => runs.iter().rev().all(|run| add(run.value, run.count)),
            Self::Parts(entries, order) => (0..order.parts()).rev().all(|part| {
                let numbers = entries.numbers(order, part);
                numbers.into_iter().rev().all(|number| add(number, 1))
            }),
        };
        largest
    }

    /// The means of what a function makes of each, by compensated sums.
    #[must_use]
    pub fn means_of<const N: usize>(self, terms: impl Fn(f64) -> [f64; N]) -> [f64; N] {
        let mut sums = [Compensated::default(); N];
        self.for_each_run(&mut |value, count| {
            for (sum, term) in sums.iter_mut().zip(terms(value)) {
                sum.add(term * as_float(count));
            }
        });
        sums.map(|sum| sum.total() / as_float(self.len()))
    }
}

#[allow(clippy::cast_precision_loss)] // entries of a tensor are far below 2^53
pub(crate) const fn as_float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::{Ascending, CountedValue, Tally};

    fn run(value: f64, before: usize, count: usize) -> CountedValue {
        CountedValue {
            value,
            before,
            count,
        }
    }

    #[test]
    fn values_are_counted_in_order() {
        let values = [
            (2.0, 1),
            (-1.0, 2),
            (f64::NAN, 3),
            (0.5, 0),
            (2.0, 4),
            (-0.0, 1),
        ];
        let tally = Tally::of(values);
        let expected = [run(-1.0, 0, 2), run(-0.0, 2, 1), run(2.0, 3, 5)];
        assert_eq!((tally.runs(), tally.not_finite()), (&expected[..], 3));
        assert_eq!(tally.largest_magnitude(), 2.0);
    }

    #[test]
    fn magnitudes_of_both_signs_are_one_run() {
        let tally = Tally::of([
            (-3.0, 1),
            (-1.0, 2),
            (0.0, 1),
            (-0.0, 1),
            (1.0, 1),
            (2.0, 1),
        ]);
        let expected = [
            run(0.0, 0, 2),
            run(1.0, 2, 3),
            run(2.0, 5, 1),
            run(3.0, 6, 1),
        ];
        assert_eq!(tally.magnitudes(), expected);
    }

    #[test]
    fn runs_have_the_numbers_that_they_stand_for() {
        let runs = [run(1.0, 0, 2), run(4.0, 2, 1), run(5.0, 3, 3)];
        let (counted, each) = (Ascending::Runs(&runs), [1.0, 1.0, 4.0, 5.0, 5.0, 5.0]);
        let listed = Ascending::Each(&each);
        assert_eq!(counted.each(), each);
        for count in 0..8 {
            assert_eq!(counted.largest(count), listed.largest(count), "{count}");
        }
        for place in 0..8 {
            assert_eq!(counted.get(place), listed.get(place), "{place}");
        }
        assert_eq!((counted.len(), counted.last()), (6, Some(5.0)));
        let means = |numbers: Ascending<'_>| numbers.means_of(|x| [x, x * x]);
        assert_eq!(means(counted), means(listed));
    }
}
