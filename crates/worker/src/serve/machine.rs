//! What this machine can do.

use anyhow::Result;
use ckptscope_protocol::service;

use crate::Misuse;
use crate::analysis::{Analysis, counted};
use crate::progress::bytes;

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
