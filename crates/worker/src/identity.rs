//! What finished work was made of, so that an interrupted analysis takes over what still holds.
//!
//! Files of a disk are known by path, length and modification time, those of the Hub by commit and
//! content id. Whole files are not read only to be hashed.

use std::collections::{BTreeMap, BTreeSet};

use ckptscope_analysis::config::Monitoring;
use ckptscope_analysis::{Config, Lane, Plan};
use ckptscope_results::{Input, layer_in_words};
use sha2::{Digest, Sha256};

use crate::place::Place;

/// A layer and a step.
pub(crate) type Unit = (Option<u64>, u64);

/// The version, with the commit that it was built of where that is known.
pub(crate) const VERSION: &str = match option_env!("CKPTSCOPE_COMMIT") {
    Some(_) => concat!(
        env!("CARGO_PKG_VERSION"),
        " (",
        env!("CKPTSCOPE_COMMIT"),
        ")"
    ),
    None => env!("CARGO_PKG_VERSION"),
};

/// What results say that they were computed by: version and commit. Two of them may compute other
/// numbers, so that neither goes on with what the other began.
pub(crate) const PROGRAM: &str = match option_env!("CKPTSCOPE_COMMIT") {
    Some(_) => concat!(
        "ckptscope ",
        env!("CARGO_PKG_VERSION"),
        " (",
        env!("CKPTSCOPE_COMMIT"),
        ")"
    ),
    None => concat!("ckptscope ", env!("CARGO_PKG_VERSION")),
};

/// The layout of the journal's lines; one of another layout cannot be gone on with.
const JOURNAL_LAYOUT: [u8; 1] = [2];

/// What a config asks of this program: equal for equal work, wherever results go.
pub(crate) fn of_config(config: &Config) -> String {
    let work = Config {
        monitoring: Monitoring::default(),
        ..config.clone()
    };
    let mut hash = Sha256::new();
    hash.update(PROGRAM);
    hash.update(JOURNAL_LAYOUT);
    hash.update(work.to_yaml());
    in_hexadecimal(hash)
}

/// What the results of an analysis are made of: what [`of_config`] and [`of_units`] say. Where they
/// go counts too: who asks for that anew wants them sent.
pub(crate) fn of_analysis(config: &Config, plan: &Plan, place: &Place) -> String {
    let mut hash = Sha256::new();
    hash.update(of_config(config));
    hash.update(config.to_yaml());
    for ((layer, step), made_of) in of_units(plan, place) {
        let layer = layer_in_words(layer);
        hash.update(format!("\n{layer}, step {step}: {made_of}"));
    }
    in_hexadecimal(hash)
}

/// Per layer and step, what its numbers are made of: its tensors and those of the steps it is
/// compared with, and the lengths and versions of their files. A run that grows or a
/// file that is mended changes what it touches, and the rest of an interrupted analysis still
/// holds. A file that was only copied anew is taken for a changed one; that costs time, and the
/// other way round would cost truth.
pub(crate) fn of_units(plan: &Plan, place: &Place) -> BTreeMap<Unit, String> {
    let files = file_states(&plan.lanes, place);
    plan.lanes
        .iter()
        .flat_map(|lane| of_lane(lane, &files))
        .collect()
}

fn of_lane(lane: &Lane, files: &BTreeMap<&str, String>) -> Vec<(Unit, String)> {
    let asked = asked_of(lane);
    let targets: BTreeSet<Option<u64>> = lane
        .jobs
        .iter()
        .flat_map(|job| job.metrics.iter().map(|metric| metric.target))
        .collect();
    let states: BTreeMap<u64, String> = lane
        .steps
        .iter()
        .map(|step| (step.step, state_of(lane, step.step, files)))
        .collect();
    let recorded = lane.steps.iter().filter(|step| step.recorded);
    recorded
        .map(|step| {
            let mut hash = Sha256::new();
            hash.update(&asked);
            let steps = targets.iter().flatten().chain([&step.step]);
            for state in steps.filter_map(|step| states.get(step)) {
                hash.update(state);
            }
            ((lane.layer, step.step), in_hexadecimal(hash))
        })
        .collect()
}

/// What the config's words came to in this run: keys, targets, the model's dimensions, and what is
/// cut out of tensors.
fn asked_of(lane: &Lane) -> String {
    let mut text = format!("{:?}", lane.model);
    for job in &lane.jobs {
        text += &format!("\n{} {} {}", job.key(lane.layer), job.kind, job.split);
        if let Some(assembly) = &job.assembly {
            text += &format!(" {assembly:?}");
        }
        for metric in &job.metrics {
            text += &format!(" {} {:?}", metric.label, metric.target);
        }
    }
    text
}

/// The tensors of a step, and the state of their files.
fn state_of(lane: &Lane, number: u64, files: &BTreeMap<&str, String>) -> String {
    let mut text = format!("\nstep {number}");
    let steps = lane.steps.iter().filter(|step| step.step == number);
    for step in steps {
        text += &format!(" {:?}", step.inputs);
        for tensor in &step.tensors {
            let of_tensor = tensor.extents().map(|extent| files.get(extent.path));
            let of_tensor: BTreeSet<_> = of_tensor.collect();
            text += &format!("\n{of_tensor:?} {tensor:?}");
        }
    }
    text
}

/// The files that the plan reads tensors of, by path, for whoever wants to know later what an
/// analysis was of.
pub(crate) fn of_inputs(plan: &Plan, place: &Place) -> Vec<Input> {
    let paths: BTreeSet<&str> = plan.lanes.iter().flat_map(paths_of).collect();
    let files = place.tree().files().iter();
    let read = files.filter(|file| paths.contains(file.path.as_str()));
    let mut inputs: Vec<Input> = read
        .map(|file| {
            let (commit, content_id) = place.content_of(&file.path);
            Input {
                path: file.path.clone(),
                bytes: file.bytes,
                commit,
                content_id,
            }
        })
        .collect();
    inputs.sort_by(|one, other| one.path.cmp(&other.path));
    inputs
}

/// The files that a lane reads; one may occur several times.
pub(crate) fn paths_of(lane: &Lane) -> impl Iterator<Item = &str> {
    let tensors = lane.steps.iter().flat_map(|step| &step.tensors);
    tensors.flat_map(|tensor| tensor.extents().map(|extent| extent.path))
}

/// Path, length and version (see [`Place::version_of`]) of every file that the lanes read.
fn file_states<'a>(lanes: &'a [Lane], place: &Place) -> BTreeMap<&'a str, String> {
    let lengths: BTreeMap<&str, u64> = place
        .tree()
        .files()
        .iter()
        .map(|file| (file.path.as_str(), file.bytes))
        .collect();
    let paths: BTreeSet<&str> = lanes.iter().flat_map(paths_of).collect();
    paths
        .into_iter()
        .map(|path| {
            let (length, version) = (lengths.get(path), place.version_of(path));
            (path, format!("{path} {length:?} {version:?}"))
        })
        .collect()
}

fn in_hexadecimal(hash: Sha256) -> String {
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
