//! The files of a shard, as its plan saw them: nothing is listed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use anyhow::{Context, Result};
use ckptscope_analysis::Lane;
use ckptscope_checkpoint::hub::Manifest;
use ckptscope_checkpoint::local::LocalFile;
use ckptscope_checkpoint::tree::{FileEntry, entry_of};
use ckptscope_checkpoint::{ReadError, Source as Bytes, Tree};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};

use super::excerpt::Excerpt;
use super::fetch;
use super::folder::Folder;
use crate::executor::Executor;
use crate::place::{Place, modified};
use crate::{Misuse, hub, identity};

/// Where a shard reads its files.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Source {
    /// In a folder that every machine sees.
    Folder(Files),
    /// In a repository, at commits that were listed.
    Hub(Manifest),
}

/// Some files of a folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Files {
    /// What messages call the folder.
    name: String,
    /// The folder, by its whole path.
    root: PathBuf,
    files: Vec<KnownFile>,
}

/// A file as it was when the plan was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct KnownFile {
    /// Below the folder, separated by `/`.
    path: String,
    /// Its length.
    bytes: u64,
    /// When it was last changed, in nanoseconds since 1970.
    changed: Option<String>,
}

impl Files {
    /// What messages call the folder.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl Source {
    /// What these lanes read of a place.
    ///
    /// # Errors
    /// When the working directory is gone.
    pub(super) fn of(place: &Place, lanes: &[Lane]) -> Result<Self> {
        let paths: BTreeSet<&str> = lanes.iter().flat_map(identity::paths_of).collect();
        let root = match place {
            Place::Hub(tree) => return Ok(Self::Hub(tree.manifest().only(&paths))),
            Place::Folder(tree) => tree.root(),
            Place::Confined(tree) => tree.root(),
        };
        let known = |entry: &FileEntry| KnownFile {
            path: entry.path.clone(),
            bytes: entry.bytes,
            changed: place.version_of(&entry.path),
        };
        let files = paths.iter().filter_map(|path| place.tree().entry(path));
        Ok(Self::Folder(Files {
            name: place.tree().name().to_owned(),
            root: std::path::absolute(root)?,
            files: files.map(known).collect(),
        }))
    }

    /// Whether it is read over a network.
    pub(super) fn is_far(&self, folder: &Folder) -> bool {
        matches!(self, Self::Hub(_)) && !fetch::is_begun(folder)
    }

    /// The files that lanes read, once it is seen that they are as they were.
    ///
    /// # Errors
    /// [`Misuse`] where one has changed since the plan was made, or is not fetched yet.
    pub(super) fn open(
        self,
        folder: &Folder,
        lanes: &[Lane],
        executor: &Executor,
    ) -> Result<Box<dyn Tree + Sync>> {
        match self {
            Self::Folder(files) => Ok(Box::new(FolderTree::of(files)?)),
            Self::Hub(manifest) if fetch::is_begun(folder) => {
                Ok(Box::new(FetchedTree::of(&manifest, folder, lanes)?))
            }
            Self::Hub(manifest) => {
                let hub = hub::from_environment(Arc::new(executor.reader()?))?;
                Ok(Box::new(hub.listed(manifest)))
            }
        }
    }
}

/// Files of a folder that were listed somewhere else.
struct FolderTree {
    name: String,
    root: PathBuf,
    entries: Vec<FileEntry>,
}

impl FolderTree {
    fn of(files: Files) -> Result<Self> {
        for file in &files.files {
            check(&files.root.join(&file.path), file)?;
        }
        let entries = files.files.into_iter().map(|file| FileEntry {
            path: file.path,
            bytes: file.bytes,
        });
        Ok(Self {
            name: files.name,
            root: files.root,
            entries: entries.collect(),
        })
    }
}

/// That a file is as it was: its numbers would be called those of another.
fn check(path: &Path, known: &KnownFile) -> Result<()> {
    let shown = path.display();
    // Some files are seen and may not be opened.
    let found = File::open(path).and_then(|file| file.metadata());
    let found = found.with_context(|| {
        format!("cannot read {shown}; every machine must see the run under the same path")
    })?;
    if found.len() == known.bytes && modified(&found) == known.changed {
        return Ok(());
    }
    Err(Misuse(format!(
        "{shown} has changed since it was submitted: nothing is computed; submit again into \
         another folder"
    ))
    .into())
}

/// Files of a repository, as far as they were fetched.
struct FetchedTree {
    name: String,
    entries: Vec<FileEntry>,
    excerpts: BTreeMap<String, Arc<Excerpt>>,
}

impl FetchedTree {
    /// # Errors
    /// [`Misuse`] where something that the lanes read is not there.
    fn of(manifest: &Manifest, folder: &Folder, lanes: &[Lane]) -> Result<Self> {
        let (into, shown) = (folder.fetched(), folder.path().display());
        let wanted = fetch::ranges_of(lanes);
        let (mut entries, mut excerpts) = (Vec::new(), BTreeMap::new());
        for (entry, content) in manifest.files() {
            let Some(ranges) = wanted.get(entry.path.as_str()) else {
                continue;
            };
            let found = Excerpt::find(&into, &entry.path, content);
            let found = found.with_context(|| format!("cannot read {}", into.display()))?;
            let Some(excerpt) = found.filter(|excerpt| excerpt.has(ranges)) else {
                let (repository, path) = (manifest.repository(), &entry.path);
                return Err(Misuse(format!(
                    "{path} of {repository} is not fetched yet: nothing is computed; fetch what is \
                     missing with `worker submit --again {shown}`, where there is a network"
                ))
                .into());
            };
            excerpts.insert(entry.path.clone(), Arc::new(excerpt));
            entries.push(entry);
        }
        entries.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(Self {
            name: manifest.name().to_owned(),
            entries,
            excerpts,
        })
    }
}

impl Tree for FetchedTree {
    fn name(&self) -> &str {
        &self.name
    }

    fn files(&self) -> &[FileEntry] {
        &self.entries
    }

    fn open<'a>(&'a self, path: &'a str) -> LocalBoxFuture<'a, Result<Rc<dyn Bytes>, ReadError>> {
        async move {
            let excerpt = self
                .excerpts
                .get(path)
                .ok_or_else(|| ReadError::NoSuchFile {
                    tree: self.name.clone(),
                    path: path.to_owned(),
                })?;
            Ok(Rc::new(excerpt.source()?) as Rc<dyn Bytes>)
        }
        .boxed_local()
    }
}

impl Tree for FolderTree {
    fn name(&self) -> &str {
        &self.name
    }

    fn files(&self) -> &[FileEntry] {
        &self.entries
    }

    fn open<'a>(&'a self, path: &'a str) -> LocalBoxFuture<'a, Result<Rc<dyn Bytes>, ReadError>> {
        async move {
            let entry = entry_of(self, path)?;
            let file = File::open(self.root.join(&entry.path));
            let opened = LocalFile::opened(Path::new(&entry.path), file)?;
            Ok(Rc::new(opened) as Rc<dyn Bytes>)
        }
        .boxed_local()
    }
}
