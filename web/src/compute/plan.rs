//! An analysis as lanes, for workers to take.

use ckptscope_analysis::config::StepSelection;
use ckptscope_analysis::plan::{LaneMessage, PlanErrors};
use ckptscope_analysis::{Config, Lane, Plan, Registry, results};
use ckptscope_checkpoint::{Run, Step};

use super::opened::OpenedFiles;
use crate::message::{Answer, Planned, PlannedLane};

/// What an analysis is called that has no name of its own.
const NAMELESS: &str = "analysis";

/// Plans a config's analysis for so many workers.
pub(super) async fn plan(
    files: &OpenedFiles,
    registry: &Registry,
    text: &str,
    workers: usize,
) -> Result<Answer, String> {
    let config = Config::parse(text, registry).map_err(|errors| errors.to_string())?;
    let run = files.run().await?;
    let plan = of_config(files, &run, &config)
        .await
        .map_err(|errors| errors.to_string())?;
    let name = config.analysis_name.as_deref().unwrap_or(NAMELESS);
    let results = results::planned(name, files.tree.name(), &config, &run, &plan);
    let lanes = plan.split(workers);
    Ok(Answer::Planned(Box::new(Planned {
        cost: Plan::cost_of(&lanes),
        results,
        lanes: lanes.iter().map(planned_lane).collect::<Result<_, _>>()?,
    })))
}

/// The plan of a config, its catalogs read many at once.
pub(super) async fn of_config(
    files: &OpenedFiles,
    run: &Run,
    config: &Config,
) -> Result<Plan, PlanErrors> {
    let is_asked_for = |step: &&Step| match &config.steps {
        StepSelection::All => true,
        StepSelection::List(steps) => steps.binary_search(&step.number).is_ok(),
    };
    let steps: Vec<&Step> = run.steps.iter().filter(is_asked_for).collect();
    let kinds: Vec<_> = config
        .metrics
        .iter()
        .flat_map(|entry| &entry.components)
        .flat_map(|entry| entry.component.inputs(entry.kind))
        .map(|(kind, _)| kind)
        .collect();
    let is_needed = |split| config.metrics.iter().any(|entry| entry.split == split);
    files
        .read_ahead(&steps, |part| {
            kinds.contains(&part.kind) && part.split.is_none_or(is_needed)
        })
        .await;
    Plan::make_again(config, run, &*files.tree, &files.catalogs).await
}

fn planned_lane(lane: &Lane) -> Result<PlannedLane, String> {
    let text = serde_json::to_string(&LaneMessage::from(lane));
    Ok(PlannedLane {
        name: format!("layer {}", lane.layer),
        lane: text.map_err(|error| error.to_string())?,
    })
}
