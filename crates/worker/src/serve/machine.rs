//! What this machine can do.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use ckptscope_analysis::look::piece_of_work;
use ckptscope_protocol::service;
use sysinfo::System;

use crate::Misuse;
use crate::analysis::{Analysis, counted};
use crate::progress::bytes;

/// How long the measurement takes at least.
const MEASURING: Duration = Duration::from_millis(50);

/// Measured once, when the server starts.
pub(super) struct Machine {
    /// As it is told.
    pub(super) told: service::Machine,
}

impl Machine {
    /// Refuses an analysis that needs more memory than there is.
    pub(super) fn check_memory(&self, analysis: &Analysis) -> Result<()> {
        let lanes = analysis.lanes_at_once() as u64;
        let of_lane = analysis.cost().peak_bytes;
        let needed = of_lane.saturating_mul(lanes);
        let there = self.told.memory_bytes;
        if needed <= there {
            return Ok(());
        }
        let (shown, of_lane, there) = (bytes(needed), bytes(of_lane), bytes(there));
        Err(Misuse(format!(
            "this needs {shown} of memory ({of_lane} for each of {}), and analyses here may use \
             {there}; ask for smaller components, or start the worker with fewer --threads or \
             more --memory",
            counted(lanes, "layer at the same time").replace("times", "time"),
        ))
        .into())
    }
}

/// What the machine may use, or the container that it is.
pub(super) fn memory_bytes() -> Result<u64> {
    let mut system = System::new()?;
    system.refresh_memory();
    let limit = system.cgroup_limits().map(|limits| limits.total_memory);
    let all = system.total_memory();
    let bytes = limit.map_or(all, |limit| limit.min(all));
    (bytes > 0).then_some(bytes).ok_or_else(|| {
        anyhow!("cannot find out how much memory this machine has; say it with --memory")
    })
}

/// Floating-point operations per second of one thread, counted as plans count them. The fastest
/// piece of work counts: whatever else the machine does makes the others slower.
pub(super) fn flops_per_second() -> f64 {
    let began = Instant::now();
    let mut fastest = 0.0_f64;
    while began.elapsed() < MEASURING {
        let piece = Instant::now();
        let done = piece_of_work();
        fastest = fastest.max(done / piece.elapsed().as_secs_f64().max(1e-9));
    }
    fastest
}
