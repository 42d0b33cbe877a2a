//! Computing a lane.

use std::ops::ControlFlow;

use ckptscope_analysis::plan::LaneMessage;
use ckptscope_analysis::{Registry, run_lane};
use ckptscope_checkpoint::Tree;
use ckptscope_protocol::tab::Answer;

use super::post::Outbox;

/// Computes a lane and tells what it tells; what was told before an error stays true.
pub(super) async fn compute(
    tree: &dyn Tree,
    registry: &Registry,
    lane: &str,
    outbox: &mut Outbox<'_>,
) -> Result<Answer, String> {
    let message: LaneMessage = serde_json::from_str(lane)
        .map_err(|error| format!("a part of the analysis was not understood: {error}"))?;
    let lane = message
        .into_lane(registry)
        .map_err(|error| error.to_string())?;
    let mut listener = |event| {
        outbox.add(event);
        ControlFlow::Continue(())
    };
    let computed = run_lane(&lane, tree, &mut listener).await;
    outbox.flush();
    computed
        .map(|()| Answer::LaneDone)
        .map_err(|error| error.to_string())
}
