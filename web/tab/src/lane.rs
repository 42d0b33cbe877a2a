//! Computing a lane.

use std::ops::ControlFlow;

use ckptscope_analysis::plan::LaneMessage;
use ckptscope_analysis::{Registry, run_lane};
use ckptscope_protocol::tab::{ComputeLane, LaneDone, LaneFailure};

use super::opened::OpenedFiles;
use super::post::Outbox;

/// Computes a lane and tells what it tells; what was told before an error stays true.
pub(super) async fn compute(
    files: &OpenedFiles,
    registry: &Registry,
    question: &ComputeLane,
    outbox: &mut Outbox<'_>,
) -> Result<LaneDone, String> {
    let message: LaneMessage = question
        .lane
        .open()
        .map_err(|error| format!("a part of the analysis was not understood: {error}"))?;
    let lane = message
        .into_lane(registry)
        .map_err(|error| error.to_string())?;
    let mut listener = |event| {
        outbox.add(event);
        ControlFlow::Continue(())
    };
    let computed = run_lane(&lane, files.tree(), &mut listener).await;
    outbox.flush();
    Ok(LaneDone {
        failure: computed.err().map(|error| LaneFailure {
            message: error.to_string(),
            step: Some(error.step()),
        }),
    })
}
