//! The Hub's cache as a run: a folder `models--{owner}--{name}`, whose refs are the steps.
//!
//! `refs/{name}` has a commit's id, and `snapshots/{id}` the commit's files. So the files of each
//! ref are looked at under the ref's name, as if they lay in a folder of that name, and the run is
//! found among them.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use ckptscope_vocabulary::sort::sort_by;
use futures_core::future::LocalBoxFuture;

use super::trouble::listed;
use super::{PassedOver, Run};
use crate::error::ReadError;
use crate::source::Source;
use crate::tree::{FileEntry, Tree, entry_of};

/// The folder of files that hold commits' ids, by the names of branches and tags.
pub(crate) const REFS: &str = "refs";

/// The folder of commits' files, by the commits' ids.
pub(crate) const SNAPSHOTS: &str = "snapshots";

/// A longer file is no ref.
const REF_LIMIT_BYTES: u64 = 1024;

/// The commit that a ref's content names.
pub(crate) fn commit_in(content: &[u8]) -> Option<&str> {
    let text = str::from_utf8(content).ok()?.trim();
    let is_id = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_id.then_some(text)
}

/// The paths of a cache's refs; none of a tree that is no cache.
pub(super) fn ref_paths(tree: &dyn Tree) -> BTreeSet<&str> {
    let Some(root) = root_of(tree) else {
        return BTreeSet::new();
    };
    let start = format!("{root}{REFS}/");
    let paths = tree.files().iter().map(|file| file.path.as_str());
    paths.filter(|path| path.starts_with(&start)).collect()
}

/// The files of a cache under the names of its refs.
pub(super) struct CacheTree<'a> {
    tree: &'a dyn Tree,
    entries: Vec<FileEntry>,
    /// Where each file is.
    places: BTreeMap<String, String>,
    /// What was passed over.
    pub(super) warnings: Vec<String>,
}

impl<'a> CacheTree<'a> {
    /// Of a tree that has refs and snapshots at its root, or in its only folder; none of others.
    pub(super) async fn of(tree: &'a dyn Tree) -> Option<Self> {
        let root = root_of(tree)?;
        let refs = refs(tree, &root).await;
        let snapshots = format!("{root}{SNAPSHOTS}/");
        let mut by_commit: BTreeMap<&str, Vec<(&str, &FileEntry)>> = BTreeMap::new();
        for file in tree.files() {
            let inside = file.path.strip_prefix(&snapshots);
            if let Some((commit, path)) = inside.and_then(|path| path.split_once('/')) {
                by_commit.entry(commit).or_default().push((path, file));
            }
        }
        if by_commit.is_empty() || refs.is_empty() {
            return None;
        }
        let mut entries = Vec::new();
        let mut places = BTreeMap::new();
        for (name, commit) in &refs {
            for (path, file) in by_commit.get(commit.as_str()).into_iter().flatten() {
                let path = format!("{name}/{path}");
                places.insert(path.clone(), file.path.clone());
                let bytes = file.bytes;
                entries.push(FileEntry { path, bytes });
            }
        }
        sort_by(&mut entries, |one, other| one.path.cmp(&other.path));
        let warnings = passed_over(&refs, &by_commit);
        Some(Self {
            tree,
            entries,
            places,
            warnings,
        })
    }

    /// A run that was found here, with the paths of the tree that this was made of.
    pub(super) fn in_place(&self, mut run: Run) -> Run {
        let parts = run.steps.iter_mut().flat_map(|step| &mut step.parts);
        let paths = parts.flat_map(|part| part.paths.iter_mut().chain(&mut part.index));
        let source = run.model.as_mut().map(|model| &mut model.source);
        let beside = run.passed_over.iter_mut().map(|it| &mut it.path);
        for path in paths.chain(source).chain(beside) {
            if let Some(place) = self.places.get(path) {
                path.clone_from(place);
            }
        }
        run
    }
}

/// Where refs and snapshots lie: at the root, or in the only folder there is, which is how a
/// dropped folder comes.
fn root_of(tree: &dyn Tree) -> Option<String> {
    let has = |root: &str, folder: &str| {
        let start = format!("{root}{folder}/");
        tree.files()
            .iter()
            .any(|file| file.path.starts_with(&start))
    };
    let is_root = |root: &str| has(root, REFS) && has(root, SNAPSHOTS);
    if is_root("") {
        return Some(String::new());
    }
    let first = tree.files().first()?;
    let (folder, _) = first.path.split_once('/')?;
    let root = format!("{folder}/");
    let is_only = tree.files().iter().all(|file| file.path.starts_with(&root));
    (is_only && is_root(&root)).then_some(root)
}

/// The refs by name; files that hold no commit's id are none.
async fn refs(tree: &dyn Tree, root: &str) -> BTreeMap<String, String> {
    let start = format!("{root}{REFS}/");
    let mut refs = BTreeMap::new();
    for file in tree.files() {
        let Some(name) = file.path.strip_prefix(&start) else {
            continue;
        };
        if file.bytes > REF_LIMIT_BYTES {
            continue;
        }
        let content = content(tree, file).await;
        let commit = content
            .ok()
            .and_then(|it| commit_in(&it).map(str::to_owned));
        if let Some(commit) = commit {
            refs.insert(name.to_owned(), commit);
        }
    }
    refs
}

async fn content(tree: &dyn Tree, file: &FileEntry) -> Result<Vec<u8>, ReadError> {
    let source = tree.open(&file.path).await?;
    source.read_at(0, source.bytes().min(REF_LIMIT_BYTES)).await
}

/// Refs of which no file is here, and snapshots that no ref names.
fn passed_over(
    refs: &BTreeMap<String, String>,
    by_commit: &BTreeMap<&str, Vec<(&str, &FileEntry)>>,
) -> Vec<String> {
    let is_here = |commit: &String| by_commit.contains_key(commit.as_str());
    let gone = refs.iter().filter(|(_, commit)| !is_here(commit));
    let gone: Vec<&str> = gone.map(|(name, _)| name.as_str()).collect();
    let named: BTreeSet<&str> = refs.values().map(String::as_str).collect();
    let others = by_commit.keys().filter(|commit| !named.contains(*commit));
    let others: Vec<&str> = others.copied().collect();
    let told = [
        (
            "these refs are passed over, because no file of their commits is here",
            gone,
        ),
        (
            "these snapshots are passed over, because no ref names them",
            others,
        ),
    ];
    let told = told.into_iter().filter(|(_, names)| !names.is_empty());
    told.map(|(what, names)| format!("{what}: {}", listed(names)))
        .collect()
}

impl Tree for CacheTree<'_> {
    fn name(&self) -> &str {
        self.tree.name()
    }

    fn files(&self) -> &[FileEntry] {
        &self.entries
    }

    fn passed_over(&self) -> &[PassedOver] {
        self.tree.passed_over()
    }

    fn open<'a>(&'a self, path: &'a str) -> LocalBoxFuture<'a, Result<Rc<dyn Source>, ReadError>> {
        Box::pin(async move {
            let entry = entry_of(self, path)?;
            let place = self.places.get(&entry.path).unwrap_or(&entry.path);
            self.tree.open(place).await
        })
    }
}
