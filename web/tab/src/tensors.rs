//! The tensors of one part of a step.

use std::collections::BTreeMap;

use ckptscope_checkpoint::{Contents, FileContent, Part, Split};
use ckptscope_protocol::tab::{PartName, TensorList, TensorRow};

use super::opened::OpenedFiles;

/// Lists a part's tensors, from the directories of its files.
pub(super) async fn list(files: &OpenedFiles, name: PartName) -> Result<TensorList, String> {
    let part = part_named(files, &name).await?;
    let content = part.read(files.tree()).await;
    let content = content.map_err(|error| error.to_string())?;
    let contents = Contents::of(content.files.clone(), files.tree()).await;
    let held = contents.tensors.iter();
    let stored = held.filter_map(|tensor| {
        let stored = match tensor.values(part.kind) {
            Ok(_) => tensor.remark.clone()?,
            Err(obstacle) => obstacle.to_string(),
        };
        Some(((tensor.path.as_str(), tensor.name.as_str()), stored))
    });
    let stored: BTreeMap<_, _> = stored.collect();
    let mut list = TensorList {
        part: name,
        ..TensorList::default()
    };
    for FileContent { path, catalog } in content.files {
        let rows = catalog.listed().map(|(name, dtype, shape)| {
            let count = |all: u64, extent: &u64| all.saturating_mul(*extent);
            TensorRow {
                name: name.to_owned(),
                dtype: dtype.name().to_owned(),
                shape: shape.to_vec(),
                bytes: shape.iter().fold(dtype.bytes(), count),
                path: path.clone(),
                stored: stored.get(&(path.as_str(), name)).cloned(),
            }
        });
        list.tensors.extend(rows);
        list.unreadable.extend(catalog.unreadable);
    }
    Ok(list)
}

/// The part of a step that a name means.
pub(super) async fn part_named(files: &OpenedFiles, name: &PartName) -> Result<Part, String> {
    let run = files.run_with(name.step).await?;
    if let Some(broken) = run.broken.iter().find(|step| step.number == name.step) {
        let (step, trouble) = (name.step, &broken.trouble);
        return Err(format!("step {step} cannot be read: {trouble}"));
    }
    let step = run.steps.iter().find(|step| step.number == name.step);
    let is_it = |part: &&Part| {
        part.kind.name() == name.data_type && part.split.map(Split::name) == name.split.as_deref()
    };
    let part = step.and_then(|step| step.parts.iter().find(is_it));
    part.cloned().ok_or_else(|| {
        let split = name.split.as_deref().unwrap_or_default();
        format!("step {} has no {split} {}", name.step, name.data_type)
    })
}
