//! Facts of the entries one by one.

use super::{Facts, Matrix};
use crate::measurement::Status;
use crate::sort::{merge_sorted_runs, sort_magnitudes, sort_numbers};

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

/// Independent partial sums: enough for the widest vector unit, and less rounding than one sum.
const PARTIAL_SUMS: usize = 8;

impl MagnitudeSums {
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
        Ok(self.sums.get_or_init(|| {
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
        }))
    }

    /// Whether all magnitudes are equal.
    ///
    /// # Errors
    /// [`Status::NotFinite`].
    pub fn has_even_magnitudes(&self) -> Result<bool, Status> {
        let largest = self.magnitude_sums()?.largest;
        let mut even = true;
        self.matrix
            .for_each_panel(|entries| even &= entries.iter().all(|entry| entry.abs() == largest));
        Ok(even)
    }

    /// All entries, ascending.
    ///
    /// # Errors
    /// [`Status::NotFinite`].
    pub fn sorted_entries(&self) -> Result<&[f64], Status> {
        self.finite()?;
        Ok(self.sorted_entries.get_or_init(|| {
            let mut entries: Vec<f64> = self.entries().data.into();
            sort_numbers(&mut entries);
            entries
        }))
    }

    /// The magnitudes of all entries, ascending.
    ///
    /// # Errors
    /// [`Status::NotFinite`].
    pub fn sorted_magnitudes(&self) -> Result<&[f64], Status> {
        self.finite()?;
        Ok(self.magnitudes.get_or_init(|| {
            let mut magnitudes = Vec::with_capacity(self.rows() * self.columns());
            match &self.matrix {
                Matrix::SideBySide(blocks) => {
                    for block in blocks {
                        let factor = block.scale.relative_to(self.scale);
                        if let Ok(part) = block.sorted_magnitudes() {
                            magnitudes.extend(part.iter().map(|magnitude| magnitude * factor));
                        }
                    }
                }
                matrix => {
                    let mut sums = MagnitudeSums::default();
                    matrix.for_each_panel(|entries| {
                        sums.add(entries);
                        magnitudes.extend(entries.iter().map(|entry| entry.abs()));
                    });
                    self.sums.get_or_init(|| sums);
                }
            }
            match &self.matrix {
                Matrix::SideBySide(_) => merge_sorted_runs(&mut magnitudes),
                _ => sort_magnitudes(&mut magnitudes),
            }
            magnitudes
        }))
    }
}
