//! Sorting.
//!
//! Bit patterns of non-negative numbers are ordered as the numbers are, so they are sorted as
//! integers. The standard library sorts those of 64 bits: a radix sort took 0.95 to 2.2 of its time
//! at 1.8 million numbers. Entries of 32 bits or less are never sorted as such: see `tally.rs` and
//! `float32.rs`.

/// Sorts non-negative finite numbers ascending.
///
/// Ascending runs, such as those of heads side by side, are sorted anew: merging 12 to 32 of them
/// took 0.7 to 0.9 of the time, and a second sort is 2 kB that the page loads first.
pub fn sort_magnitudes(magnitudes: &mut [f64]) {
    magnitudes.sort_unstable_by_key(|magnitude| magnitude.to_bits());
}

/// Sorts finite numbers ascending, -0 before 0.
pub fn sort_numbers(numbers: &mut [f64]) {
    let negative = partition(numbers);
    let (below, above) = numbers.split_at_mut(negative);
    below.iter_mut().for_each(|number| *number = -*number);
    sort_magnitudes(below);
    below.reverse();
    below.iter_mut().for_each(|number| *number = -*number);
    sort_magnitudes(above);
}

/// Puts the numbers with a sign before the others, and says how many they are.
fn partition(numbers: &mut [f64]) -> usize {
    let mut negative = 0;
    for index in 0..numbers.len() {
        if numbers[index].is_sign_negative() {
            numbers.swap(index, negative);
            negative += 1;
        }
    }
    negative
}

/// Sorts integers ascending: by their lower bytes first, then by their upper ones.
#[must_use]
pub fn sort_lows(mut lows: Vec<u16>) -> Vec<u16> {
    if lows.len() < 2 {
        return lows;
    }
    let mut sorted = vec![0; lows.len()];
    for byte in [0, 1] {
        let mut next = starts(&lows, byte);
        for &low in &lows {
            let place = &mut next[usize::from(low.to_le_bytes()[byte])];
            sorted[*place] = low;
            *place += 1;
        }
        std::mem::swap(&mut lows, &mut sorted);
    }
    lows
}

/// Where the integers of each value of a byte begin.
fn starts(lows: &[u16], byte: usize) -> [usize; 256] {
    let mut counts = [0; 256];
    for low in lows {
        counts[usize::from(low.to_le_bytes()[byte])] += 1;
    }
    let mut before = 0;
    counts.map(|count| {
        before += count;
        before - count
    })
}
