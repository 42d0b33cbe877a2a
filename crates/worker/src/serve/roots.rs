//! The folders that the owner opened, and the runs in them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use ckptscope_checkpoint::tree::{FileEntry, entry_of};
use ckptscope_checkpoint::{
    Layout, LocalFile, LocalTree, ModelShape, ReadError, Reason, Run, RunError, Source, Step, Tree,
};
use ckptscope_protocol::service::RunFound;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use sha2::{Digest, Sha256};

use crate::Misuse;
use crate::confined::Bounds;
use crate::executor::Executor;

/// For so long it is believed that runs are as they were found.
const FRESH: Duration = Duration::from_secs(3);

/// The folders, and what was found in them last.
pub(super) struct Roots {
    folders: Vec<PathBuf>,
    bounds: Bounds,
    found: Mutex<Option<(Instant, Arc<[RunFound]>)>>,
}

impl Roots {
    /// Of folders that must exist.
    pub(super) fn new(folders: &[PathBuf]) -> Result<Self> {
        let real = |folder: &PathBuf| {
            let real = fs::canonicalize(folder).ok().filter(|real| real.is_dir());
            real.ok_or_else(|| {
                Misuse(format!(
                    "--root {}: there is no such folder",
                    folder.display()
                ))
            })
        };
        let folders = folders.iter().map(real).collect::<Result<Vec<_>, _>>()?;
        let bounds = Bounds::new(folders.clone());
        Ok(Self {
            folders,
            bounds,
            found: Mutex::default(),
        })
    }

    /// The folders.
    pub(super) fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// What may be read.
    pub(super) const fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// The runs, looked for again where that was some time ago. Blocks.
    pub(super) fn runs(&self, executor: &Executor) -> Arc<[RunFound]> {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((when, runs)) = &*found
            && when.elapsed() < FRESH
        {
            return Arc::clone(runs);
        }
        let mut runs = Vec::new();
        for folder in &self.folders {
            let listing = Listing::of(folder, &self.bounds);
            // Nobody stops this.
            runs.extend(executor.block_on(listing.runs()).unwrap_or_default());
        }
        runs.sort_by(|a, b| a.path.cmp(&b.path));
        // Of roots that lie in each other.
        runs.dedup_by(|a, b| a.path == b.path);
        let runs: Arc<[RunFound]> = runs.into();
        *found = Some((Instant::now(), Arc::clone(&runs)));
        runs
    }

    /// The run of that id, as it was found last or is found now. Blocks.
    pub(super) fn run(&self, id: &str, executor: &Executor) -> Option<RunFound> {
        let of_id = |runs: &[RunFound]| runs.iter().find(|run| run.id == id).cloned();
        let known = {
            let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            found.as_ref().and_then(|(_, runs)| of_id(runs))
        };
        known.or_else(|| of_id(&self.runs(executor)))
    }
}

/// Why a link to a folder is no run.
const LEADS_OUT: &str = "it is a link that leads out of the folders of this worker: start it with \
    --root of where that leads, too";

/// All files of a root, by the folders they are in.
struct Listing<'a> {
    root: &'a Path,
    bounds: &'a Bounds,
    /// Sorted by path.
    files: Vec<FileEntry>,
    /// Links to folders that may not be read.
    outside: Vec<PathBuf>,
    /// Why they cannot be listed.
    trouble: Option<String>,
}

impl<'a> Listing<'a> {
    /// Of what can be read.
    fn of(root: &'a Path, bounds: &'a Bounds) -> Self {
        let tree = LocalTree::scan_within(root, |path| bounds.holds(path));
        let (files, outside, trouble) = match tree {
            Ok(tree) => (tree.files().to_vec(), outside(root, &tree), None),
            Err(error) => (Vec::new(), Vec::new(), Some(error.to_string())),
        };
        Self {
            root,
            bounds,
            files,
            outside,
            trouble,
        }
    }

    /// The runs, and what is left out with the reason.
    async fn runs(&self) -> Vec<RunFound> {
        let mut runs = Vec::new();
        self.add_runs("", &mut runs).await;
        let whole = View::of(self, "");
        runs.extend(self.trouble.clone().map(|trouble| RunFound {
            trouble: Some(trouble),
            ..whole.found()
        }));
        // What lies in a run is told where that is opened.
        let is_in_run = |link: &&PathBuf| runs.iter().any(|run| link.starts_with(&run.path));
        let links = self.outside.iter().filter(|link| !is_in_run(link));
        let links = links.map(|link| RunFound {
            trouble: Some(LEADS_OUT.to_owned()),
            ..found(link, &[])
        });
        let links: Vec<RunFound> = links.collect();
        runs.extend(links);
        runs
    }

    /// Adds the run at a folder, or those below it. Where there are checkpoints and no run, here or
    /// below, that is added with the reason.
    fn add_runs<'b>(
        &'b self,
        prefix: &'b str,
        runs: &'b mut Vec<RunFound>,
    ) -> LocalBoxFuture<'b, ()> {
        async move {
            let view = View::of(self, prefix);
            let folders = view.folders();
            let found = Run::find(&view).await;
            if let Ok(run) = &found
                && !self.is_at_home_below(run, &folders).await
            {
                runs.push(view.found());
                return;
            }
            let before = runs.len();
            for folder in folders {
                self.add_runs(&folder, runs).await;
            }
            if let Err(error) = found
                && runs.len() == before
                && is_of_checkpoints(&error)
            {
                runs.push(RunFound {
                    trouble: Some(error.to_string()),
                    ..view.found()
                });
            }
        }
        .boxed_local()
    }

    /// Whether the same run is found in a folder below, which then is its home: a root with one run
    /// in it is no run itself.
    async fn is_at_home_below(&self, run: &Run, folders: &[String]) -> bool {
        for folder in folders {
            let name = folder
                .trim_end_matches('/')
                .rsplit('/')
                .next()
                .unwrap_or_default();
            let Some(moved) = moved(run, &format!("{name}/")).filter(|_| name != "checkpoints")
            else {
                continue;
            };
            let below = Run::find(&View::of(self, folder)).await;
            if below.is_ok_and(|below| (below.layout, below.steps, below.model) == moved) {
                return true;
            }
        }
        false
    }
}

/// Links to folders that were not followed.
fn outside(root: &Path, tree: &LocalTree) -> Vec<PathBuf> {
    let passed_over = tree.passed_over().iter();
    let links = passed_over.filter(|it| it.reason == Reason::LinkOutside);
    let links = links.map(|it| root.join(&it.path));
    links.filter(|link| link.is_dir()).collect()
}

/// Whether there are checkpoints, though no run was found.
const fn is_of_checkpoints(error: &RunError) -> bool {
    !(error.is_nothing() || matches!(error, RunError::Missing { .. }))
}

/// A run as it looks from a folder in which all of it lies.
fn moved(run: &Run, prefix: &str) -> Option<(Layout, Vec<Step>, Option<ModelShape>)> {
    let (mut steps, mut model) = (run.steps.clone(), run.model.clone());
    let parts = steps.iter_mut().flat_map(|step| &mut step.parts);
    let paths = parts.flat_map(|part| &mut part.paths);
    for path in paths.chain(model.as_mut().map(|model| &mut model.source)) {
        *path = path.strip_prefix(prefix)?.to_owned();
    }
    Some((run.layout, steps, model))
}

/// What of a listing lies below a folder.
struct View<'a> {
    listing: &'a Listing<'a>,
    /// Empty, or a path that ends in a slash.
    prefix: &'a str,
    name: String,
    entries: Vec<FileEntry>,
}

impl<'a> View<'a> {
    fn of(listing: &'a Listing<'a>, prefix: &'a str) -> Self {
        let files = &listing.files;
        let start = files.partition_point(|file| file.path.as_str() < prefix);
        let below = files.iter().skip(start).map_while(|file| {
            let path = file.path.strip_prefix(prefix)?.to_owned();
            Some(FileEntry {
                path,
                bytes: file.bytes,
            })
        });
        let entries = below.collect();
        let name = listing
            .root
            .join(prefix.trim_end_matches('/'))
            .display()
            .to_string();
        Self {
            listing,
            prefix,
            name,
            entries,
        }
    }

    fn folder(&self) -> PathBuf {
        self.listing
            .root
            .join(self.prefix.trim_end_matches('/'))
            .components()
            .collect()
    }

    /// The folders directly in it, each with its prefix.
    fn folders(&self) -> Vec<String> {
        let folders = self
            .entries
            .iter()
            .filter_map(|entry| entry.path.split_once('/'));
        let folders: BTreeMap<&str, ()> = folders.map(|(folder, _)| (folder, ())).collect();
        folders
            .keys()
            .map(|folder| format!("{}{folder}/", self.prefix))
            .collect()
    }

    fn found(&self) -> RunFound {
        found(&self.folder(), &self.entries)
    }
}

/// A folder with these files, as a run is told.
fn found(folder: &Path, files: &[FileEntry]) -> RunFound {
    let name = folder.file_name();
    let name = name.map(|name| name.to_string_lossy().into_owned());
    RunFound {
        id: id_of(folder),
        name: name.unwrap_or_else(|| folder.display().to_string()),
        path: folder.display().to_string(),
        files: files.len() as u64,
        bytes: files.iter().map(|entry| entry.bytes).sum(),
        trouble: None,
    }
}

impl Tree for View<'_> {
    fn name(&self) -> &str {
        &self.name
    }

    fn files(&self) -> &[FileEntry] {
        &self.entries
    }

    fn open<'a>(&'a self, path: &'a str) -> LocalBoxFuture<'a, Result<Rc<dyn Source>, ReadError>> {
        async move {
            entry_of(self, path)?;
            let place = self.folder().join(path);
            let file = LocalFile::opened(&place, self.listing.bounds.open(&place))?;
            Ok(Rc::new(file) as Rc<dyn Source>)
        }
        .boxed_local()
    }
}

/// The same for the same folder, whenever and whoever asks.
pub(super) fn id_of(folder: &Path) -> String {
    let hash = Sha256::digest(folder.as_os_str().as_encoded_bytes());
    hash.iter()
        .take(10)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
