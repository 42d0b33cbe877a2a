//! Jobs laid out in lanes: what every step of a layer reads, each tensor once.
//!
//! A lane lists each tensor of a step once. Target steps of comparisons come first, and the engine
//! keeps their facts until the lane ends. Where a lane has several targets, the engine asks what
//! waits for a later one once that one is there.

use std::collections::BTreeSet;

use ckptscope_checkpoint::Run;

use super::jobs::PlannedJob;
use super::{Lane, LaneStep, LayerJobs, Selection, TensorPlace};
use crate::component::Shape;

/// One lane per layer.
pub(super) fn build(run: &Run, selection: &Selection, layers: LayerJobs) -> Vec<Lane> {
    let model = run.model.clone().unwrap_or_default();
    layers
        .into_iter()
        .map(|(layer, planned)| {
            let steps = steps_in_order(&planned, selection)
                .into_iter()
                .map(|step| lane_step(layer, step, &planned, selection))
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
                    .map(|&input| place(&mut tensors, step.tensors[input].clone()))
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

fn lane_step(layer: u64, step: u64, planned: &[PlannedJob], selection: &Selection) -> LaneStep {
    let recorded = selection.computed.binary_search(&step).is_ok();
    let mut tensors: Vec<TensorPlace> = Vec::new();
    let mut inputs = Vec::with_capacity(planned.len());
    for planned in planned {
        let wanted = recorded || planned.job.metrics.iter().any(|m| m.target == Some(step));
        let places: Option<Vec<TensorPlace>> = planned
            .inputs
            .iter()
            .map(|input| match input.tensors(step, layer) {
                [tensor] => tensor.place(),
                _ => None,
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
fn place(tensors: &mut Vec<TensorPlace>, found: TensorPlace) -> usize {
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
