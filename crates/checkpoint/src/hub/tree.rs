//! A repository's steps as a tree of files.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use futures_core::future::LocalBoxFuture;

use super::client::{FileOfCommit, Hub};
use super::layout::Places;
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
    repository: String,
    name: String,
    entries: Vec<FileEntry>,
    places: Places,
    opened: Mutex<BTreeMap<String, Arc<RemoteFile>>>,
    warnings: Vec<String>,
    revisions: Vec<String>,
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
        warnings: Vec<String>,
        revisions: Vec<String>,
    ) -> Self {
        let entries = places.iter().map(|(path, file)| FileEntry {
            path: path.clone(),
            bytes: file.bytes,
        });
        Self {
            hub,
            repository,
            name,
            entries: entries.collect(),
            places,
            opened: Mutex::default(),
            warnings,
            revisions,
        }
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

    /// What a file is: an id that is the same for the same content only.
    #[must_use]
    pub fn content_id(&self, path: &str) -> Option<&str> {
        self.places.get(path).map(|file| file.tag.as_str())
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
