//! What to run next: a first config that fits what was found.

use std::collections::BTreeMap;

use ckptscope_checkpoint::{Spelling, Stacks, layer_of};

use super::inspection::{Inspection, PartReport};
use crate::console::printable;

/// The file name that the suggestion gives its config.
const CONFIG: &str = "first.yaml";

/// A config of one metric of one component, and the command; nothing where no layer was found.
pub(super) fn text(inspection: &Inspection) -> String {
    let Some((part, suffix)) = chosen(inspection) else {
        return String::new();
    };
    let metric = if part.kind == "activations" {
        "cka\n        target_checkpoint: last"
    } else {
        "per"
    };
    let split = part.split.unwrap_or("val");
    let kind = part.kind;
    let arguments: Vec<String> = inspection
        .arguments
        .iter()
        .map(|word| quoted(&printable(word)))
        .collect();
    format!(
        "
To analyze it, write {CONFIG}:

    metrics:
      - metric_name: {metric}
        data_split: {split}
        components:
          - component_name: simple
            data_type: {kind}
            layer_suffixes: {suffix}
            layers: all
    steps: all

and run:

    worker analyze --config {CONFIG} {}

`worker metrics` and `worker components` list what else there is.
",
        arguments.join(" ")
    )
}

/// What most steps have, and a suffix of it.
fn chosen(inspection: &Inspection) -> Option<(&PartReport, &str)> {
    let mut data: Vec<_> = inspection.data.iter().collect();
    data.sort_by_key(|data| std::cmp::Reverse(data.steps.len()));
    data.into_iter().find_map(|data| {
        let is_it = |part: &&PartReport| (part.kind, part.split) == (data.kind, data.split);
        let checkpoints = inspection.checkpoints.iter();
        let parts = checkpoints.filter_map(|checkpoint| checkpoint.parts.iter().find(is_it));
        suffix(&parts.collect::<Vec<_>>())
    })
}

/// Of the same data at some steps, the suffix that most layers of the first have as a matrix, the
/// first of them in the file's order; and none that a config would be refused for.
fn suffix<'a>(parts: &[&'a PartReport]) -> Option<(&'a PartReport, &'a str)> {
    let first = *parts.first()?;
    let steps: Vec<Stacks<bool>> = parts.iter().map(|part| stacks(part)).collect();
    let tensors = first.files.iter().flat_map(|file| &file.tensors);
    let matrices = tensors.filter(|tensor| tensor.shape.len() == 2 && tensor.elements > 0);
    let suffixes = matrices.filter_map(|tensor| Some(layer_of(&tensor.name)?.suffix));
    let mut layers: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (place, suffix) in suffixes.enumerate() {
        layers.entry(suffix).or_insert((0, place)).0 += 1;
    }
    layers
        .into_iter()
        .filter(|(suffix, _)| is_plain(suffix) && is_of_one_stack(&steps, suffix))
        .min_by_key(|(_, (layers, place))| (std::cmp::Reverse(*layers), *place))
        .map(|(suffix, _)| (first, suffix))
}

/// The tensors of a part by their names: whether each can be read.
fn stacks(part: &PartReport) -> Stacks<bool> {
    let mut stacks = Stacks::default();
    for file in &part.files {
        for tensor in &file.tensors {
            stacks.add(&tensor.name, true);
        }
        for tensor in &file.unreadable {
            stacks.add(&tensor.name, false);
        }
    }
    stacks
}

/// Whether a suffix means tensors of one stack at all steps: of the same, or of the only one that
/// each step has.
fn is_of_one_stack(steps: &[Stacks<bool>], suffix: &str) -> bool {
    let with_it = steps.iter().filter(|step| !step.with(suffix).is_empty());
    let found: Option<Vec<(&str, bool)>> = with_it
        .map(|step| Some((stack_of(step, suffix)?, step.names().count() == 1)))
        .collect();
    found.is_some_and(|found| {
        let mut pairs = found.windows(2);
        found.iter().all(|(_, is_only)| *is_only) || pairs.all(|pair| pair[0].0 == pair[1].0)
    })
}

/// The only stack that has a suffix, where it means one readable tensor in each of its layers.
fn stack_of<'a>(stacks: &'a Stacks<bool>, suffix: &str) -> Option<&'a str> {
    let [stack] = stacks.with(suffix)[..] else {
        return None;
    };
    let spelling = stacks.spelling(stack, suffix);
    let mut layers = stacks.layers_with(stack, suffix, spelling);
    let is_clear = spelling == Spelling::WeightMayLack
        && layers.all(|layer| stacks.of(stack, layer, suffix, spelling) == [true]);
    is_clear.then_some(stack)
}

/// Whether YAML needs no quotes for it.
fn is_plain(suffix: &str) -> bool {
    let is_word = |character: char| character.is_ascii_alphanumeric() || "._".contains(character);
    suffix.starts_with(|character: char| character.is_ascii_alphabetic())
        && suffix.chars().all(is_word)
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
