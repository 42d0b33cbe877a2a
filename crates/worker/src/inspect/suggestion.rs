//! What to run next: a first config that fits what was found.

use std::collections::BTreeMap;

use ckptscope_checkpoint::layer_of;

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
    let parts = data.into_iter().filter_map(|data| {
        let first = inspection.checkpoints.first()?;
        let is_it = |part: &&PartReport| (part.kind, part.split) == (data.kind, data.split);
        first.parts.iter().find(is_it)
    });
    parts.filter_map(|part| Some((part, suffix(part)?))).next()
}

/// The suffix that most layers have as a matrix, the first of them in the file's order.
fn suffix(part: &PartReport) -> Option<&str> {
    let tensors = part.files.iter().flat_map(|file| &file.tensors);
    let matrices = tensors.filter(|tensor| tensor.shape.len() == 2 && tensor.elements > 0);
    let suffixes = matrices.filter_map(|tensor| Some(layer_of(&tensor.name)?.suffix));
    let mut layers: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (place, suffix) in suffixes.enumerate() {
        layers.entry(suffix).or_insert((0, place)).0 += 1;
    }
    layers
        .into_iter()
        .filter(|(suffix, _)| is_plain(suffix))
        .min_by_key(|(_, (layers, place))| (std::cmp::Reverse(*layers), *place))
        .map(|(suffix, _)| suffix)
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
