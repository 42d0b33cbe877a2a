//! Jobs laid out in lanes: what every step of a layer reads, each tensor once.

use std::collections::BTreeSet;

use trainscope_checkpoint::Run;

use super::index::RunIndex;
use super::jobs::PlannedJob;
use super::{Lane, LaneStep, LayerJobs, Selection, TensorPlace};
use crate::component::Shape;

/// One lane per layer.
pub(super) fn build(
    run: &Run,
    index: &RunIndex,
    selection: &Selection,
    layers: LayerJobs,
) -> Vec<Lane> {
    let model = run.model.clone().unwrap_or_default();
    layers
        .into_iter()
        .map(|(layer, planned)| {
            let steps = steps_in_order(&planned, selection)
                .into_iter()
                .map(|step| lane_step(layer, step, &planned, index, selection))
                .filter(|step| step.inputs.iter().any(Option::is_some))
                .collect();
            let jobs = planned.into_iter().map(|planned| planned.job).collect();
            Lane {
                layer,
                model: model.clone(),
                jobs,
                steps,
            }
        })
        .collect()
}

/// Splits lanes by steps until there are as many as workers, or nothing is left to split.
pub(super) fn split(lanes: &[Lane], workers: usize) -> Vec<Lane> {
    let parts = workers.div_ceil(lanes.len().max(1));
    if parts < 2 {
        return lanes.to_vec();
    }
    lanes
        .iter()
        .flat_map(|lane| split_lane(lane, parts))
        .collect()
}

fn split_lane(lane: &Lane, parts: usize) -> Vec<Lane> {
    let targets = targets_of(
        lane.jobs
            .iter()
            .flat_map(|job| &job.metrics)
            .map(|m| m.target),
    );
    let recorded: Vec<&LaneStep> = lane.steps.iter().filter(|step| step.recorded).collect();
    recorded
        .chunks(recorded.len().div_ceil(parts).max(1))
        .map(|own| {
            let is_own = |step: &LaneStep| own.iter().any(|other| other.step == step.step);
            let steps = lane
                .steps
                .iter()
                .filter(|step| is_own(step) || targets.contains(&step.step))
                .map(|step| {
                    if is_own(step) {
                        step.clone()
                    } else {
                        only_target(lane, step)
                    }
                })
                .collect();
            Lane {
                layer: lane.layer,
                model: lane.model.clone(),
                jobs: lane.jobs.clone(),
                steps,
            }
        })
        .collect()
}

/// The step with nothing but what is compared with it.
fn only_target(lane: &Lane, step: &LaneStep) -> LaneStep {
    let is_target = |job: usize| {
        lane.jobs
            .get(job)
            .is_some_and(|job| job.metrics.iter().any(|m| m.target == Some(step.step)))
    };
    let mut tensors = Vec::new();
    let inputs = step
        .inputs
        .iter()
        .enumerate()
        .map(|(job, inputs)| {
            let inputs = inputs.as_ref().filter(|_| is_target(job))?;
            Some(
                inputs
                    .iter()
                    .map(|&input| place(&mut tensors, &step.tensors[input]))
                    .collect(),
            )
        })
        .collect();
    LaneStep {
        step: step.step,
        recorded: false,
        tensors,
        inputs,
    }
}

/// A tensor seen as a matrix: a scalar or vector is one row, more than two dimensions are
/// flattened to (first, rest).
pub(super) fn matrix_shape(shape: &[u64]) -> Shape {
    let size = |extent: u64| usize::try_from(extent).unwrap_or(usize::MAX);
    match shape {
        [] => Shape {
            rows: 1,
            columns: 1,
        },
        [n] => Shape {
            rows: 1,
            columns: size(*n),
        },
        [first, rest @ ..] => {
            let columns = rest
                .iter()
                .fold(1usize, |n, extent| n.saturating_mul(size(*extent)));
            Shape {
                rows: size(*first),
                columns,
            }
        }
    }
}

/// Targets first, because comparisons need their facts; then the others, ascending.
fn steps_in_order(planned: &[PlannedJob], selection: &Selection) -> Vec<u64> {
    let targets = targets_of(
        planned
            .iter()
            .flat_map(|planned| &planned.job.metrics)
            .map(|m| m.target),
    );
    let others = selection
        .computed
        .iter()
        .filter(|step| !targets.contains(step));
    targets.iter().chain(others).copied().collect()
}

fn targets_of(targets: impl Iterator<Item = Option<u64>>) -> BTreeSet<u64> {
    targets.flatten().collect()
}

fn lane_step(
    layer: u64,
    step: u64,
    planned: &[PlannedJob],
    index: &RunIndex,
    selection: &Selection,
) -> LaneStep {
    let recorded = selection.computed.binary_search(&step).is_ok();
    let mut tensors: Vec<TensorPlace> = Vec::new();
    let mut inputs = Vec::with_capacity(planned.len());
    for planned in planned {
        let wanted = recorded || planned.job.metrics.iter().any(|m| m.target == Some(step));
        let places: Option<Vec<&TensorPlace>> = planned
            .inputs
            .iter()
            .map(|(kind, suffix)| {
                let tensor = index.tensor(step, *kind, planned.job.split, layer, suffix)?;
                tensor.place.as_ref().ok()
            })
            .collect();
        inputs.push(places.filter(|_| wanted).map(|places| {
            places
                .into_iter()
                .map(|found| place(&mut tensors, found))
                .collect()
        }));
    }
    LaneStep {
        step,
        recorded,
        tensors,
        inputs,
    }
}

/// The index of a tensor among those of a step, added if it is new.
fn place(tensors: &mut Vec<TensorPlace>, found: &TensorPlace) -> usize {
    tensors
        .iter()
        .position(|known| known == found)
        .unwrap_or_else(|| {
            tensors.push(found.clone());
            tensors.len() - 1
        })
}

/// Leaves out the steps that are finished, or keeps of them what others are compared with.
pub(super) fn forget(lane: &mut Lane, is_finished: impl Fn(u64) -> bool) {
    let targets = targets_of(
        lane.jobs
            .iter()
            .flat_map(|job| &job.metrics)
            .map(|metric| metric.target),
    );
    lane.steps = lane
        .steps
        .iter()
        .filter(|step| !is_finished(step.step) || targets.contains(&step.step))
        .map(|step| {
            if is_finished(step.step) {
                only_target(lane, step)
            } else {
                step.clone()
            }
        })
        .collect();
}
