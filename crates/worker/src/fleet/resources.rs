//! What is asked of a scheduler for a shard: memory and time.

use ckptscope_analysis::Lane;
use ckptscope_protocol::{Cost, Crew, Rates};

use crate::hardware;

/// Memory of the program without any tensor.
const OWN_BYTES: u64 = 300_000_000;

/// Limits are so many times what is reckoned: nobody knows the other machine.
const TIME_FACTOR: u64 = 3;

/// The slowest thread is so much of an ordinary one: a login node is busy, and seems slower than it
/// is.
const SLOWEST: f64 = 0.3;

/// Bytes per second from a disk that many read.
const SHARED_DISK: f64 = 100e6;

/// Limits of time, in minutes: schedulers sort jobs by them, and a round one is found by people.
const TIME_CLASSES: &[u64] = &[
    10, 30, 60, 120, 240, 480, 720, 1440, 2880, 4320, 7200, 10_080,
];

/// How long a shard takes, about, where nobody says how many there are. Starting one takes a second,
/// and who stops one should not lose much.
const SHARD_SECONDS: f64 = 300.0;

/// Shards of an analysis where nobody says how many, at most.
pub(super) const MOST_SHARDS: usize = 64;

/// Into how many shards an analysis is dealt that takes so many seconds in one.
pub(super) fn shards(seconds: f64) -> usize {
    let wanted = (seconds / SHARD_SECONDS).ceil() as usize;
    wanted.clamp(1, MOST_SHARDS)
}

/// Memory of a shard whose widest lane needs `peak_bytes`, so many lanes at a time: in bytes.
pub(super) const fn memory_bytes(peak_bytes: u64, lanes_at_once: usize) -> u64 {
    let lanes = peak_bytes.saturating_mul(lanes_at_once as u64);
    lanes.saturating_add(OWN_BYTES)
}

/// Lanes at a time that fit into a machine's memory; 0 where not one does.
pub(super) fn lanes_that_fit(peak_bytes: u64, limit_bytes: u64) -> usize {
    let for_lanes = limit_bytes.saturating_sub(OWN_BYTES);
    let count = for_lanes.checked_div(peak_bytes);
    count.map_or(usize::MAX, |count| {
        usize::try_from(count).unwrap_or(usize::MAX)
    })
}

/// Who computes a shard on so many threads, by the speed of this machine.
pub(super) fn crew(threads: usize) -> Crew {
    let slowest = Rates::ORDINARY * SLOWEST;
    let crew = hardware::crew(threads);
    Crew {
        // Nodes have as many cores as threads are asked for.
        cores: crew.threads,
        rates: crew.rates.at_least(slowest),
        ..crew
    }
}

/// How long a shard takes whoever computes it, in seconds.
#[allow(clippy::cast_precision_loss)] // an estimate
pub(super) fn seconds(cost: &Cost, crew: &Crew) -> f64 {
    cost.seconds(crew) + cost.read_bytes as f64 / SHARED_DISK
}

/// The limit of time that is asked for what may take so many seconds, in minutes.
pub(super) fn minutes(seconds: u64) -> u64 {
    let wanted = seconds.saturating_mul(TIME_FACTOR).div_ceil(60);
    let longest = TIME_CLASSES.last().copied().unwrap_or_default();
    let mut classes = TIME_CLASSES.iter().copied();
    classes.find(|class| wanted <= *class).unwrap_or(longest)
}

/// The lane that needs most, and how much.
pub(super) fn widest(lanes: &[Lane]) -> Option<(&Lane, u64)> {
    let peaks = lanes.iter().map(|lane| {
        let cost = ckptscope_analysis::Plan::cost_of(std::slice::from_ref(lane));
        (lane, cost.peak_bytes)
    });
    peaks.max_by_key(|(_, peak)| *peak)
}

#[cfg(test)]
mod tests {
    use super::{MOST_SHARDS, lanes_that_fit, memory_bytes, minutes, seconds, shards};
    use ckptscope_protocol::{Cost, Crew, Rates, Work};

    #[test]
    fn memory_is_that_of_lanes_and_the_program() {
        assert_eq!(memory_bytes(1_000_000_000, 4), 4_300_000_000);
        assert_eq!(lanes_that_fit(1_000_000_000, 4_300_000_000), 4);
        assert_eq!(lanes_that_fit(1_000_000_000, 4_299_999_999), 3);
        assert_eq!(lanes_that_fit(1_000_000_000, 1_000_000_000), 0);
        assert_eq!(lanes_that_fit(0, 0), usize::MAX, "nothing fits anywhere");
    }

    #[test]
    fn time_is_three_times_what_is_reckoned_in_classes() {
        assert_eq!(minutes(0), 10);
        assert_eq!(minutes(200), 10);
        assert_eq!(minutes(201), 30);
        assert_eq!(minutes(1_000_000_000), 10_080, "a week is the longest");
    }

    #[test]
    fn shards_take_minutes() {
        assert_eq!(shards(0.0), 1);
        assert_eq!(shards(300.0), 1);
        assert_eq!(shards(301.0), 2);
        assert_eq!(shards(f64::INFINITY), MOST_SHARDS);
    }

    #[test]
    fn reading_takes_time_too() {
        let crew = Crew {
            threads: 4,
            cores: 4,
            shares_products: true,
            rates: Rates::ORDINARY,
        };
        let work = Work {
            products: 8.0 * Rates::ORDINARY.products,
            ..Work::default()
        };
        let cost = Cost {
            work,
            units: 8,
            read_bytes: 200_000_000,
            ..Cost::default()
        };
        assert_eq!(seconds(&cost, &crew), 4.0);
    }
}
