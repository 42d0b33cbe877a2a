//! Which files of a folder are a model's weights.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::find::{Folder, recorded_as};
use crate::error::RunError;
use crate::tree::{Tree, entry_of};

/// Endings of checkpoint files.
const ENDINGS: &[&str] = &[".safetensors", ".pt", ".pth", ".bin", ".ckpt"];

/// Whole models, the one to prefer first; their shards are named after them.
const MODELS: &[(&str, &str)] = &[("model", ".safetensors"), ("pytorch_model", ".bin")];

/// Files that trainers write beside a model's weights.
const AUXILIARY: &[&str] = &[
    "optimizer",
    "optim_states",
    "scheduler",
    "rng_state",
    "training_args",
    "scaler",
];

/// Longer shard indexes are refused.
const INDEX_LIMIT_BYTES: u64 = 64 * 1024 * 1024;

/// The paths of the weights in a folder, in shard order: the model by its usual name, else its
/// shards, else the only checkpoint file there is.
pub(super) async fn weights_of(
    tree: &dyn Tree,
    folder: &Folder<'_>,
    warnings: &mut Vec<String>,
) -> Result<Option<Vec<String>>, RunError> {
    for (stem, ending) in MODELS {
        let whole = format!("{stem}{ending}");
        if folder.files.contains(&whole.as_str()) {
            return Ok(Some(vec![folder.path_of(&whole)]));
        }
        let index = format!("{stem}{ending}.index.json");
        if folder.files.contains(&index.as_str()) {
            return indexed_shards(tree, folder, &index).await.map(Some);
        }
    }
    if let Some(shards) = numbered_shards(tree, folder)? {
        return Ok(Some(shards));
    }
    Ok(only_file(folder, warnings).map(|file| vec![folder.path_of(file)]))
}

/// Whether a file's name ends as checkpoints do.
pub(crate) fn is_checkpoint(file: &str) -> bool {
    ENDINGS.iter().any(|ending| file.ends_with(ending))
}

/// Whether a file is an optimizer's or a trainer's state.
pub(crate) fn is_auxiliary(file: &str) -> bool {
    AUXILIARY.iter().any(|word| file.contains(word))
}

/// `*.index.json`: which shard holds which tensor.
#[derive(Deserialize)]
struct Index {
    weight_map: serde_json::Map<String, serde_json::Value>,
}

async fn indexed_shards(
    tree: &dyn Tree,
    folder: &Folder<'_>,
    index: &str,
) -> Result<Vec<String>, RunError> {
    let path = folder.path_of(index);
    let bytes = entry_of(tree, &path)?.bytes;
    if bytes > INDEX_LIMIT_BYTES {
        return Err(RunError::IndexTooLong {
            path,
            bytes,
            limit: INDEX_LIMIT_BYTES,
        });
    }
    let content = tree.open(&path).await?.read_at(0, bytes).await?;
    let parsed = serde_json::from_slice::<Index>(&content);
    let parsed = parsed.map_err(|source| RunError::BadIndex {
        path: path.clone(),
        source,
    })?;
    let shards: BTreeSet<&str> = parsed
        .weight_map
        .values()
        .filter_map(serde_json::Value::as_str)
        .collect();
    let missing = shards.iter().find(|shard| !folder.files.contains(shard));
    if let Some(shard) = missing {
        return Err(missing_shard(tree, folder, shard, index));
    }
    Ok(shards
        .into_iter()
        .map(|shard| folder.path_of(shard))
        .collect())
}

/// Shards without an index: `{stem}-0000k-of-0000n{ending}`, all of one set.
fn numbered_shards(tree: &dyn Tree, folder: &Folder<'_>) -> Result<Option<Vec<String>>, RunError> {
    let first = folder.files.iter().find_map(|file| Shard::of(file));
    let Some(first) = first else { return Ok(None) };
    let mut paths = Vec::new();
    for number in 1..=first.count {
        let shard = first.with_number(number);
        if !folder.files.contains(&shard.as_str()) {
            return Err(missing_shard(tree, folder, &shard, "the number of shards"));
        }
        paths.push(folder.path_of(&shard));
    }
    Ok(Some(paths))
}

/// A shard's file name, taken apart.
struct Shard<'a> {
    stem: &'a str,
    digits: usize,
    count: u64,
    /// `-of-00003.safetensors`
    rest: &'a str,
}

impl<'a> Shard<'a> {
    fn of(file: &'a str) -> Option<Self> {
        if !is_checkpoint(file) || is_auxiliary(file) {
            return None;
        }
        let (before, _) = file.split_once("-of-")?;
        let rest = file.get(before.len()..)?;
        let count = rest.strip_prefix("-of-")?.split('.').next()?;
        let (stem, number) = before.rsplit_once('-')?;
        number.parse::<u64>().ok()?;
        Some(Self {
            stem,
            digits: number.len(),
            count: count.parse().ok()?,
            rest,
        })
    }

    fn with_number(&self, number: u64) -> String {
        let Self {
            stem, digits, rest, ..
        } = self;
        format!("{stem}-{number:0digits$}{rest}")
    }
}

fn missing_shard(tree: &dyn Tree, folder: &Folder<'_>, shard: &str, index: &str) -> RunError {
    RunError::MissingShard {
        shard: shard.to_owned(),
        index: index.to_owned(),
        path: format!("{}/{}", tree.name(), folder.path),
    }
}

/// The only checkpoint file of a folder, safetensors before others. What pico-train recorded is
/// not a model's weights.
fn only_file<'a>(folder: &Folder<'a>, warnings: &mut Vec<String>) -> Option<&'a str> {
    let files = folder.files.iter().copied();
    let candidates: Vec<&str> = files
        .filter(|file| is_checkpoint(file) && !is_auxiliary(file) && recorded_as(file).is_none())
        .collect();
    let is_safetensors = |file: &&str| file.ends_with(".safetensors");
    let safetensors: Vec<&str> = candidates.iter().copied().filter(is_safetensors).collect();
    match (safetensors.as_slice(), candidates.as_slice()) {
        ([file], _) | ([], [file]) => Some(*file),
        (_, []) => None,
        (_, several) => {
            let folder = if folder.path.is_empty() {
                "the folder"
            } else {
                folder.path
            };
            warnings.push(format!(
                "{folder} holds several checkpoint files and none is called as a model is, so \
                 none is used: {}",
                several.join(", ")
            ));
            None
        }
    }
}
