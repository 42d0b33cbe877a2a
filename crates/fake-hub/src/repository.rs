//! Repositories: commits, branches and tags, in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::object::{Object, id_of};

/// Who may read a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    #[default]
    Public,
    /// Whoever has this token; to others it does not exist.
    Private {
        /// The token.
        token: String,
    },
    /// Everybody may see what there is, and nobody has accepted the terms.
    Gated,
}

/// A model repository.
#[derive(Debug)]
pub struct Repository {
    pub(crate) name: String,
    pub(crate) access: Access,
    commits: Vec<Commit>,
    branches: BTreeMap<String, usize>,
    tags: BTreeMap<String, usize>,
}

/// Files by path.
pub(crate) type Files = BTreeMap<String, Arc<Object>>;

#[derive(Debug)]
pub(crate) struct Commit {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) date: String,
    parent: Option<usize>,
    pub(crate) files: Files,
}

impl Repository {
    /// A public repository `owner/name` with an empty first commit on `main`.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        let mut repository = Self {
            name: name.into(),
            access: Access::Public,
            commits: Vec::new(),
            branches: BTreeMap::new(),
            tags: BTreeMap::new(),
        };
        let readme: [(&str, Option<&[u8]>); 1] = [("README.md", Some(b"# A model\n"))];
        repository.commit("main", "initial commit", readme);
        repository
    }

    /// The same, for others.
    #[must_use]
    pub fn with_access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Commits to a branch, which is made from `main` if there is none: writes files, or deletes
    /// them where there is no content. Gives the commit's id.
    pub fn commit<Content: Into<Arc<[u8]>>>(
        &mut self,
        branch: &str,
        title: &str,
        changes: impl IntoIterator<Item = (impl Into<String>, Option<Content>)>,
    ) -> String {
        let parent = self.branches.get(branch).or(self.branches.get("main"));
        let parent = parent.copied();
        let mut files = parent
            .and_then(|index| self.commits.get(index))
            .map(|commit| commit.files.clone())
            .unwrap_or_default();
        for (path, content) in changes {
            let path = path.into();
            match content {
                Some(content) => {
                    let object = Arc::new(Object::new(&path, content.into()));
                    files.insert(path, object);
                }
                None => {
                    files.remove(&path);
                }
            }
        }
        let number = self.commits.len();
        let id = id_of(&format!("{} {number} {title}", self.name));
        self.commits.push(Commit {
            id: id.clone(),
            title: title.to_owned(),
            date: date(number),
            parent,
            files,
        });
        self.branches.insert(branch.to_owned(), number);
        id
    }

    /// Gives a branch's last commit a tag.
    pub fn tag(&mut self, branch: &str, tag: &str) {
        if let Some(index) = self.branches.get(branch) {
            self.tags.insert(tag.to_owned(), *index);
        }
    }

    /// The commit that a branch, a tag or an id names.
    pub(crate) fn revision(&self, revision: &str) -> Option<&Commit> {
        let named = self.branches.get(revision).or(self.tags.get(revision));
        match named {
            Some(index) => self.commits.get(*index),
            None => self.commits.iter().find(|commit| commit.id == revision),
        }
    }

    /// A commit and those before it, newest first.
    pub(crate) fn history<'a>(&'a self, commit: &'a Commit) -> impl Iterator<Item = &'a Commit> {
        let parent = |commit: &&'a Commit| commit.parent.and_then(|index| self.commits.get(index));
        std::iter::successors(Some(commit), parent)
    }

    /// Branches with the ids of their last commits.
    pub(crate) fn branches(&self) -> impl Iterator<Item = (&str, &str)> {
        self.named(&self.branches)
    }

    /// Tags with the ids of their commits.
    pub(crate) fn tags(&self) -> impl Iterator<Item = (&str, &str)> {
        self.named(&self.tags)
    }

    fn named<'a>(
        &'a self,
        names: &'a BTreeMap<String, usize>,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        names.iter().filter_map(|(name, index)| {
            let commit = self.commits.get(*index)?;
            Some((name.as_str(), commit.id.as_str()))
        })
    }

    /// The file of that LFS id in any commit.
    pub(crate) fn large_file(&self, id: &str) -> Option<&Arc<Object>> {
        let files = self.commits.iter().flat_map(|commit| commit.files.values());
        files
            .into_iter()
            .find(|object| object.lfs_id.as_deref() == Some(id))
    }
}

/// A commit every minute.
fn date(number: usize) -> String {
    let (day, minute) = (number / 1440, number % 1440);
    let (hour, minute) = (minute / 60, minute % 60);
    format!("2026-01-{:02}T{hour:02}:{minute:02}:00.000Z", 1 + day % 28)
}
