//! A repository's steps as a tree of files.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use futures_core::future::LocalBoxFuture;

use super::client::{FileOfCommit, Hub};
use super::error::HubError;
use super::layout::{CONFIGS, Places};
use super::suite::Suite;
use crate::error::ReadError;
use crate::http::{HttpSource, RemoteFile, Traffic};
use crate::source::Source;
use crate::tree::{FileEntry, Tree};

/// So much of a commit's id is shown.
const SHOWN_DIGITS: usize = 8;

/// Files of a repository under the paths of a run. Threads may share it: what one learnt of a
/// file's whereabouts serves the others.
pub struct HubTree {
    pub(super) hub: Arc<Hub>,
    pub(super) repository: String,
    pub(super) name: String,
    entries: Vec<FileEntry>,
    /// The files that were listed when the tree was made.
    pub(super) places: Places,
    /// Its steps, and which of them were listed.
    pub(super) suite: Suite,
    opened: Mutex<BTreeMap<String, Arc<RemoteFile>>>,
    pub(super) warnings: Vec<String>,
    pub(super) revisions: Vec<String>,
    pub(super) pin: Option<String>,
    /// The ids of what the default branch has beside the steps, by path.
    pub(super) head: BTreeMap<String, String>,
}

/// A file of a commit.
#[derive(Clone, Debug)]
pub(super) struct HubFile {
    pub(super) commit: String,
    pub(super) path: String,
    pub(super) bytes: u64,
    pub(super) tag: String,
}

impl HubFile {
    pub(super) fn of(commit: &str, file: &FileOfCommit) -> Self {
        Self {
            commit: commit.to_owned(),
            path: file.path.clone(),
            bytes: file.bytes,
            tag: file.tag.clone(),
        }
    }
}

impl HubTree {
    pub(super) fn new(
        hub: Arc<Hub>,
        repository: String,
        name: String,
        places: Places,
        suite: Suite,
    ) -> Self {
        Self {
            hub,
            repository,
            name,
            entries: entries(&places),
            places,
            suite,
            opened: Mutex::default(),
            warnings: Vec::new(),
            revisions: Vec::new(),
            pin: None,
            head: BTreeMap::new(),
        }
    }

    /// The same with one file or folder only, and what says the model's dimensions. Of a sharded
    /// model's index, its folder is meant.
    ///
    /// # Errors
    /// [`HubError::NoEntry`].
    pub fn only(mut self, path: &str) -> Result<Self, HubError> {
        let is_index = path.ends_with(".index.json");
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let wanted = if is_index { folder } else { path };
        let is_within = |file: &str| {
            let below = file.strip_prefix(wanted);
            wanted.is_empty() || below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if !self.places.keys().any(|file| is_within(file)) {
            return Err(HubError::NoEntry {
                repository: self.name,
                path: path.to_owned(),
            });
        }
        self.places
            .retain(|file, _| is_within(file) || CONFIGS.contains(&file.as_str()));
        self.entries = entries(&self.places);
        Ok(self)
    }

    /// The repository's branches and tags, where they were looked at.
    #[must_use]
    pub fn revisions(&self) -> &[String] {
        &self.revisions
    }

    /// The repository, `owner/name`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The commit that was listed; none where steps are revisions, each with a commit of its own.
    #[must_use]
    pub fn pin(&self) -> Option<&str> {
        self.pin.as_deref()
    }

    /// The ids of the files on the default branch, by path, where steps are other revisions.
    #[must_use]
    pub const fn head_files(&self) -> &BTreeMap<String, String> {
        &self.head
    }

    /// What was noticed while steps were looked for.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What a file is: an id that is the same for the same content only.
    #[must_use]
    pub fn content_id(&self, path: &str) -> Option<String> {
        self.file(path).map(|file| file.tag)
    }

    /// The commit that a file is read of.
    #[must_use]
    pub fn commit(&self, path: &str) -> Option<String> {
        self.file(path).map(|file| file.commit)
    }

    /// The length of a file, where it was listed.
    #[must_use]
    pub fn bytes(&self, path: &str) -> Option<u64> {
        self.file(path).map(|file| file.bytes)
    }

    /// How many files were listed so far, and their bytes together.
    #[must_use]
    pub fn extent(&self) -> (u64, u64) {
        let later = self.suite.later();
        let files = self.places.values().chain(later.values());
        files.fold((0, 0), |(files, bytes), file| {
            (files + 1, bytes + file.bytes)
        })
    }

    /// A file that was listed, whenever that was.
    fn file(&self, path: &str) -> Option<HubFile> {
        let first = self.places.get(path).cloned();
        first.or_else(|| self.suite.later_file(path))
    }

    /// What went over the network so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.hub.traffic()
    }

    fn remote(&self, path: &str, file: &HubFile) -> Arc<RemoteFile> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let remote = opened.entry(path.to_owned()).or_insert_with(|| {
            let (repository, commit) = (&self.repository, &file.commit);
            let shown = commit.get(..SHOWN_DIGITS).unwrap_or(commit);
            let name = format!("{repository}@{shown}/{}", file.path);
            let whereabouts = (name, file.bytes, file.tag.clone());
            Arc::new(self.hub.file(repository, commit, &file.path, whereabouts))
        });
        Arc::clone(remote)
    }
}

pub(super) fn entries(places: &Places) -> Vec<FileEntry> {
    places.iter().map(entry).collect()
}

pub(super) fn entry((path, file): (&String, &HubFile)) -> FileEntry {
    FileEntry {
        path: path.clone(),
        bytes: file.bytes,
    }
}

impl Tree for HubTree {
    fn name(&self) -> &str {
        &self.name
    }

    fn files(&self) -> &[FileEntry] {
        &self.entries
    }

    fn entry(&self, path: &str) -> Option<&FileEntry> {
        let first = self
            .entries
            .binary_search_by(|it| it.path.as_str().cmp(path));
        match first {
            Ok(place) => self.entries.get(place),
            Err(_) => self.suite.later_entry(path),
        }
    }

    fn content_tag(&self, path: &str) -> Option<String> {
        self.file(path).map(|file| file.tag)
    }

    fn open<'a>(&'a self, path: &'a str) -> LocalBoxFuture<'a, Result<Rc<dyn Source>, ReadError>> {
        Box::pin(async move {
            let file = self.file(path).ok_or_else(|| ReadError::NoSuchFile {
                tree: self.name.clone(),
                path: path.to_owned(),
            })?;
            if let Some(downloaded) = self.hub.cache.find(&self.repository, &file) {
                return Ok(downloaded);
            }
            Ok(Rc::new(HttpSource::of(self.remote(path, &file))) as Rc<dyn Source>)
        })
    }
}

impl fmt::Debug for HubTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HubTree({}, {} files)", self.name, self.entries.len())
    }
}
