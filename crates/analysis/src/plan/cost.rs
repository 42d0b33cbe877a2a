//! What a plan costs, from shapes alone.

use std::collections::BTreeMap;

use ckptscope_checkpoint::read::near_reads;
use ckptscope_checkpoint::{ModelShape, StoredTensor, TensorEntry};
use ckptscope_metrics::{Held, MatrixExtent, Needs, Work};
use ckptscope_protocol::{Cost, Rates};

use super::counted::float32_entry;
use super::lanes::matrix_shape;
use super::{Inputs, Job, Lane, LaneStep, PORTION_BYTES, Portion, jobs};
use crate::component::{MatrixOutline, Outline};

/// Bytes of one entry in memory.
const ENTRY_BYTES: u64 = 8;

/// The cost of all lanes; the peak is that of the widest one.
pub(super) fn of(lanes: &[Lane]) -> Cost {
    let mut cost = Cost {
        lanes: lanes.len() as u64,
        ..Cost::default()
    };
    for lane in lanes {
        let of_lane = of_lane(lane);
        cost.units += of_lane.units;
        cost.numbers += of_lane.numbers;
        cost.read_bytes += of_lane.read_bytes;
        cost.reads += of_lane.reads;
        cost.work = cost.work + of_lane.work;
        cost.longest = longer(cost.longest, of_lane.longest);
        cost.peak_bytes = cost.peak_bytes.max(of_lane.peak_bytes);
    }
    cost
}

fn of_lane(lane: &Lane) -> Cost {
    let mut cost = Cost::default();
    let mut target_bytes = 0;
    for (step, of_step) in lane.steps.iter().zip(of_steps(lane)) {
        cost.units += 1;
        cost.numbers += of_step.numbers;
        cost.read_bytes += of_step.read_bytes;
        cost.reads += of_step.reads;
        cost.work = cost.work + of_step.work;
        cost.longest = longer(cost.longest, of_step.work);
        cost.peak_bytes = cost.peak_bytes.max(of_step.peak_bytes + target_bytes);
        target_bytes += kept_for_comparison(lane, step);
    }
    cost
}

/// What each step of a lane costs by itself, in their order.
pub(super) fn of_steps(lane: &Lane) -> Vec<Cost> {
    let portions = lane.steps.iter();
    let portions = portions.map(|step| Portion::of(step, &lane.jobs));
    let mut portions: Vec<Vec<Portion>> = portions.collect();
    portions.push(Vec::new());
    let steps = lane.steps.iter().zip(portions.windows(2));
    let costs = steps.map(|(step, portions)| of_step(lane, step, portions));
    costs.collect()
}

/// The one of two pieces of work that takes longer on an ordinary machine.
fn longer(one: Work, other: Work) -> Work {
    let seconds = |work: &Work| work.seconds(&Rates::ORDINARY);
    if seconds(&one) < seconds(&other) {
        other
    } else {
        one
    }
}

/// What an entry takes that is counted as it is read, beside one that is widened; of 16 bits, and of
/// float32 of which nothing else is done.
const COUNTED: f64 = 1.25;
const COUNTED_FLOAT32: f64 = 0.5;

/// Entries that are looked at in the time that a number takes to be told, and a layer-step to be
/// begun and written down.
const NUMBER_ENTRIES: f64 = 13_000.0;
const UNIT_ENTRIES: f64 = 105_000.0;

/// What is held of the entries of a job's matrices, where counting its tensor is enough, and the
/// memory that counting takes.
fn counting(step: &LaneStep, jobs: &[Job], job: &Job, inputs: &Inputs) -> Option<(Held, u64)> {
    if !job.asks_only_for_tally() {
        return None;
    }
    let mut found = None;
    for &tensor in inputs.tensors() {
        let stored = &step.tensors[tensor];
        let held = if stored.can_be_counted() {
            Held::Tally
        } else if float32_entry(stored).is_some() && step.counts_only(jobs, tensor) {
            Held::OnlyFloat32
        } else {
            return None;
        };
        // What is not longer than a portion is counted when all its bytes are there.
        let bytes = Some(stored.bytes()).filter(|bytes| *bytes <= PORTION_BYTES);
        let bytes = step.counted_bytes(jobs, tensor) + bytes.unwrap_or(0);
        let (_, before) = found.unwrap_or((held, 0));
        found = Some((held, before + bytes));
    }
    found
}

/// What reading a step's tensors takes: each is widened once, unless it is only counted.
fn reading(step: &LaneStep, jobs: &[Job]) -> Work {
    let of_tensor = |tensor: usize, stored: &StoredTensor| {
        #[allow(clippy::cast_precision_loss)] // an estimate
        let count = stored.count() as f64;
        let is_wide = !step.counts_only(jobs, tensor);
        let is_counted = stored.can_be_counted() && step.counts(jobs, tensor);
        let wide = if is_wide { count } else { 0.0 };
        let counted = match (is_counted, is_wide) {
            (true, _) => COUNTED * count,
            (false, false) => COUNTED_FLOAT32 * count,
            (false, true) => 0.0,
        };
        Work {
            widened: wide + counted,
            ..Work::default()
        }
    };
    let tensors = step.tensors.iter().enumerate();
    tensors
        .map(|(tensor, stored)| of_tensor(tensor, stored))
        .sum()
}

/// What is held of the entries of a job's matrices that are there as such.
fn held_wide(step: &LaneStep, job: &Job, inputs: &Inputs) -> Held {
    let is_exact = |tensor: &usize| {
        let dtype = step.tensors[*tensor].elements.dtype;
        step.tensors[*tensor].scale.is_none() && dtype.bytes() <= 4
    };
    let counts = |tensor: &usize| step.tensors[*tensor].can_be_counted();
    let mut tensors = inputs.tensors().iter();
    match job.asks_for_tally() {
        true if inputs.tensors().iter().all(counts) => Held::Tally,
        true if tensors.all(is_exact) => Held::Float32,
        _ => Held::Wide,
    }
}

/// What the matrices of a job take, with its metrics.
fn computing(job: &Job, outline: &Outline, held: Held, recorded: bool) -> Work {
    let needs = job.needs();
    let of_matrix = |matrix: &MatrixOutline, of_parts: bool| {
        let extent = MatrixExtent {
            rows: matrix.shape.rows,
            columns: matrix.shape.columns,
            inner: matrix.inner,
            terms: matrix.terms,
            of_parts,
            held,
        };
        let metrics = job.metrics.iter().filter(|_| recorded);
        let of_metrics = metrics.map(|it| it.metric.work(&it.parameters, extent));
        of_metrics.sum::<Work>() + extent.work(needs)
    };
    let heads = outline.heads.iter().map(|head| of_matrix(head, false));
    let layer = (!job.heads_only).then(|| of_matrix(&outline.layer, !outline.heads.is_empty()));
    heads.chain(layer).sum()
}

fn telling(numbers: u64) -> Work {
    #[allow(clippy::cast_precision_loss)] // an estimate
    let entries = UNIT_ENTRIES + NUMBER_ENTRIES * numbers as f64;
    Work {
        entries,
        ..Work::default()
    }
}

/// The cost of a step with these portions; the second are those of the step after it.
fn of_step(lane: &Lane, step: &LaneStep, portions: &[Vec<Portion>]) -> Cost {
    let read_bytes = step.tensors.iter().map(StoredTensor::bytes).sum();
    let mut cost = Cost {
        read_bytes,
        reads: portions.first().map_or(0, |own| reads(step, own)),
        ..Cost::default()
    };
    let held_bytes = held_bytes(step, &lane.jobs, portions);
    for ((job, inputs), held_bytes) in lane.jobs.iter().zip(&step.inputs).zip(held_bytes) {
        if matches!(inputs, Inputs::Obstructed(_)) && step.recorded {
            cost.numbers += outputs(job) as u64;
        }
        let Some((outline, input_bytes)) = outline_at(&lane.model, job, step, inputs) else {
            continue;
        };
        let needs = job.needs();
        let layer = (!job.heads_only).then_some(&outline.layer);
        let matrices = || outline.heads.iter().chain(layer);
        if let Some((held, bytes)) = counting(step, &lane.jobs, job, inputs) {
            cost.work = cost.work + computing(job, &outline, held, step.recorded);
            cost.peak_bytes = cost.peak_bytes.max(held_bytes + bytes);
            cost.numbers += if step.recorded {
                outputs(job) as u64
            } else {
                0
            };
            continue;
        }
        let held = held_wide(step, job, inputs);
        cost.work = cost.work + computing(job, &outline, held, step.recorded);
        let facts = if job.heads_only && job.metrics.iter().all(|it| it.target.is_none()) {
            one_at_a_time_bytes(&outline.heads, needs)
        } else {
            matrices().map(|matrix| facts_bytes(matrix, needs)).sum()
        };
        cost.peak_bytes = cost.peak_bytes.max(held_bytes + input_bytes + facts);
        if step.recorded {
            cost.numbers += (outputs(job) * matrices().count()) as u64;
        }
    }
    cost.work = cost.work + reading(step, &lane.jobs) + telling(cost.numbers);
    cost
}

/// Reads of a step's files: what lies side by side in one comes at once.
fn reads(step: &LaneStep, portions: &[Portion]) -> u64 {
    let of_portion = |portion: &Portion| {
        let mut by_file: BTreeMap<&str, Vec<&TensorEntry>> = BTreeMap::new();
        let tensors = portion.tensors.iter();
        for extent in tensors.flat_map(|tensor| step.tensors[*tensor].extents()) {
            by_file.entry(extent.path).or_default().push(extent.entry);
        }
        by_file.into_values().map(near_reads).sum::<u64>()
    };
    portions.iter().map(of_portion).sum()
}

/// Numbers of one matrix of a job.
fn outputs(job: &Job) -> usize {
    let metrics = job.metrics.iter();
    metrics
        .map(|metric| metric.metric.outputs(&metric.parameters).len())
        .sum()
}

/// Per job of a step, what is in memory beside its own inputs: the bytes of its portion, where
/// other jobs read some of them, those of the portion that is fetched ahead, and the tensors of
/// jobs before it that jobs after it read again.
fn held_bytes(step: &LaneStep, jobs: &[Job], portions: &[Vec<Portion>]) -> Vec<u64> {
    let mut held = vec![0_u64; step.inputs.len()];
    let own = portions.first().map_or(0, Vec::len);
    let all: Vec<&Portion> = portions.iter().flatten().collect();
    for (index, portion) in all.iter().take(own).enumerate() {
        let next = all.get(index + 1);
        let ahead = next.filter(|next| next.is_fetched_ahead());
        let shared = if portion.jobs.len() > 1 {
            portion.bytes
        } else {
            0
        };
        for job in portion.jobs.clone() {
            held[job] = shared.saturating_add(ahead.map_or(0, |ahead| ahead.bytes));
        }
    }
    for (tensor, place) in step.tensors.iter().enumerate() {
        let reads = |inputs: &Inputs| inputs.tensors().contains(&tensor);
        let first = step.inputs.iter().position(reads);
        let last = step.inputs.iter().rposition(reads);
        let (Some(first), Some(last)) = (first, last) else {
            continue;
        };
        let bytes = if step.counts_only(jobs, tensor) {
            step.counted_bytes(jobs, tensor)
        } else {
            place.count().saturating_mul(ENTRY_BYTES)
        };
        for (job, held) in held.iter_mut().enumerate().take(last).skip(first) {
            if !reads(&step.inputs[job]) {
                *held = held.saturating_add(bytes);
            }
        }
    }
    held
}

fn outline_at(
    model: &ModelShape,
    job: &Job,
    step: &LaneStep,
    inputs: &Inputs,
) -> Option<(Outline, u64)> {
    let Inputs::Tensors(inputs) = inputs else {
        return None;
    };
    let shapes: Vec<_> = inputs
        .iter()
        .map(|&input| matrix_shape(step.tensors[input].shape()))
        .collect();
    let entries: u64 = shapes
        .iter()
        .map(|shape| (shape.rows * shape.columns) as u64)
        .sum();
    Some((
        jobs::outline(job, model, &shapes).ok()?,
        entries * ENTRY_BYTES,
    ))
}

/// What the engine keeps of a target step: its matrices and what comparisons need of them.
fn kept_for_comparison(lane: &Lane, step: &LaneStep) -> u64 {
    let comparisons = |job: &Job| {
        job.metrics
            .iter()
            .filter(|metric| metric.target == Some(step.step))
            .map(|metric| metric.metric.needs(&metric.parameters))
            .reduce(Needs::and)
    };
    lane.jobs
        .iter()
        .zip(&step.inputs)
        .filter_map(|(job, inputs)| {
            let (outline, _) = outline_at(&lane.model, job, step, inputs)?;
            let needs = comparisons(job)?;
            let matrices = outline.heads.into_iter().chain([outline.layer]);
            Some(
                matrices
                    .map(|matrix| kept_bytes(&matrix, needs))
                    .sum::<u64>(),
            )
        })
        .sum()
}

/// Memory of heads that are let go with their facts before those of the next one are computed.
fn one_at_a_time_bytes(heads: &[MatrixOutline], needs: Needs) -> u64 {
    let held = |head| kept_bytes(head, Needs::default());
    let beside = |head| facts_bytes(head, needs) - held(head);
    heads.iter().map(held).sum::<u64>() + heads.iter().map(beside).max().unwrap_or(0)
}

/// Memory of a matrix's facts while they are computed.
fn facts_bytes(matrix: &MatrixOutline, needs: Needs) -> u64 {
    let entries = (matrix.shape.rows * matrix.shape.columns) as u64;
    let thin = (matrix.shape.rows * matrix.inner) as u64;
    let square = (matrix.inner * matrix.inner) as u64;
    let sorted = [needs.sorted_magnitudes, needs.sorted_entries];
    let sorted = entries * sorted.map(u64::from).iter().sum::<u64>();
    let decomposed = if needs.singular_values || needs.spectrum_estimate || needs.eigenvalues {
        thin + square
    } else {
        0
    };
    // Directions, their QR and their orthonormal form; a decomposition with vectors.
    let compared = if needs.wants_directions() {
        4 * thin + 6 * square
    } else {
        0
    };
    kept_bytes(matrix, needs) + (sorted + decomposed + compared) * ENTRY_BYTES
}

/// Memory of a matrix and of the facts that stay with it for comparisons.
fn kept_bytes(matrix: &MatrixOutline, needs: Needs) -> u64 {
    let (rows, columns, inner) = (matrix.shape.rows, matrix.shape.columns, matrix.inner);
    let is_thin = inner < rows.min(columns);
    let held = if is_thin {
        (2 * rows + columns) * inner
    } else {
        rows * columns
    };
    let centred = if needs.centred_gram {
        rows * inner + inner * inner
    } else {
        0
    };
    let basis = if needs.wants_directions() {
        rows * inner + inner * inner
    } else {
        0
    };
    // The similarities of samples, and of each pair its dissimilarity.
    let dissimilarities = if needs.dissimilarities {
        rows * rows + rows * rows / 2
    } else {
        0
    };
    (held + centred + basis + dissimilarities) as u64 * ENTRY_BYTES
}
