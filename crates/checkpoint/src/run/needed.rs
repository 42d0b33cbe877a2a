//! Which files a copy of a run needs.
//!
//! A copy has the files that steps name, configs and shard indexes. The copy is tried as a run
//! before anything is sent; where it would be another run, everything is copied. Optimizer states
//! are often larger than all that an analysis reads.

use std::collections::BTreeSet;
use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use super::cache::ref_paths;
use super::model::is_config;
use super::weights::{SHARD_INDEX, is_auxiliary, is_checkpoint};
use super::{PassedOver, Run};
use crate::error::ReadError;
use crate::source::Source;
use crate::tree::{FileEntry, Tree, entry_of};

pub(super) async fn files(run: &Run, tree: &dyn Tree) -> Vec<FileEntry> {
    let parts = run.steps.iter().flat_map(|step| &step.parts);
    let parts: BTreeSet<&str> = parts
        .flat_map(|part| part.paths.iter().map(String::as_str))
        .collect();
    let indexes = run.steps.iter().flat_map(|step| &step.parts);
    let indexes = indexes.filter_map(|part| part.index.as_deref());
    let folder = |index: &'_ str| index.rfind('/').map_or(0, |slash| slash + 1);
    let indexed: BTreeSet<&str> = indexes.map(|index| &index[..folder(index)]).collect();
    // An index may name shards by any name, also in folders below.
    let may_be_shard = |path: &str| {
        is_checkpoint(path) && !is_auxiliary(path) && indexed.iter().any(|it| path.starts_with(it))
    };
    let refs = ref_paths(tree);
    let is_needed = |file: &&FileEntry| {
        parts.contains(file.path.as_str())
            || refs.contains(file.path.as_str())
            || may_be_shard(&file.path)
            || is_config(&file.path)
            || file.path.ends_with(SHARD_INDEX)
    };
    let needed = tree.files().iter().filter(is_needed).cloned().collect();
    let copy = Copied {
        tree,
        files: needed,
    };
    match Run::find(&copy).await {
        Ok(found) if run.is_same(&found) => copy.files,
        Ok(_) | Err(_) => tree.files().to_vec(),
    }
}

impl Run {
    fn is_same(&self, other: &Self) -> bool {
        self.layout == other.layout && self.steps == other.steps && self.model == other.model
    }
}

/// Some files of another tree.
struct Copied<'a> {
    tree: &'a dyn Tree,
    files: Vec<FileEntry>,
}

impl Tree for Copied<'_> {
    fn name(&self) -> &str {
        self.tree.name()
    }

    fn place(&self) -> &str {
        self.tree.place()
    }

    fn files(&self) -> &[FileEntry] {
        &self.files
    }

    fn passed_over(&self) -> &[PassedOver] {
        self.tree.passed_over()
    }

    fn is_one_file(&self) -> bool {
        self.tree.is_one_file()
    }

    fn content_tag(&self, path: &str) -> Option<String> {
        self.tree.content_tag(path)
    }

    fn open<'a>(&'a self, path: &'a str) -> LocalBoxFuture<'a, Result<Rc<dyn Source>, ReadError>> {
        Box::pin(async move {
            let entry = entry_of(self, path)?;
            self.tree.open(&entry.path).await
        })
    }
}
