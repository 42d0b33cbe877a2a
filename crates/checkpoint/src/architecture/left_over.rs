//! What stands beside projections and is taken for no part of circuits.

use std::collections::BTreeSet;

use super::roles::{Attention, Layer};
use crate::name::without_weight;

/// So many names are told.
const EXAMPLES: usize = 4;

/// Words in the names of what is no part of a circuit: biases, positions, masks and sinks.
const NO_PART: &[&str] = &[
    "bias", "mask", "rotary", "rope", "inv_freq", "position", "pos_", "distance", "alibi", "sink",
];

/// Words in the names of what belongs to how a projection is stored: its values come of both.
const STORAGE: &[&str] = &[
    "scale", "scb", "absmax", "quant", "zero", "zp", "g_idx", "codebook", "lut", "packed", "shift",
    "format",
];

/// The norm of BERT's stream, behind the output projection.
const NORM_OF_STREAM: &str = "LayerNorm";

/// Says which tensors of the module with these projections have no place in a layer's attention.
pub(super) fn tensors(
    layer: &Layer<'_>,
    projections: &[&str],
    attention: &Attention,
) -> Option<String> {
    let there = projections.iter().filter_map(|name| layer.find(name));
    let there: Vec<&str> = there.map(|(name, _)| name).collect();
    let folder = common_folder(&there)?;
    let used = used(attention);
    let is_left = |name: &&String| name.starts_with(folder) && !is_told_of(name, folder, &used);
    let left: Vec<&str> = layer
        .tensors
        .keys()
        .filter(is_left)
        .map(String::as_str)
        .collect();
    let names: Vec<String> = left
        .iter()
        .take(EXAMPLES)
        .map(|it| format!("`{it}`"))
        .collect();
    let more = match left.len().saturating_sub(EXAMPLES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let names = names.join(", ");
    (!left.is_empty()).then(|| format!("{names}{more} beside the projections are left out"))
}

/// The folder that tensors have in common, with its dot.
fn common_folder<'a>(names: &[&'a str]) -> Option<&'a str> {
    let (first, others) = names.split_first()?;
    let mut ends: Vec<usize> = first.match_indices('.').map(|(at, _)| at + 1).collect();
    ends.reverse();
    let folders = ends.into_iter().filter_map(|end| first.get(..end));
    let mut folders = folders.filter(|folder| without_weight(first).starts_with(folder));
    folders.find(|folder| others.iter().all(|name| name.starts_with(folder)))
}

/// The tensors that an attention is made of.
fn used(attention: &Attention) -> BTreeSet<String> {
    let Attention {
        query,
        key,
        value,
        output,
        ..
    } = attention;
    let mut used = BTreeSet::new();
    for map in [query, key, value, output].into_iter().flatten() {
        map.map(&mut |name: &String| used.insert(name.clone()));
    }
    used
}

/// Whether a tensor is part of an attention, or known to be no part of circuits.
fn is_told_of(name: &str, folder: &str, used: &BTreeSet<String>) -> bool {
    let within = name.strip_prefix(folder).unwrap_or(name);
    let within = within.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| within.contains(word));
    let is_beside = || {
        let mut stems = used.iter().map(|it| without_weight(it));
        stems.any(|stem| {
            name.strip_prefix(stem)
                .is_some_and(|rest| rest.starts_with('.'))
        })
    };
    used.contains(name)
        || has(NO_PART)
        || name.split('.').any(|segment| segment == NORM_OF_STREAM)
        || has(STORAGE) && is_beside()
}
