//! An analysis as lanes, for workers to take.

use std::collections::BTreeSet;

use ckptscope_analysis::plan::LaneMessage;
use ckptscope_analysis::{Config, Lane, Plan, Registry, results};
use ckptscope_protocol::Sealed;
use ckptscope_protocol::tab::{MakePlan, PlannedLane, PlannedLanes};
use ckptscope_results::layer_in_words;

use super::opened::OpenedFiles;

/// What an analysis is called that has no name of its own.
const NAMELESS: &str = "analysis";

/// What a tab cannot do for who asks for it: it has no key.
const SENT_BY_WORKERS: &str =
    "`save_to_picolabs` is passed over in a browser's tab: only a worker sends to Pico Labs";

/// Plans a config's analysis for so many workers.
pub(super) async fn plan(
    files: &OpenedFiles,
    registry: &Registry,
    MakePlan {
        text,
        workers,
        finished,
    }: &MakePlan,
) -> Result<Box<PlannedLanes>, String> {
    let config = Config::parse(text, registry).map_err(|errors| errors.to_string())?;
    let (run, mut plan) = files.plan(&config).await?;
    let name = config.analysis_name.as_deref().unwrap_or(NAMELESS);
    let mut results = results::planned(name, files.tree().name(), &config, &run, &plan);
    if config.monitoring.pico_report.is_some() {
        results.warnings.push(SENT_BY_WORKERS.to_owned());
    }
    leave_out(&mut plan, finished);
    let lanes = plan.split(*workers);
    Ok(Box::new(PlannedLanes {
        cost: Plan::cost_of(&lanes),
        results,
        lanes: lanes.iter().map(planned_lane).collect::<Result<_, _>>()?,
    }))
}

/// Leaves out what is finished; a finished target is still read for what is compared.
fn leave_out(plan: &mut Plan, finished: &[(Option<u64>, u64)]) {
    let finished: BTreeSet<_> = finished.iter().copied().collect();
    for lane in &mut plan.lanes {
        let layer = lane.layer;
        lane.forget(|step| finished.contains(&(layer, step)));
    }
    plan.lanes
        .retain(|lane| lane.steps.iter().any(|step| step.recorded));
}

fn planned_lane(lane: &Lane) -> Result<PlannedLane, String> {
    let sealed = Sealed::of(&LaneMessage::from(lane));
    Ok(PlannedLane {
        name: layer_in_words(lane.layer),
        lane: sealed.map_err(|error| error.to_string())?,
    })
}
