//! Sorting of magnitudes.
//!
//! Bit patterns of non-negative numbers are ordered as the numbers are, so they are sorted as
//! integers, by the standard library. Measured against it: sorting into buckets first (linear, or
//! by leading bits) took 0.75 to 1.5 of its time at 147 thousand numbers and 1.0 to 1.7 at 1.8
//! million; a radix sort from the last digit 0.4 to 1.0 and 0.95 to 2.2. Each needs a second buffer.

/// Sorts non-negative finite numbers ascending.
pub fn sort_magnitudes(magnitudes: &mut [f64]) {
    magnitudes.sort_unstable_by_key(|magnitude| magnitude.to_bits());
}

/// Sorts non-negative finite numbers that are ascending runs one after the other.
///
/// The stable sort finds the runs and merges them: in 0.5 to 0.8 of the time of sorting anew at 3
/// million numbers, with a buffer of half their size.
pub fn merge_sorted_runs(magnitudes: &mut [f64]) {
    magnitudes.sort_by_key(|magnitude| magnitude.to_bits());
}
