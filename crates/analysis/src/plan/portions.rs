//! What of a step is fetched together.
//!
//! One portion per lane is on its way while the lane computes the one before. `cost.rs` counts both
//! in the memory that a lane needs.

use std::ops::Range;

use super::{Job, LaneStep};

/// Tensors of consecutive jobs are fetched together up to this; those of one job always are.
pub const PORTION_BYTES: u64 = 16 * 1024 * 1024;

/// The next portion is fetched ahead, while the one before is computed, if it is no longer.
pub const AHEAD_BYTES: u64 = 64 * 1024 * 1024;

/// Consecutive jobs of a step, and the tensors that they are the first to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Portion {
    /// The jobs.
    pub(crate) jobs: Range<usize>,
    /// The tensors, as the step numbers them.
    pub(crate) tensors: Vec<usize>,
    /// Those of them that are counted as they are read, a piece at a time: longer than a portion.
    pub(crate) counted: Vec<usize>,
    /// The other tensors' bytes in their files.
    pub(crate) bytes: u64,
}

impl Portion {
    /// The portions of a step, in the order of its jobs; at least one.
    pub(crate) fn of(step: &LaneStep, jobs: &[Job]) -> Vec<Self> {
        let mut seen = vec![false; step.tensors.len()];
        let mut portions = Vec::new();
        let mut portion = Self::from(0);
        for (job, inputs) in step.inputs.iter().enumerate() {
            let mut own = Self::from(job);
            for &input in inputs.tensors() {
                if std::mem::replace(&mut seen[input], true) {
                    continue;
                }
                own.tensors.push(input);
                let is_long = step.tensors[input].bytes() > PORTION_BYTES;
                if is_long && step.counts_only(jobs, input) {
                    own.counted.push(input);
                } else {
                    own.bytes = own.bytes.saturating_add(step.tensors[input].bytes());
                }
            }
            let together = portion.bytes.saturating_add(own.bytes);
            if together > PORTION_BYTES && own.bytes > 0 && portion.bytes > 0 {
                portions.push(std::mem::replace(&mut portion, own));
            } else {
                portion.tensors.extend(own.tensors);
                portion.counted.extend(own.counted);
                portion.bytes = together;
            }
            portion.jobs.end = job + 1;
        }
        portions.push(portion);
        portions
    }

    /// Whether it is fetched while the portion before is computed.
    pub(crate) const fn is_fetched_ahead(&self) -> bool {
        self.bytes <= AHEAD_BYTES
    }

    const fn from(job: usize) -> Self {
        Self {
            jobs: job..job,
            tensors: Vec::new(),
            counted: Vec::new(),
            bytes: 0,
        }
    }
}
