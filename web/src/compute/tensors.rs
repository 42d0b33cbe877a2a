//! The tensors of one part of a step.

use ckptscope_checkpoint::{Catalog, FileContent, Part, Split, TensorEntry, catalog_of};
use ckptscope_checkpoint::{ReadError, Tree};

use super::opened::OpenedFiles;
use crate::message::{Answer, PartName, TensorList, TensorRow};

/// Lists a part's tensors, from the directories of its files.
pub(super) async fn list(files: &OpenedFiles, name: PartName) -> Result<Answer, String> {
    let run = files.run().await?;
    let step = run.steps.iter().find(|step| step.number == name.step);
    let is_it = |part: &&Part| {
        part.kind.name() == name.data_type && part.split.map(Split::name) == name.split.as_deref()
    };
    let part = step.and_then(|step| step.parts.iter().find(is_it));
    let part = part.ok_or_else(|| {
        let split = name.split.as_deref().unwrap_or_default();
        format!("step {} has no {split} {}", name.step, name.data_type)
    })?;
    let mut list = TensorList {
        part: name,
        ..TensorList::default()
    };
    let content = part.read(&*files.tree).await;
    let content = content.map_err(|error| error.to_string())?;
    for FileContent { path, catalog } in content.files {
        list.unreadable.extend(catalog.unreadable);
        let rows = catalog.tensors.iter().map(|tensor| row(tensor, &path));
        list.tensors.extend(rows);
    }
    Ok(Answer::Tensors(list))
}

/// The directory of one file.
pub(super) async fn catalog(tree: &dyn Tree, path: &str) -> Result<Catalog, ReadError> {
    let source = tree.open(path).await?;
    catalog_of(&*source).await
}

fn row(tensor: &TensorEntry, path: &str) -> TensorRow {
    TensorRow {
        name: tensor.name.clone(),
        dtype: tensor.dtype.name().to_owned(),
        shape: tensor.shape.clone(),
        bytes: tensor.elements().saturating_mul(tensor.dtype.bytes()),
        path: path.to_owned(),
    }
}
