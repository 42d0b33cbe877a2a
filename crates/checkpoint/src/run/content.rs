//! What the files of one part of a step hold together.
//!
//! Shards are what their index says: it is read together with them, so a run of a hundred steps is
//! found without reading a hundred indexes. A shard that lacks costs its step, and no other.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::Part;
use super::shards::{ShardIndex, whole_set};
use super::trouble::listed;
use super::weights::METADATA;
use crate::catalog::Catalog;
use crate::error::ReadError;
use crate::format::catalog_of;
use crate::tree::Tree;

/// So many files of a part are asked for their directories at once, at most.
const FILES_AT_ONCE: usize = 16;

/// What the files of a part hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartContent {
    /// Its files, in shard order, each with the tensors that count.
    pub files: Vec<FileContent>,
    /// What was assumed or passed over.
    pub warnings: Vec<String>,
}

/// What one file of a part holds.
#[derive(Clone, Debug, PartialEq)]
pub struct FileContent {
    /// Its path in the tree.
    pub path: String,
    /// Its tensors; without those that the index says are elsewhere.
    pub catalog: Catalog,
}

impl Part {
    /// Reads the directories of its files, and the shard index where there is one. An index that
    /// does not fit its shards is passed over with a warning where they are whole without it.
    ///
    /// # Errors
    /// [`ReadError`] when a file cannot be read, is broken or lacks; the message names it.
    pub async fn read(&self, tree: &dyn Tree) -> Result<PartContent, ReadError> {
        let Some(path) = &self.index else {
            let mut content = read_files(self.directories(), tree).await?;
            content.warn_of_repeated_names();
            return Ok(content);
        };
        match ShardIndex::read(path, tree).await {
            Ok(index) => {
                let mut content = read_files(&index.paths(), tree).await?;
                content.keep_what_it_says(&index);
                content.warn_of_files_beside(&self.paths, path);
                Ok(content)
            }
            Err(error) => self.read_without_index(error, tree).await,
        }
    }

    /// The files whose directories say what all of them hold: of a distributed checkpoint the
    /// metadata alone.
    #[must_use]
    pub fn directories(&self) -> &[String] {
        let is_metadata = |path: &String| path.rsplit('/').next() == Some(METADATA);
        match self.paths.iter().position(is_metadata) {
            Some(place) => self.paths.get(place..=place).unwrap_or_default(),
            None => &self.paths,
        }
    }

    async fn read_without_index(
        &self,
        reason: ReadError,
        tree: &dyn Tree,
    ) -> Result<PartContent, ReadError> {
        let Some(set) = whole_set(&self.paths) else {
            return Err(reason);
        };
        let mut content = read_files(&set, tree).await?;
        content.warn_of_repeated_names();
        let count = set.len();
        content.warnings.push(format!(
            "the {count} shards of a whole set are read without their index: {reason}"
        ));
        Ok(content)
    }
}

async fn read_files(paths: &[String], tree: &dyn Tree) -> Result<PartContent, ReadError> {
    let read = stream::iter(paths.iter().map(|path| read_file(path, tree)));
    Ok(PartContent {
        files: read.buffered(FILES_AT_ONCE).try_collect().await?,
        warnings: Vec::new(),
    })
}

async fn read_file(path: &str, tree: &dyn Tree) -> Result<FileContent, ReadError> {
    let source = tree.open(path).await?;
    Ok(FileContent {
        path: path.to_owned(),
        catalog: catalog_of(&*source).await?,
    })
}

impl PartContent {
    /// Takes out the tensors that the index expects in another file or nowhere, and says so. A tensor that
    /// the index expects and its file lacks cannot be read.
    fn keep_what_it_says(&mut self, index: &ShardIndex) {
        let (mut elsewhere, mut found) = (Vec::new(), BTreeSet::new());
        for FileContent { path, catalog } in &mut self.files {
            let mut is_its = |name: &str| match index.file_of(name) {
                Some(file) if file == path => {
                    found.insert(name.to_owned());
                    true
                }
                Some(file) => {
                    elsewhere.push(format!("`{name}` in {path} (of {file})"));
                    false
                }
                None => {
                    elsewhere.push(format!("`{name}` in {path} (of none)"));
                    false
                }
            };
            catalog.tensors.retain(|tensor| is_its(&tensor.name));
            catalog.unreadable.retain(|(name, _)| is_its(name));
        }
        if !elsewhere.is_empty() {
            self.warnings.push(format!(
                "tensors that the shard index does not expect in their file are passed over: {}",
                listed(elsewhere.iter().map(String::as_str))
            ));
        }
        for FileContent { path, catalog } in &mut self.files {
            let lacking = index.names_of(path).filter(|name| !found.contains(*name));
            let reason =
                format!("the shard index says that it is in {path}, which does not have it");
            let lacking = lacking.map(|name| (name.to_owned(), reason.clone()));
            catalog.unreadable.extend(lacking);
        }
    }

    /// Says which files may be shards as their names go, and are none as the index says.
    fn warn_of_files_beside(&mut self, paths: &[String], index: &str) {
        let is_shard = |path: &&String| self.files.iter().any(|file| file.path == **path);
        let beside = paths.iter().filter(|path| !is_shard(path));
        let beside: Vec<&str> = beside.map(String::as_str).collect();
        if !beside.is_empty() {
            let beside = listed(beside);
            self.warnings.push(format!(
                "files that the shard index does not name are passed over: {beside}: {index}"
            ));
        }
    }

    /// Says which names several files have; an analysis refuses to choose one of them.
    fn warn_of_repeated_names(&mut self) {
        let mut files_of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for FileContent { path, catalog } in &self.files {
            for tensor in &catalog.tensors {
                files_of.entry(&tensor.name).or_default().push(path);
            }
        }
        let repeated = files_of.into_iter().filter(|(_, files)| files.len() > 1);
        let repeated: Vec<String> = repeated
            .map(|(name, mut files)| {
                files.sort_unstable();
                format!("`{name}` in {}", files.join(" and "))
            })
            .collect();
        if !repeated.is_empty() {
            self.warnings.push(format!(
                "several files have a tensor of one name, and nothing says which counts: {}",
                listed(repeated.iter().map(String::as_str))
            ));
        }
    }
}
