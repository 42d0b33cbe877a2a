//! Jobs laid out in lanes: what every step of a layer reads, each tensor once.
//!
//! A lane lists each tensor of a step once. Target steps of comparisons come first, and the engine
//! keeps their facts until the lane ends. Where a lane has several targets, the engine asks what
//! waits for a later one once that one is there.

use std::collections::BTreeSet;

use ckptscope_checkpoint::{HeldTensor, ModelShape, Obstacle, StoredTensor};
use ckptscope_results::Status;

use super::jobs::PlannedJob;
use super::{Inputs, Lane, LaneStep, LayerJobs, Selection};
use crate::component::Shape;

/// One lane per layer of a model of these dimensions.
pub(super) fn build(model: &ModelShape, selection: &Selection, layers: LayerJobs) -> Vec<Lane> {
    layers
        .into_iter()
        .map(|(layer, planned)| {
            let steps = steps_in_order(&planned, selection)
                .into_iter()
                .map(|step| lane_step(layer, step, &planned, selection))
                .filter(|step| step.inputs.iter().any(|it| *it != Inputs::Absent))
                .collect();
            let jobs = planned.into_iter().map(|planned| planned.job).collect();
            Lane {
                layer,
                model: layer.map_or_else(|| model.clone(), |layer| model.of_layer(layer)),
                jobs,
                steps,
                passes_over_broken: selection.passes_over_broken,
            }
        })
        .collect()
}

/// Splits lanes by steps where workers would otherwise wait for others: of lanes that do not
/// divide evenly over the workers, those that are left over.
pub(super) fn split(lanes: &[Lane], workers: usize) -> Vec<Lane> {
    let left_over = lanes.len() % workers.max(1);
    let (whole, rest) = lanes.split_at(lanes.len() - left_over);
    let most = |count: fn(&Lane) -> usize| rest.iter().map(count).max().unwrap_or_default();
    let own = most(|lane| recorded(lane).len());
    let targets = most(|lane| targets_of_lane(lane).len());
    let parts = parts(left_over, workers, own, targets);
    let mut split = whole.to_vec();
    split.extend(rest.iter().flat_map(|lane| split_lane(lane, parts)));
    split
}

/// Into how many parts every one of `lanes`, fewer than `workers`, is split so that the last
/// worker ends soonest. Time counts in steps: a lane has `own` ones, and every part computes the
/// `targets` of its comparisons again, so fewer parts are better where they end together.
fn parts(lanes: usize, workers: usize, own: usize, targets: usize) -> usize {
    let last_ends = |parts: usize| {
        let rounds = (lanes * parts).div_ceil(workers.max(1));
        rounds * (own.div_ceil(parts) + if parts > 1 { targets } else { 0 })
    };
    let most = own.min(workers).max(1);
    (1..=most)
        .min_by_key(|parts| last_ends(*parts))
        .unwrap_or(1)
}

fn recorded(lane: &Lane) -> Vec<&LaneStep> {
    lane.steps.iter().filter(|step| step.recorded).collect()
}

fn targets_of_lane(lane: &Lane) -> BTreeSet<u64> {
    let metrics = lane.jobs.iter().flat_map(|job| &job.metrics);
    targets_of(metrics.map(|metric| metric.target))
}

fn split_lane(lane: &Lane, parts: usize) -> Vec<Lane> {
    let targets = targets_of_lane(lane);
    let recorded = recorded(lane);
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
                passes_over_broken: lane.passes_over_broken,
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
        .map(|(job, inputs)| match inputs {
            _ if !is_target(job) => Inputs::Absent,
            Inputs::Tensors(inputs) => {
                let inputs = inputs.iter();
                let places = inputs.map(|&input| place(&mut tensors, step.tensors[input].clone()));
                Inputs::Tensors(places.collect())
            }
            Inputs::Absent | Inputs::Obstructed(_) => inputs.clone(),
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
pub(crate) fn matrix_shape(shape: &[u64]) -> Shape {
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
    layer: Option<u64>,
    step: u64,
    planned: &[PlannedJob],
    selection: &Selection,
) -> LaneStep {
    let recorded = selection.computed.binary_search(&step).is_ok();
    let mut tensors: Vec<StoredTensor> = Vec::new();
    let inputs = planned.iter().map(|planned| {
        let wanted = recorded || planned.job.metrics.iter().any(|m| m.target == Some(step));
        if wanted {
            inputs_of(planned, layer, step, &mut tensors)
        } else {
            Inputs::Absent
        }
    });
    LaneStep {
        step,
        recorded,
        inputs: inputs.collect(),
        tensors,
    }
}

/// What a job works with, its tensors added to those of the step.
fn inputs_of(
    planned: &PlannedJob,
    layer: Option<u64>,
    step: u64,
    tensors: &mut Vec<StoredTensor>,
) -> Inputs {
    if planned.otherwise_at.contains(&step) {
        return Inputs::Absent;
    }
    let mut found = Vec::with_capacity(planned.inputs.len());
    for input in &planned.inputs {
        let [tensor] = input.tensors(step, layer) else {
            return Inputs::Absent;
        };
        match tensor.values(input.wanted.kind) {
            Ok(values) => found.push(values),
            Err(obstacle) => return Inputs::Obstructed(status(tensor, &obstacle)),
        }
    }
    let places = found.into_iter().map(|found| place(tensors, found.clone()));
    Inputs::Tensors(places.collect())
}

/// Why a number has no value whose tensor has none.
fn status(tensor: &HeldTensor, obstacle: &Obstacle) -> Status {
    Status::new(obstacle.code(), &format!("{}: {obstacle}", tensor.name))
}

/// The index of a tensor among those of a step, added if it is new.
fn place(tensors: &mut Vec<StoredTensor>, found: StoredTensor) -> usize {
    tensors
        .iter()
        .position(|known| *known == found)
        .unwrap_or_else(|| {
            tensors.push(found);
            tensors.len() - 1
        })
}

/// Leaves out the steps that are finished, or keeps of them what others are compared with.
pub(super) fn forget(lane: &mut Lane, is_finished: impl Fn(u64) -> bool) {
    let targets = targets_of_lane(lane);
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

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn lanes_that_are_left_over_are_split_where_the_last_worker_then_ends_sooner() {
        assert_eq!(parts(1, 2, 20, 1), 2, "11 steps each instead of 20");
        assert_eq!(parts(3, 4, 20, 1), 4, "3 rounds of 6 steps instead of 20");
        assert_eq!(parts(3, 4, 20, 10), 1, "targets cost more than is won");
        assert_eq!(parts(1, 8, 3, 1), 3, "there are no more steps than that");
        assert_eq!(parts(1, 2, 1, 0), 1, "one step is not split");
        assert_eq!(parts(0, 2, 0, 0), 1, "nothing is left over");
    }
}
