//! Facts of the entries one by one.

use std::rc::Rc;

use super::sum::Compensated;
use super::{Counted, Facts, Matrix};
use crate::float32::{Float32Entries, Order};
use crate::measurement::Status;
use crate::sort::{sort_magnitudes, sort_numbers};
use crate::tally::{Ascending, CountedValue, Tally, as_float};

/// Sums over the magnitudes of all entries, in the matrix's scale.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MagnitudeSums {
    /// Number of entries, `N = m n`.
    pub entries: usize,
    /// `L1`: the sum of magnitudes.
    pub sum: f64,
    /// The sum of squares.
    pub sum_of_squares: f64,
    /// The largest magnitude.
    pub largest: f64,
}

/// Numbers in ascending order, as somebody came by them.
#[derive(Debug)]
pub(super) enum Sorted {
    /// Sorted.
    Each(Vec<f64>),
    /// Counted.
    Runs(Vec<CountedValue>),
}

/// Independent partial sums: enough for the widest vector unit, and less rounding than one sum.
const PARTIAL_SUMS: usize = 8;

impl MagnitudeSums {
    fn of(counted: &Counted) -> Self {
        match counted {
            Counted::Values(tally) => Self::of_tally(tally),
            Counted::Float32(entries) => {
                let (sum, sum_of_squares) = entries.sums();
                Self {
                    entries: entries.len(),
                    sum,
                    sum_of_squares,
                    largest: entries.largest(),
                }
            }
        }
    }

    fn of_tally(tally: &Tally) -> Self {
        let (mut sum, mut squares) = (Compensated::default(), Compensated::default());
        let mut entries = 0;
        for run in tally.runs() {
            let magnitude = run.value.abs();
            sum.add(magnitude * as_float(run.count));
            squares.add(magnitude * magnitude * as_float(run.count));
            entries += run.count;
        }
        Self {
            entries,
            sum: sum.total(),
            sum_of_squares: squares.total(),
            largest: tally.largest_magnitude(),
        }
    }

    fn add(&mut self, entries: &[f64]) {
        let mut sums = [0.0; PARTIAL_SUMS];
        let mut squares = [0.0; PARTIAL_SUMS];
        let mut largest = [0.0f64; PARTIAL_SUMS];
        let (chunks, rest) = entries.as_chunks();
        let mut add = |chunk: &[f64; PARTIAL_SUMS]| {
            for (lane, entry) in chunk.iter().enumerate() {
                let magnitude = entry.abs();
                sums[lane] += magnitude;
                squares[lane] += magnitude * magnitude;
                if magnitude > largest[lane] {
                    largest[lane] = magnitude;
                }
            }
        };
        chunks.iter().for_each(&mut add);
        add(&padded(rest));
        self.entries += entries.len();
        self.sum += sums.iter().sum::<f64>();
        self.sum_of_squares += squares.iter().sum::<f64>();
        self.largest = largest.iter().copied().fold(self.largest, f64::max);
    }

    fn add_scaled(&mut self, other: &Self, factor: f64) {
        self.entries += other.entries;
        self.sum += other.sum * factor;
        self.sum_of_squares += other.sum_of_squares * factor * factor;
        self.largest = self.largest.max(other.largest * factor);
    }
}

/// The last entries, fewer than a chunk, with zeros behind.
pub(super) fn padded<const N: usize>(rest: &[f64]) -> [f64; N] {
    let mut full = [0.0; N];
    full[..rest.len()].copy_from_slice(rest);
    full
}

impl Facts {
    /// Count, sums and the largest of the magnitudes.
    ///
    /// # Errors
    /// [`Status::NotFinite`].
    pub fn magnitude_sums(&self) -> Result<&MagnitudeSums, Status> {
        self.finite()?;
        Ok(self.sums.get_or_init(|| match self.counted() {
            Some(counted) => MagnitudeSums::of(counted),
            None => self.sums_of_entries(),
        }))
    }

    fn sums_of_entries(&self) -> MagnitudeSums {
        let mut sums = MagnitudeSums::default();
        match &self.matrix {
            Matrix::SideBySide(blocks) => {
                for block in blocks {
                    if let Ok(part) = block.magnitude_sums() {
                        sums.add_scaled(part, block.scale.relative_to(self.scale));
                    }
                }
            }
            matrix => matrix.for_each_panel(|entries| sums.add(entries)),
        }
        sums
    }

    /// Whether all magnitudes are equal.
    ///
    /// # Errors
    /// [`Status::NotFinite`].
    pub fn has_even_magnitudes(&self) -> Result<bool, Status> {
        let largest = self.magnitude_sums()?.largest;
        match self.counted() {
            Some(Counted::Values(tally)) => {
                return Ok(tally.runs().iter().all(|run| run.value.abs() == largest));
            }
            Some(Counted::Float32(entries)) => return Ok(entries.has_even_magnitudes()),
            None => {}
        }
        let mut even = true;
        self.matrix
            .for_each_panel(|entries| even &= entries.iter().all(|entry| entry.abs() == largest));
        Ok(even)
    }

    /// All entries in ascending order, where they were counted: nobody has to sort them.
    ///
    /// # Errors
    /// [`Status::NotFinite`]; [`Status::PlacesUnknown`] where only their sums are known.
    pub fn counted_entries(&self) -> Result<Option<Ascending<'_>>, Status> {
        self.finite()?;
        Ok(match self.counted() {
            Some(Counted::Values(tally)) => Some(Ascending::Runs(tally.runs())),
            Some(Counted::Float32(entries)) => {
                Some(Ascending::Parts(self.in_order(entries)?, Order::Entries))
            }
            None => None,
        })
    }

    /// All entries, ascending.
    ///
    /// # Errors
    /// As [`Facts::counted_entries`].
    pub fn sorted_entries(&self) -> Result<Ascending<'_>, Status> {
        if let Some(counted) = self.counted_entries()? {
            return Ok(counted);
        }
        Ok(Ascending::Each(self.sorted_entries.get_or_init(|| {
            let mut entries: Vec<f64> = self.entries().data.into();
            sort_numbers(&mut entries);
            entries
        })))
    }

    /// The magnitudes of all entries, ascending.
    ///
    /// # Errors
    /// As [`Facts::counted_entries`].
    pub fn sorted_magnitudes(&self) -> Result<Ascending<'_>, Status> {
        self.finite()?;
        if let Some(Counted::Float32(entries)) = self.counted() {
            return Ok(Ascending::Parts(self.in_order(entries)?, Order::Magnitudes));
        }
        let sorted = self.magnitudes.get_or_init(|| match self.counted() {
            Some(Counted::Values(tally)) => Sorted::Runs(tally.magnitudes()),
            _ => Sorted::Each(self.magnitudes_of_entries()),
        });
        Ok(match sorted {
            Sorted::Each(magnitudes) => Ascending::Each(magnitudes),
            Sorted::Runs(runs) => Ascending::Runs(runs),
        })
    }

    /// What was counted of the entries; of float32 in memory that is done now.
    fn counted(&self) -> Option<&Counted> {
        let of_matrix = || {
            let Matrix::Dense(entries) = &self.matrix else {
                return None;
            };
            let factor = self.scale.restore(1.0);
            let entries = Float32Entries::of_exact(entries.as_slice(), factor)?;
            Some(Counted::Float32(Rc::new(entries)))
        };
        self.counted.get_or_init(of_matrix).as_ref()
    }

    /// Entries of float32, in their order.
    fn in_order<'a>(&'a self, entries: &'a Float32Entries) -> Result<&'a Float32Entries, Status> {
        if entries.is_ordered() {
            return Ok(entries);
        }
        let of_matrix = || match &self.matrix {
            Matrix::Dense(matrix) => entries.ordered_as(matrix.as_slice()),
            _ => None,
        };
        let ordered = self.ordered.get_or_init(of_matrix);
        ordered.as_ref().ok_or(Status::PlacesUnknown)
    }

    fn magnitudes_of_entries(&self) -> Vec<f64> {
        let mut magnitudes = Vec::with_capacity(self.rows() * self.columns());
        if let Matrix::SideBySide(blocks) = &self.matrix {
            for block in blocks {
                let factor = block.scale.relative_to(self.scale);
                if let Ok(part) = block.sorted_magnitudes() {
                    part.for_each_run(&mut |magnitude, count| {
                        magnitudes.extend(std::iter::repeat_n(magnitude * factor, count));
                    });
                }
            }
            sort_magnitudes(&mut magnitudes);
        } else {
            let mut sums = MagnitudeSums::default();
            self.matrix.for_each_panel(|entries| {
                sums.add(entries);
                magnitudes.extend(entries.iter().map(|entry| entry.abs()));
            });
            self.sums.get_or_init(|| sums);
            sort_magnitudes(&mut magnitudes);
        }
        magnitudes
    }
}
