//! Where a run is: a folder of this machine, or a repository of the Hub.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use ckptscope_checkpoint::Tree;
use ckptscope_checkpoint::http::Traffic;
use ckptscope_checkpoint::hub::{HubAddress, HubTree};
use ckptscope_checkpoint::local::LocalTree;

use crate::arguments::SourceArguments;
use crate::confined::{Bounds, ConfinedTree};
use crate::hub::judged;

/// A run's place as it was given.
#[derive(Clone, Debug)]
pub(crate) enum Address {
    /// A folder or a file.
    Path(PathBuf),
    /// A folder, and what may be read through it.
    Within(PathBuf, Bounds),
    /// A repository.
    Hub(HubAddress),
}

impl Address {
    /// Of `RUN`, `--run-path`, or `--repo-id` and `--branch`.
    pub(crate) fn of(arguments: &SourceArguments) -> anyhow::Result<Self> {
        if let Some(run) = &arguments.run {
            return Ok(Self::of_argument(run));
        }
        let Some(repository) = &arguments.repo_id else {
            let path = arguments.run_path.clone().unwrap_or_default();
            return Ok(Self::Path(path));
        };
        let mut address = HubAddress::parse(repository).map_err(|error| judged(&error))?;
        if let Some(branch) = &arguments.branch {
            address.revision = Some(branch.clone());
        }
        Ok(Self::Hub(address))
    }

    /// Of one argument: what exists as a path is one, and so is what cannot be a repository.
    pub(crate) fn of_argument(path: &Path) -> Self {
        let address = || HubAddress::parse(path.to_str()?).ok();
        match Some(path)
            .filter(|path| !path.exists())
            .and_then(|_| address())
        {
            Some(address) => Self::Hub(address),
            None => Self::Path(path.to_owned()),
        }
    }

    /// As a person wrote it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Path(path) | Self::Within(path, _) => path.display().to_string(),
            Self::Hub(address) => match &address.revision {
                Some(revision) => format!("{}@{revision}", address.repository),
                None => address.repository.clone(),
            },
        }
    }

    /// The last part: what a person calls the run.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Path(path) | Self::Within(path, _) => {
                let whole = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
                let name = whole.file_name();
                name.map_or_else(|| self.shown(), |name| name.to_string_lossy().into_owned())
            }
            Self::Hub(address) => {
                let name = address.repository.rsplit('/').next().unwrap_or_default();
                match &address.revision {
                    // A branch of a run has the model's name in it, as a rule.
                    Some(revision) if revision.starts_with(name) => revision.clone(),
                    Some(revision) => format!("{name}@{revision}"),
                    None => name.to_owned(),
                }
            }
        }
    }

    /// Where it is, however it was given: a whole path, or what the Hub calls it.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::Path(path) | Self::Within(path, _) => {
                let whole = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
                whole.display().to_string()
            }
            Self::Hub(_) => self.shown(),
        }
    }

    /// The same as a part of a file's name: of a folder its whole name, of a file the name without
    /// its ending.
    pub(crate) fn file_name(&self) -> String {
        match self {
            Self::Path(path) | Self::Within(path, _) => {
                let whole = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
                let name = match whole.is_dir() {
                    true => whole.file_name(),
                    false => whole.file_stem(),
                };
                name.map_or_else(
                    || "run".to_owned(),
                    |name| name.to_string_lossy().into_owned(),
                )
            }
            Self::Hub(_) => as_file_name(&self.name()),
        }
    }

    /// The arguments of `worker analyze` that mean it, each a word.
    pub(crate) fn as_arguments(&self) -> Vec<String> {
        match self {
            Self::Path(path) | Self::Within(path, _) => {
                vec!["--run-path".to_owned(), path.display().to_string()]
            }
            Self::Hub(address) => {
                let mut words = vec!["--repo-id".to_owned(), address.repository.clone()];
                if let Some(revision) = &address.revision {
                    words.extend(["--branch".to_owned(), revision.clone()]);
                }
                words
            }
        }
    }
}

/// The files of a run.
#[derive(Debug)]
pub(crate) enum Place {
    /// Of this machine.
    Folder(LocalTree),
    /// Of this machine, and nothing outside of some folders.
    Confined(ConfinedTree),
    /// Of the Hub.
    Hub(Box<HubTree>),
}

impl Place {
    /// The files, as threads may share them.
    pub(crate) fn tree(&self) -> &(dyn Tree + Sync) {
        match self {
            Self::Folder(tree) => tree,
            Self::Confined(tree) => tree,
            Self::Hub(tree) => &**tree,
        }
    }

    /// What went over the network; none for what needs no network.
    pub(crate) fn traffic(&self) -> Option<Traffic> {
        match self {
            Self::Folder(_) | Self::Confined(_) => None,
            Self::Hub(tree) => Some(tree.traffic()),
        }
    }

    /// What a file's content was when it was looked at: its id where there is one, else the time
    /// of its last modification.
    pub(crate) fn version_of(&self, path: &str) -> Option<String> {
        match self {
            Self::Folder(tree) => modified_at(&tree.root().join(path)),
            Self::Confined(tree) => modified_at(&tree.root().join(path)),
            Self::Hub(tree) => tree.content_id(path),
        }
    }

    /// The commit that a file is read of and the id of its content, where it has such.
    pub(crate) fn content_of(&self, path: &str) -> (Option<String>, Option<String>) {
        match self {
            Self::Folder(_) | Self::Confined(_) => (None, None),
            Self::Hub(tree) => (tree.commit(path), tree.content_id(path)),
        }
    }
}

/// A name with a dash for every character that a file's name should not have.
pub(crate) fn as_file_name(name: &str) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || "-_.".contains(*c);
    let replaced = |c: char| if is_plain(&c) { c } else { '-' };
    name.chars().map(replaced).collect()
}

fn modified_at(path: &Path) -> Option<String> {
    modified(&fs::metadata(path).ok()?)
}

/// When a file was last changed, in nanoseconds since 1970.
pub(crate) fn modified(metadata: &fs::Metadata) -> Option<String> {
    let since = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(since.as_nanos().to_string())
}
