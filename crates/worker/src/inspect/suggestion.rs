//! What to run next: a first config that fits what was found.

use std::collections::BTreeMap;

use ckptscope_analysis::proposal::proposals;
use ckptscope_analysis::survey::Suffix;
use ckptscope_analysis::{Registry, Survey};
use ckptscope_checkpoint::{Dtype, Part, Run, Split, layer_of};

use super::inspection::{CheckpointReport, Inspection, PartReport};
use crate::console::printable;

/// The file name that the suggestion gives its config.
const CONFIG: &str = "first.yaml";

/// The shortest analysis that is proposed, and the command; nothing where there is none.
pub(super) fn text(inspection: &Inspection, run: &Run) -> String {
    let found = proposals(run, &survey(inspection, run), &Registry::default());
    let shortest = found.iter().min_by_key(|one| one.text.lines().count());
    let Some(proposal) = shortest else {
        return String::new();
    };
    let lines = proposal.text.lines();
    let lines: Vec<String> = lines.map(|line| format!("    {line}")).collect();
    let config: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    let config = config.join("\n");
    let arguments = inspection.arguments.iter();
    let arguments: Vec<String> = arguments.map(|word| quoted(&printable(word))).collect();
    let arguments = arguments.join(" ");
    format!(
        "
To analyze it, write {CONFIG}:

{config}

and run:

    worker analyze --config {CONFIG} {arguments}

`worker metrics` and `worker components` list what else there is.
"
    )
}

/// What layers have, from the directories that were read, of the last step where it has it.
fn survey(inspection: &Inspection, run: &Run) -> Survey {
    let mut suffixes = BTreeMap::new();
    for checkpoint in &inspection.checkpoints {
        for (part, report) in parts(run, checkpoint) {
            for suffix in suffixes_of(part, report, checkpoint.step) {
                suffixes.insert((part.kind, part.split, suffix.name.clone()), suffix);
            }
        }
    }
    Survey {
        suffixes: suffixes.into_values().collect(),
        warnings: Vec::new(),
    }
}

/// The parts of a step with what was read of them.
fn parts<'a>(
    run: &'a Run,
    checkpoint: &'a CheckpointReport,
) -> impl Iterator<Item = (&'a Part, &'a PartReport)> {
    let steps = run.steps.iter();
    let step = steps.filter(|step| step.number == checkpoint.step);
    step.flat_map(|step| &step.parts).filter_map(|part| {
        let (kind, split) = (part.kind.name(), part.split.map(Split::name));
        let mut reports = checkpoint.parts.iter();
        Some((
            part,
            reports.find(|it| (it.kind, it.split) == (kind, split))?,
        ))
    })
}

fn suffixes_of(part: &Part, report: &PartReport, step: u64) -> Vec<Suffix> {
    let mut suffixes: BTreeMap<&str, Suffix> = BTreeMap::new();
    for tensor in report.files.iter().flat_map(|file| &file.tensors) {
        let Some(layer) = layer_of(&tensor.name) else {
            continue;
        };
        let is_float = |dtype: &Dtype| dtype.name() == tensor.dtype && dtype.is_float();
        let suffix = suffixes.entry(layer.suffix).or_insert_with(|| Suffix {
            kind: part.kind,
            split: part.split,
            name: layer.suffix.to_owned(),
            step,
            shapes: BTreeMap::new(),
            is_float: Dtype::ALL.iter().any(is_float),
        });
        suffix.shapes.insert(layer.number, tensor.shape.clone());
    }
    suffixes.into_values().collect()
}

/// As a shell takes it for one word.
fn quoted(path: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "/._-+=@,".contains(character);
    if !path.is_empty() && path.chars().all(is_plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}
