//! Weights that have fewer layers than their model: one stage of a pipeline, one rank's part.
//!
//! Every number of such weights is right of the layers that are there, and says nothing of the
//! model. Names of files do not tell: a stage is often saved as `model.safetensors`.

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
    for (step, part, read) in parts {
        if part.kind != DataKind::Weights {
            continue;
        }
        if let Some(what) = of_weights(run, &read.index) {
            said.entry(what).or_default().push(step);
        }
    }
    let said = said.into_iter();
    said.map(|(what, steps)| format!("weights at step {} {what}", steps_in_words(&steps)))
        .collect()
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
            format!(
                "have {} layers ({first} to {last}) of the {wanted} that {source} says: a part of \
                 the model, or layers that share weights",
                layers.len()
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
