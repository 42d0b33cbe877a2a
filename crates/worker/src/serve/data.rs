//! The folder in which the server keeps what it was given and what came out.

use std::env;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::Misuse;

/// The project's name before it was ckptscope: what was kept under it is found.
const FORMER_NAME: &str = "trainscope";

/// The folder, held by this server alone.
pub(super) struct DataFolder {
    path: PathBuf,
    /// Locked for as long as it is open.
    _lock: File,
}

impl DataFolder {
    /// Makes the folder if there is none.
    pub(super) fn open(path: Option<&Path>) -> Result<Self> {
        let path = match path {
            Some(path) => path.to_owned(),
            None => usual()?,
        };
        let cannot = || {
            let path = path.display();
            format!("cannot use the data folder {path}; choose another one with --data-dir")
        };
        for part in ["", "analyses", "journals", "uploads"] {
            fs::create_dir_all(path.join(part)).with_context(cannot)?;
        }
        let path = path.canonicalize().with_context(cannot)?;
        let lock = File::create(path.join("lock")).with_context(cannot)?;
        if let Err(TryLockError::WouldBlock) = lock.try_lock() {
            return Err(Misuse(format!(
                "another worker serves from {}; stop it, or choose another folder with --data-dir",
                path.display()
            ))
            .into());
        }
        Ok(Self { path, _lock: lock })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The database of analyses: where one of the project's former name lies, that one goes on.
    pub(super) fn database(&self) -> PathBuf {
        let former = self.path.join(format!("{FORMER_NAME}.sqlite"));
        if former.is_file() {
            former
        } else {
            self.path.join("ckptscope.sqlite")
        }
    }

    /// The folders of analyses.
    pub(super) fn analyses(&self) -> PathBuf {
        self.path.join("analyses")
    }

    /// What an analysis has finished.
    pub(super) fn journal(&self, id: &str) -> PathBuf {
        self.path.join("journals").join(format!("{id}.jsonl"))
    }

    /// The folders of uploads.
    pub(super) fn uploads(&self) -> PathBuf {
        self.path.join("uploads")
    }

    /// The folder of an upload.
    pub(super) fn upload(&self, id: &str) -> PathBuf {
        self.uploads().join(id)
    }
}

/// The person's folder for data, as the platform has it; one of the project's former name goes on.
fn usual() -> Result<PathBuf> {
    let variable = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let home = env::home_dir();
    let folder = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        home.map(|home| home.join("Library/Application Support"))
    } else {
        let usual = || home.map(|home| home.join(".local/share"));
        variable("XDG_DATA_HOME").or_else(usual)
    };
    let folder = folder.ok_or_else(|| {
        Misuse("there is no folder for data of this person's; name one with --data-dir".to_owned())
    })?;
    let (current, former) = (folder.join("ckptscope"), folder.join(FORMER_NAME));
    let goes_on = !current.exists() && former.is_dir();
    Ok(if goes_on { former } else { current })
}
