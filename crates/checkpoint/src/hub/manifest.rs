//! What was listed, as plain data: whoever is sent it reads the same files without asking again.
//!
//! The worker that opens a run in the page gives a manifest, which the page passes to the other
//! workers as text. It has paths, pinned commits, lengths and tags. So the Hub is asked once, and
//! no worker sees another listing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::client::Hub;
use super::layout::Places;
use super::suite::{Steps, Suite};
use super::tree::{HubFile, HubTree};
use crate::tree::FileEntry;

/// A [`HubTree`] without its hub: paths, pinned commits, sizes and tags. It holds no token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    repository: String,
    name: String,
    /// The commits that files are of.
    commits: Vec<String>,
    files: Vec<ListedFile>,
    warnings: Vec<String>,
    steps: Steps,
    /// The steps whose files are among these.
    listed: BTreeSet<u64>,
    head: BTreeMap<String, String>,
}

/// Its path in the run; its commit, by number; its path there, length and tag.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct ListedFile(String, usize, String, u64, String);

impl Manifest {
    /// The same with those of its files only that are among `paths`.
    #[must_use]
    pub fn only(mut self, paths: &BTreeSet<&str>) -> Self {
        self.files.retain(|file| paths.contains(file.0.as_str()));
        self
    }

    /// What messages call the run.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The repository, `owner/name`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The files, by their paths, each with an id that is the same for the same content only.
    pub fn files(&self) -> impl Iterator<Item = (FileEntry, &str)> {
        self.files.iter().map(|ListedFile(path, _, _, bytes, tag)| {
            let entry = FileEntry {
                path: path.clone(),
                bytes: *bytes,
            };
            (entry, tag.as_str())
        })
    }
}

impl HubTree {
    /// The tree as plain data.
    #[must_use]
    pub fn manifest(&self) -> Manifest {
        let mut commits: Vec<String> = Vec::new();
        let later = self.suite.later();
        let files = self.places.iter().chain(&later).map(|(path, file)| {
            let known = commits.iter().position(|commit| *commit == file.commit);
            let number = known.unwrap_or_else(|| {
                commits.push(file.commit.clone());
                commits.len() - 1
            });
            let (own, tag) = (file.path.clone(), file.tag.clone());
            ListedFile(path.clone(), number, own, file.bytes, tag)
        });
        Manifest {
            files: files.collect(),
            repository: self.repository.clone(),
            name: self.name.clone(),
            commits,
            warnings: self.warnings.clone(),
            steps: self.suite.steps.clone(),
            listed: self.suite.listed(),
            head: self.head.clone(),
        }
    }
}

impl Hub {
    /// The tree that was listed somewhere else.
    #[must_use]
    pub fn listed(self: &Arc<Self>, manifest: Manifest) -> HubTree {
        let mut places = Places::new();
        for ListedFile(path, commit, own, bytes, tag) in manifest.files {
            let Some(commit) = manifest.commits.get(commit) else {
                continue;
            };
            let file = HubFile {
                commit: commit.clone(),
                path: own,
                bytes,
                tag,
            };
            places.insert(path, file);
        }
        let (name, warnings) = (manifest.name, manifest.warnings);
        let repository = manifest.repository;
        let suite = Suite::new(manifest.steps, manifest.listed);
        let mut tree = HubTree::new(Arc::clone(self), repository, name, places, suite);
        tree.warnings = warnings;
        tree.head = manifest.head;
        tree
    }
}
