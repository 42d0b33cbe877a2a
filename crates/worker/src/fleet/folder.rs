//! The folder that the processes of an analysis share, and what its files are called.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::Misuse;

/// A folder of `worker submit`, by its whole path.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes one. A folder that has something in it is somebody's, and stays as it is.
    ///
    /// # Errors
    /// [`Misuse`] where it is there already; else the system's reason.
    pub(super) fn make(path: &Path) -> Result<Self> {
        let shown = path.display();
        let cannot = || format!("cannot write {shown}; choose another folder with --out");
        match fs::read_dir(path).map(|mut entries| entries.next().is_some()) {
            Ok(true) => return Err(Misuse(format!("{shown} {}", in_use(path))).into()),
            Ok(false) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(cannot),
        }
        let folder = Self(std::path::absolute(path).with_context(cannot)?);
        for part in [folder.shards(), folder.journals(), folder.logs()] {
            fs::create_dir_all(part).with_context(cannot)?;
        }
        Ok(folder)
    }

    /// One that is there.
    ///
    /// # Errors
    /// When the working directory is gone.
    pub(super) fn at(path: &Path) -> Result<Self> {
        Ok(Self(std::path::absolute(path)?))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// What is computed.
    pub(super) fn plan(&self) -> PathBuf {
        self.0.join("plan.json")
    }

    /// Where the lanes of shards are.
    pub(super) fn shards(&self) -> PathBuf {
        self.0.join("shards")
    }

    /// The lanes of a shard.
    pub(super) fn shard(&self, index: usize) -> PathBuf {
        self.shards().join(format!("{index:04}.lanes"))
    }

    /// Where journals are.
    pub(super) fn journals(&self) -> PathBuf {
        self.0.join("journals")
    }

    /// The journal of an attempt.
    pub(super) fn journal(&self, shard: usize, attempt: u32) -> PathBuf {
        self.journals().join(format!("{shard:04}.r{attempt}.jsonl"))
    }

    /// Where what was fetched of a run is; there is none where shards read the run itself.
    pub(super) fn fetched(&self) -> PathBuf {
        self.0.join("fetched")
    }

    /// Where schedulers write what processes say.
    pub(super) fn logs(&self) -> PathBuf {
        self.0.join("logs")
    }

    /// Where results go unless somebody says otherwise.
    pub(super) fn results(&self) -> PathBuf {
        self.0.join("results")
    }

    /// A file of this name in it.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

/// What a folder that is no empty one is, and what to do.
fn in_use(path: &Path) -> String {
    if path.join("plan.json").is_file() {
        let shown = path.display();
        format!(
            "holds an analysis that was submitted: see `worker status {shown}`, go on with \
             `worker submit --again {shown}`, or choose another folder with --out"
        )
    } else {
        "is not empty: choose another folder with --out".to_owned()
    }
}
