//! The folder that Python's tools keep downloaded files in. What is there is read from there;
//! nothing is written, because a part of a file would be taken for the whole.
//!
//! Where the Hub does not answer, the folder does: `refs` are the revisions, and `snapshots` the
//! files of their commits. A file there is a link to `blobs`, and the blob's name is the id that
//! the Hub gives the content.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use super::client::{Commit, FileOfCommit, Reference, Refs};
use super::tree::HubFile;
use crate::local::LocalFile;
use crate::run::cache::{REFS, SNAPSHOTS, commit_in};
use crate::source::Source;

/// Folders deeper than this in a commit are not looked into.
const DEPTH_LIMIT: usize = 8;

/// A longer file is no ref.
const REF_LIMIT_BYTES: u64 = 1024;

/// The cache of downloaded files: `models--{owner}--{name}/{blobs,refs,snapshots}`.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    folder: Option<PathBuf>,
}

impl Cache {
    /// The cache in a folder (`HF_HUB_CACHE`, else `HF_HOME/hub`), which need not exist.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: Some(folder.into()),
        }
    }

    /// A file of a commit, where it was downloaded whole: by its content's id, or, where the file
    /// system has no links, by its place in the commit.
    pub(super) fn find(&self, repository: &str, file: &HubFile) -> Option<Rc<dyn Source>> {
        let folder = self.folder_of(repository)?;
        let blob = folder.join("blobs").join(inside(&file.tag)?);
        let snapshot = folder.join(SNAPSHOTS).join(inside(&file.commit)?);
        let whole = |path: &Path| {
            let opened = LocalFile::open(path).ok()?;
            (opened.bytes() == file.bytes).then_some(opened)
        };
        let found = whole(&blob).or_else(|| whole(&snapshot.join(inside(&file.path)?)))?;
        Some(Rc::new(found))
    }

    /// Where a repository's files are kept, if any are.
    pub(super) fn keeps(&self, repository: &str) -> Option<String> {
        let folder = self.folder_of(repository)?;
        let is_there = folder.join(SNAPSHOTS).is_dir();
        is_there.then(|| folder.display().to_string())
    }

    /// Where repositories are kept, for messages.
    pub(super) fn shown(&self) -> String {
        let folder = self.folder.as_ref();
        folder.map_or_else(|| "nowhere".to_owned(), |it| it.display().to_string())
    }

    /// The refs of a repository whose commits are here.
    pub(super) fn refs(&self, repository: &str) -> Refs {
        let Some(folder) = self.folder_of(repository) else {
            return Refs::default();
        };
        let mut branches = Vec::new();
        for (name, path) in files_below(&folder.join(REFS)) {
            let commit = ref_at(&path);
            let is_here = |commit: &String| folder.join(SNAPSHOTS).join(commit).is_dir();
            if let Some(target_commit) = commit.filter(is_here) {
                branches.push(Reference {
                    name,
                    target_commit,
                });
            }
        }
        let tags = Vec::new();
        Refs { branches, tags }
    }

    /// What a revision is: a ref's commit, or a commit by itself; its history is not here.
    pub(super) fn commit(&self, repository: &str, revision: &str) -> Option<Commit> {
        let refs = self.refs(repository).branches;
        let named = refs.into_iter().find(|it| it.name == revision);
        let itself = || {
            let snapshots = self.folder_of(repository)?.join(SNAPSHOTS);
            let is_here = snapshots.join(inside(revision)?).is_dir();
            is_here.then(|| revision.to_owned())
        };
        let id = named.map(|it| it.target_commit).or_else(itself)?;
        let title = String::new();
        Some(Commit { id, title })
    }

    /// The only commit that is here, by a ref or by itself.
    pub(super) fn only_commit(&self, repository: &str) -> Option<Commit> {
        let snapshots = self.folder_of(repository)?.join(SNAPSHOTS);
        let names = fs::read_dir(snapshots).ok()?.flatten();
        let mut names = names.filter_map(|entry| entry.file_name().into_string().ok());
        let (id, second) = (names.next()?, names.next());
        let title = String::new();
        second.is_none().then_some(Commit { id, title })
    }

    /// The files of a commit that are here whole, by path.
    pub(super) fn files(&self, repository: &str, commit: &str) -> Vec<FileOfCommit> {
        let snapshot = inside(commit).and_then(|commit| {
            let folder = self.folder_of(repository)?;
            Some(folder.join(SNAPSHOTS).join(commit))
        });
        let files = snapshot.map(|snapshot| files_below(&snapshot));
        let files = files.into_iter().flatten().filter_map(|(path, place)| {
            let bytes = fs::metadata(&place).ok()?.len();
            let blob = fs::read_link(&place).ok();
            let blob = blob.as_deref().and_then(Path::file_name);
            let tag = blob.map(|name| name.to_string_lossy().into_owned());
            let tag = tag.unwrap_or_default();
            Some(FileOfCommit {
                path,
                bytes,
                object_id: tag.clone(),
                tag,
            })
        });
        files.collect()
    }

    fn folder_of(&self, repository: &str) -> Option<PathBuf> {
        let name = format!("models--{}", repository.replace('/', "--"));
        Some(self.folder.as_ref()?.join(name))
    }
}

/// The commit that a ref's file names.
fn ref_at(path: &Path) -> Option<String> {
    let is_short = fs::metadata(path).ok()?.len() <= REF_LIMIT_BYTES;
    let content = is_short.then(|| fs::read(path).ok()).flatten()?;
    commit_in(&content).map(str::to_owned)
}

/// The files below a folder with their paths in it, sorted. Links to files count as files, and
/// links to folders as nothing.
fn files_below(folder: &Path) -> Vec<(String, PathBuf)> {
    let mut files = Vec::new();
    let mut folders = vec![(folder.to_owned(), String::new(), 0)];
    while let Some((folder, prefix, depth)) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let (Ok(kind), Ok(name)) = (entry.file_type(), entry.file_name().into_string()) else {
                continue;
            };
            let path = format!("{prefix}{name}");
            if kind.is_dir() {
                if depth < DEPTH_LIMIT {
                    folders.push((entry.path(), path + "/", depth + 1));
                }
            } else if entry.path().is_file() {
                files.push((path, entry.path()));
            }
        }
    }
    files.sort();
    files
}

/// A path that stays inside its folder, whatever a server calls a file or a commit.
fn inside(path: &str) -> Option<&Path> {
    let path = Path::new(path);
    let mut parts = path.components();
    parts
        .all(|part| matches!(part, Component::Normal(_)))
        .then_some(path)
}
