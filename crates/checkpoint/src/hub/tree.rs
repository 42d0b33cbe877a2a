//! A repository's steps as a tree of files.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use futures_core::future::LocalBoxFuture;

use super::client::{FileOfCommit, Hub};
use super::error::HubError;
use super::layout::{CONFIGS, Places};
use crate::error::{ReadError, RunError};
use crate::http::{HttpSource, RemoteFile, Traffic};
use crate::run::Run;
use crate::source::Source;
use crate::tree::{FileEntry, Tree, entry_of};

/// So much of a commit's id is shown.
const SHOWN_DIGITS: usize = 8;

/// Files of a repository under the paths of a run. Threads may share it: what one learnt of a
/// file's whereabouts serves the others.
pub struct HubTree {
    hub: Arc<Hub>,
    pub(super) repository: String,
    pub(super) name: String,
    entries: Vec<FileEntry>,
    pub(super) places: Places,
    opened: Mutex<BTreeMap<String, Arc<RemoteFile>>>,
    pub(super) warnings: Vec<String>,
    pub(super) revisions: Vec<String>,
    pub(super) pin: Option<String>,
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
    pub(super) fn new(hub: Arc<Hub>, repository: String, name: String, places: Places) -> Self {
        Self {
            hub,
            repository,
            name,
            entries: entries(&places),
            places,
            opened: Mutex::default(),
            warnings: Vec::new(),
            revisions: Vec::new(),
            pin: None,
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

    /// The run in it, with what was noticed while its steps were looked for.
    ///
    /// # Errors
    /// [`RunError`] when there is nothing that looks like a checkpoint.
    pub async fn find_run(&self) -> Result<Run, RunError> {
        let mut run = Run::find(self).await?;
        run.warnings.splice(0..0, self.warnings.iter().cloned());
        Ok(run)
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

    /// What was noticed while steps were looked for.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What a file is: an id that is the same for the same content only.
    #[must_use]
    pub fn content_id(&self, path: &str) -> Option<&str> {
        self.places.get(path).map(|file| file.tag.as_str())
    }

    /// The commit that a file is read of.
    #[must_use]
    pub fn commit(&self, path: &str) -> Option<&str> {
        self.places.get(path).map(|file| file.commit.as_str())
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

fn entries(places: &Places) -> Vec<FileEntry> {
    let entry = |(path, file): (&String, &HubFile)| FileEntry {
        path: path.clone(),
        bytes: file.bytes,
    };
    places.iter().map(entry).collect()
}

impl Tree for HubTree {
    fn name(&self) -> &str {
        &self.name
    }

    fn files(&self) -> &[FileEntry] {
        &self.entries
    }

    fn open<'a>(&'a self, path: &'a str) -> LocalBoxFuture<'a, Result<Rc<dyn Source>, ReadError>> {
        Box::pin(async move {
            let entry = entry_of(self, path)?;
            let file = self.places.get(&entry.path);
            let file = file.ok_or_else(|| ReadError::NoSuchFile {
                tree: self.name.clone(),
                path: path.to_owned(),
            })?;
            if let Some(downloaded) = self.hub.cache.find(&self.repository, file) {
                return Ok(downloaded);
            }
            Ok(Rc::new(HttpSource::of(self.remote(path, file))) as Rc<dyn Source>)
        })
    }
}

impl fmt::Debug for HubTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HubTree({}, {} files)", self.name, self.entries.len())
    }
}
