//! Folders of which nothing outside is read, whatever links lie in them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use trainscope_checkpoint::local::LocalTree;
use trainscope_checkpoint::tree::{FileEntry, entry_of};
use trainscope_checkpoint::{ReadError, RunError, Source, Tree};

/// The folders that may be read, by their true paths.
#[derive(Clone, Debug)]
pub(crate) struct Bounds(Arc<[PathBuf]>);

impl Bounds {
    /// These folders, which are no links, nor below one.
    pub(crate) fn new(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        Self(folders.into_iter().collect())
    }

    /// The true path of what may be read; none for what is missing or leads out.
    pub(crate) fn resolve(&self, path: &Path) -> Option<PathBuf> {
        let real = fs::canonicalize(path).ok()?;
        self.0
            .iter()
            .any(|folder| real.starts_with(folder))
            .then_some(real)
    }
}

/// The files below a folder, but those that lead out of the bounds. It is looked again when a file
/// is opened.
#[derive(Debug)]
pub(crate) struct ConfinedTree {
    tree: LocalTree,
    bounds: Bounds,
    entries: Vec<FileEntry>,
}

impl ConfinedTree {
    /// Lists the files below `root`, as [`LocalTree::scan`] does.
    pub(crate) fn scan(root: &Path, bounds: Bounds) -> Result<Self, RunError> {
        let missing = || RunError::Missing {
            path: root.display().to_string(),
        };
        let real = bounds.resolve(root).ok_or_else(missing)?;
        let tree = LocalTree::scan(&real)?;
        let leads_out = |entry: &&FileEntry| {
            let path = real.join(&entry.path);
            // Folders are entered only where they are none, so a link can only be the file itself.
            let is_link = fs::symlink_metadata(&path).is_ok_and(|data| data.is_symlink());
            is_link && bounds.resolve(&path).is_none()
        };
        let entries = tree
            .files()
            .iter()
            .filter(|entry| !leads_out(entry))
            .cloned()
            .collect();
        Ok(Self {
            tree,
            bounds,
            entries,
        })
    }

    /// The folder.
    pub(crate) fn root(&self) -> &Path {
        self.tree.root()
    }
}

impl Tree for ConfinedTree {
    fn name(&self) -> &str {
        self.tree.name()
    }

    fn files(&self) -> &[FileEntry] {
        &self.entries
    }

    fn open<'a>(
        &'a self,
        path: &'a str,
    ) -> LocalBoxFuture<'a, Result<std::rc::Rc<dyn Source>, ReadError>> {
        async move {
            entry_of(self, path)?;
            let place = self.root().join(path);
            if self.bounds.resolve(&place).is_none() {
                return Err(ReadError::Open {
                    path: place.display().to_string(),
                    source: std::io::Error::new(
                        std::io::ErrorKind::NotFound,
                        "it is gone, or a link leads out",
                    ),
                });
            }
            self.tree.open(path).await
        }
        .boxed_local()
    }
}
