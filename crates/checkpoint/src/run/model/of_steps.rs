//! Whether the configs beside the weights of all steps say one model.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt};

use super::{CONFIGS, Model, ModelConfig, is_named, name_of, read};
use crate::run::Step;
use crate::tree::{FileEntry, Tree};

/// More configs that may differ are not compared.
const COMPARED: usize = 64;

/// So many of them are read at once.
const READ_AT_ONCE: usize = 16;

/// Whether a file lies in the folder of a step's files, or in one above.
pub(super) fn is_above(file: &FileEntry, step: &Step) -> bool {
    let folder = folder_of(&file.path);
    let mut paths = step.parts.iter().flat_map(|part| &part.paths);
    paths.any(|path| path.starts_with(folder))
}

fn folder_of(path: &str) -> &str {
    let end = path.rfind('/').map_or(0, |slash| slash + 1);
    path.get(..end).unwrap_or_default()
}

/// Takes back what the config nearest to some step's weights says otherwise: heads of one step
/// would be taken for those of another. What is taken back is a warning.
pub(super) async fn compare(
    tree: &dyn Tree,
    steps: &[Step],
    model: &mut Model,
    warnings: &mut Vec<String>,
) {
    let source = model.0.source.clone();
    let name = name_of(&source);
    let Some((_, parse)) = CONFIGS.iter().find(|(known, _)| *known == name) else {
        return;
    };
    let files = tree.files().iter();
    let named: Vec<&FileEntry> = files.filter(|it| is_named(&it.path, name)).collect();
    let nearest = steps.iter().filter_map(|step| {
        let above = named.iter().filter(|file| is_above(file, step));
        above.max_by_key(|file| file.path.matches('/').count())
    });
    let nearest: BTreeSet<&str> = nearest.map(|file| file.path.as_str()).collect();
    let mut tags: BTreeSet<String> = tree.content_tag(&source).into_iter().collect();
    let others = nearest.into_iter().filter(|path| *path != source);
    let others: Vec<&str> = others
        .filter(|path| tree.content_tag(path).is_none_or(|tag| tags.insert(tag)))
        .collect();
    if let Some(more) = others.len().checked_sub(COMPARED).filter(|more| *more > 0) {
        warnings.push(format!(
            "{more} configs beside weights are not compared with {source}"
        ));
    }
    let said_at = |path: &str| {
        let path = path.to_owned();
        async move {
            // What is broken says nothing; the config that counts is another.
            let said = read(tree, tree.entry(&path)?, *parse).await;
            Some((path, said.ok()?.model?))
        }
    };
    let others = others.into_iter().take(COMPARED).map(said_at);
    let said: Vec<Option<(String, Model)>> =
        stream::iter(others).buffered(READ_AT_ONCE).collect().await;
    for (path, other) in said.into_iter().flatten() {
        take_back(model, &other, &path, warnings);
    }
}

/// What the config at a path says, where it is another content than that of `source`.
#[cfg(feature = "hub")]
pub(crate) async fn other_model(tree: &dyn Tree, source: &str, path: &str) -> Option<Model> {
    let tag = tree.content_tag(path);
    if path == source || tag.is_some() && tag == tree.content_tag(source) {
        return None;
    }
    let (_, parse) = CONFIGS.iter().find(|(name, _)| is_named(path, name))?;
    let said = read(tree, tree.entry(path)?, *parse).await;
    said.ok()?.model
}

/// Takes back the dimensions that another config says otherwise.
pub(crate) fn take_back(model: &mut Model, other: &Model, path: &str, warnings: &mut Vec<String>) {
    let (shape, config) = model;
    let source = &shape.source;
    let sizes = [
        ("d_model", &mut shape.d_model, other.0.d_model),
        ("n_layers", &mut shape.n_layers, other.0.n_layers),
        ("n_heads", &mut shape.n_heads, other.0.n_heads),
        ("n_kv_heads", &mut shape.n_kv_heads, other.0.n_kv_heads),
        ("d_head", &mut shape.d_head, other.0.d_head),
    ];
    let mut differing = Vec::new();
    for (name, size, of_other) in sizes {
        if *size != of_other && size.is_some() {
            differing.push(name);
            *size = None;
        }
    }
    if shape.layers != other.0.layers {
        differing.push("the heads of layers");
        shape.layers.clear();
    }
    if config.model_type != other.1.model_type && config.model_type.is_some() {
        differing.push("model_type");
        *config = ModelConfig::default();
    }
    if !differing.is_empty() {
        warnings.push(format!(
            "{path} and {source} differ in {}, so neither is taken for all steps; analyse the steps \
             of each by themselves, or say it in the analysis (`model: {{n_heads: 8}}`)",
            differing.join(", ")
        ));
    }
}
