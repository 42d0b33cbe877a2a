//! Sorting of magnitudes.

/// Sorts non-negative finite numbers ascending.
///
/// Their bit patterns are ordered as they are, so they are sorted as integers.
pub fn sort_magnitudes(magnitudes: &mut [f64]) {
    magnitudes.sort_unstable_by_key(|magnitude| magnitude.to_bits());
}
