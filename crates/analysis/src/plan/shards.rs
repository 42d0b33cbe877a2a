//! Lanes dealt to processes that share nothing.
//!
//! The layer-steps of all lanes are laid end to end, each as long as it costs, and the line is cut
//! into equal shares. So shares differ by one layer-step at most. A lane is cut at most once more
//! than there are cuts, and every cut costs its part the targets of its comparisons again. Bins
//! that take the longest part first need several parts a bin to be as even, and so more targets.

use std::collections::{BTreeMap, BTreeSet};

use ckptscope_protocol::{Cost, Rates};

use super::{Lane, cost};

/// Bytes that a disk gives in a second, about.
const BYTES_PER_SECOND: f64 = 1e9;

/// What costs nothing takes so many seconds, so that it is dealt evenly.
const LEAST_SECONDS: f64 = 1e-9;

/// The lanes of each shard; those without a layer-step are left out.
pub(super) fn deal(lanes: &[Lane], count: usize) -> Vec<Vec<Lane>> {
    let work: Vec<Vec<(u64, f64)>> = lanes.iter().map(recorded_work).collect();
    let total: f64 = work.iter().flatten().map(|(_, work)| work).sum();
    let share = total / in_float(count.max(1));
    let mut shards = vec![Vec::new(); count.max(1)];
    let mut before = 0.0;
    for (lane, steps) in lanes.iter().zip(work) {
        let mut parts: BTreeMap<usize, BTreeSet<u64>> = BTreeMap::new();
        for (step, work) in steps {
            let place = share_at(before + work / 2.0, share).min(shards.len() - 1);
            parts.entry(place).or_default().insert(step);
            before += work;
        }
        for (place, own) in parts {
            shards[place].push(with_steps(lane, &own));
        }
    }
    shards.retain(|lanes| !lanes.is_empty());
    shards
}

/// The steps of a lane whose numbers are asked for, and how long each takes.
fn recorded_work(lane: &Lane) -> Vec<(u64, f64)> {
    let steps = lane.steps.iter().zip(cost::of_steps(lane));
    let recorded = steps.filter(|(step, _)| step.recorded);
    recorded
        .map(|(step, cost)| (step.step, work(&cost)))
        .collect()
}

/// How long it takes on an ordinary machine, in seconds.
#[allow(clippy::cast_precision_loss)] // an estimate
fn work(cost: &Cost) -> f64 {
    let reading = cost.read_bytes as f64 / BYTES_PER_SECOND;
    LEAST_SECONDS + cost.work.seconds(&Rates::ORDINARY) + reading
}

#[allow(clippy::cast_precision_loss)] // far below 2^53
const fn in_float(count: usize) -> f64 {
    count as f64
}

/// Which share a place of the line lies in.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // both are above 0
fn share_at(place: f64, share: f64) -> usize {
    (place / share) as usize
}

/// The lane with these steps only, and the targets that they are compared with.
fn with_steps(lane: &Lane, own: &BTreeSet<u64>) -> Lane {
    let mut part = lane.clone();
    part.forget(|step| !own.contains(&step));
    part
}
