//! Folders of which nothing outside is read, whatever links lie in them.
//!
//! A path is checked as text first, then as what it resolves to, when listing and when opening.
//! Links may lead from one root to another, and nowhere else. On Linux the opened file is asked
//! once more where it lies, for a link may come between look and opening.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use ckptscope_checkpoint::local::{LocalFile, LocalTree};
use ckptscope_checkpoint::tree::{FileEntry, entry_of};
use ckptscope_checkpoint::{PassedOver, ReadError, RunError, Source, Tree};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

/// The folders that may be read, by their true paths.
#[derive(Clone, Debug)]
pub(crate) struct Bounds(Arc<[PathBuf]>);

impl Bounds {
    /// These folders, which are no links, nor below one. A snapshot of the Hub's cache is made of
    /// links to the blobs of its own repository, which may be read with it.
    pub(crate) fn new(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        let with_blobs = |folder: PathBuf| {
            let blobs = blobs_of(&folder);
            [Some(folder), blobs].into_iter().flatten()
        };
        Self(folders.into_iter().flat_map(with_blobs).collect())
    }

    /// The true path of what may be read; none for what is missing or leads out.
    pub(crate) fn resolve(&self, path: &Path) -> Option<PathBuf> {
        let real = fs::canonicalize(path).ok()?;
        self.holds(&real).then_some(real)
    }

    /// Opens what may be read. Where the system says which file was opened (Linux), a link that
    /// came between the look and the opening leads nowhere either.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] for what is missing or leads out; otherwise the system's reason.
    pub(crate) fn open(&self, path: &Path) -> io::Result<File> {
        let gone = || io::Error::new(io::ErrorKind::NotFound, "it is gone, or a link leads out");
        let file = File::open(self.resolve(path).ok_or_else(gone)?)?;
        match place_of(&file) {
            Some(place) if !self.holds(&place) => Err(gone()),
            Some(_) | None => Ok(file),
        }
    }

    /// Whether a true path lies in them.
    pub(crate) fn holds(&self, real: &Path) -> bool {
        self.0.iter().any(|folder| real.starts_with(folder))
    }
}

/// The blobs of the repository that a folder is a snapshot of, or a part of one:
/// `models--{owner}--{name}/snapshots/{commit}`. None for other folders.
fn blobs_of(folder: &Path) -> Option<PathBuf> {
    let is_named = |path: &Path, is_meant: fn(&str) -> bool| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(is_meant)
    };
    let repository = folder.ancestors().find_map(|ancestor| {
        let repository = ancestor.parent()?;
        let is_cache = is_named(ancestor, |name| name == "snapshots")
            && is_named(repository, |name| name.starts_with("models--"));
        is_cache.then_some(repository)
    })?;
    let blobs = repository.join("blobs");
    // A link in the place of the folder could lead anywhere.
    let real = fs::canonicalize(&blobs).ok()?;
    (real == blobs && real.is_dir()).then_some(real)
}

/// The true path of an open file; none where the system does not say.
#[cfg(target_os = "linux")]
fn place_of(file: &File) -> Option<PathBuf> {
    use std::os::fd::AsRawFd;
    fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()
}

/// The true path of an open file; none where the system does not say.
#[cfg(not(target_os = "linux"))]
const fn place_of(_: &File) -> Option<PathBuf> {
    None
}

/// The files below a folder, but those that lead out of the bounds. It is looked again when a file
/// is opened.
#[derive(Debug)]
pub(crate) struct ConfinedTree {
    tree: LocalTree,
    bounds: Bounds,
}

impl ConfinedTree {
    /// Lists the files below `root`, as [`LocalTree::scan`] does.
    pub(crate) fn scan(root: &Path, bounds: Bounds) -> Result<Self, RunError> {
        let missing = || RunError::Missing {
            path: root.display().to_string(),
        };
        let real = bounds.resolve(root).ok_or_else(missing)?;
        let tree = LocalTree::scan_within(&real, |path| bounds.holds(path))?;
        Ok(Self { tree, bounds })
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
        self.tree.files()
    }

    fn passed_over(&self) -> &[PassedOver] {
        self.tree.passed_over()
    }

    fn is_one_file(&self) -> bool {
        self.tree.is_one_file()
    }

    fn open<'a>(&'a self, path: &'a str) -> LocalBoxFuture<'a, Result<Rc<dyn Source>, ReadError>> {
        async move {
            entry_of(self, path)?;
            let place = self.root().join(path);
            let file = LocalFile::opened(Path::new(path), self.bounds.open(&place))?;
            Ok(Rc::new(file) as Rc<dyn Source>)
        }
        .boxed_local()
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::fs::symlink;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use super::*;

    /// So often that without a second look some of them read what lies outside.
    const TIMES: usize = 20_000;

    #[test]
    fn a_link_that_comes_while_a_file_is_opened_leads_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let (root, outside) = (folder.join("root"), folder.join("outside"));
        fs::create_dir(&root).unwrap();
        fs::write(&outside, "secret").unwrap();
        let path = root.join("file");
        fs::write(&path, "open").unwrap();
        let bounds = Bounds::new([root.clone()]);
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let next = root.join("next");
                while !is_over.load(Ordering::Relaxed) {
                    symlink(&outside, &next).unwrap();
                    fs::rename(&next, &path).unwrap();
                    fs::write(&next, "open").unwrap();
                    fs::rename(&next, &path).unwrap();
                }
            });
            let read = (0..TIMES).filter_map(|_| {
                let file = bounds.open(&path).ok()?;
                io::read_to_string(file).ok()
            });
            let mut read = read.collect::<Vec<_>>();
            is_over.store(true, Ordering::Relaxed);
            read.sort();
            read.dedup();
            assert_eq!(read, ["open"]);
        });
    }
}
