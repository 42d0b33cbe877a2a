//! Weights that have fewer layers than their model: one stage of a pipeline, one rank's part.
//!
//! Every number of such weights is right of the layers that are there, and says nothing of the
//! model. Names of files do not tell: a stage is often saved as `model.safetensors`, and shards may
//! be numbered as steps are.

use std::collections::{BTreeMap, BTreeSet};

use ckptscope_checkpoint::{DataKind, Part, Run};

use super::index::{PartIndex, ReadPart};
use super::problem::steps_in_words;

/// A whole model's layers may begin here: some trainers number the embedding and what follows it.
const USUAL_FIRST: u64 = 2;

/// What is said of weights that lack layers of their model, by what is said, for all its steps.
pub(crate) fn missing_layers<'a>(
    run: &Run,
    parts: impl IntoIterator<Item = (u64, &'a Part, &'a ReadPart)>,
) -> Vec<String> {
    let mut said: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut before: Option<(u64, Names<'_>)> = None;
    let mut apart = None;
    for (step, part, read) in parts {
        if part.kind != DataKind::Weights {
            continue;
        }
        if apart.is_none() {
            let names = names(&read.index);
            let other = before.take().filter(|(_, of_other)| {
                !names.is_empty() && !of_other.is_empty() && of_other.is_disjoint(&names)
            });
            apart = other.map(|(other, _)| (other, step));
            before = Some((step, names));
        }
        if let Some(what) = of_weights(run, &read.index) {
            said.entry(what).or_default().push(step);
        }
    }
    let said = said.into_iter();
    let said =
        said.map(|(what, steps)| format!("weights at step {} {what}", steps_in_words(&steps)));
    let apart = apart.map(|(one, other)| {
        format!(
            "weights at step {one} and step {other} have no tensor in common: if these are shards \
             of one model and no steps, give it with its index"
        )
    });
    said.chain(apart).collect()
}

/// Names of tensors within their layers, or outside of layers.
type Names<'a> = BTreeSet<(Option<u64>, &'a str)>;

/// The tensors of weights, whatever their stacks are called.
fn names(index: &PartIndex) -> Names<'_> {
    let outside = index.names_outside().into_iter().map(|name| (None, name));
    let of_stack = |stack| {
        let layers = index.numbers(stack);
        layers.flat_map(move |layer| {
            let tensors = index.tensors(stack, layer);
            tensors
                .map(move |(name, _)| (Some(layer), name.strip_suffix(".weight").unwrap_or(name)))
        })
    };
    outside.chain(index.names().flat_map(of_stack)).collect()
}

/// What the largest stack of weights lacks. Without a config only a first layer that no trainer
/// begins with tells.
fn of_weights(run: &Run, index: &PartIndex) -> Option<String> {
    let layers = index.names().map(|stack| index.numbers(stack).collect());
    let layers: BTreeSet<u64> = layers.max_by_key(BTreeSet::len)?;
    let (first, last) = (layers.first()?, layers.last()?);
    let has_others = index.outside().count > 0;
    let model = run.model.as_ref();
    let wanted = model.and_then(|model| Some((model.n_layers?, &model.source)));
    match wanted {
        Some((wanted, source)) => ((layers.len() as u64) < wanted).then(|| {
            let there = match layers.len() {
                1 => format!("1 layer ({first})"),
                several => format!("{several} layers ({first} to {last})"),
            };
            format!(
                "have {there} of the {wanted} that {source} says: a part of the model, or layers \
                 that share weights"
            )
        }),
        None => (*first > if has_others { USUAL_FIRST } else { 1 }).then(|| {
            format!(
                "begin with layer {first}: if that is one stage of a pipeline, the layers before \
                 it are in other files"
            )
        }),
    }
}
