//! The folder that Python's tools keep downloaded files in. What is there is read from there;
//! nothing is written, because a part of a file would be taken for the whole.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::tree::HubFile;
use crate::local::LocalFile;
use crate::source::Source;

/// The cache of downloaded files: `models--{owner}--{name}/{blobs,refs,snapshots}`.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    folder: Option<PathBuf>,
}

impl Cache {
    /// The cache in a folder (`HF_HUB_CACHE`, else `HF_HOME/hub`), which need not exist.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: Some(folder.into()),
        }
    }

    /// A file of a commit, where it was downloaded whole: by its content's id, or, where the file
    /// system has no links, by its place in the commit.
    pub(super) fn find(&self, repository: &str, file: &HubFile) -> Option<Rc<dyn Source>> {
        let name = format!("models--{}", repository.replace('/', "--"));
        let folder = self.folder.as_ref()?.join(name);
        let blob = folder.join("blobs").join(inside(&file.tag)?);
        let snapshot = folder.join("snapshots").join(inside(&file.commit)?);
        let whole = |path: &Path| {
            let opened = LocalFile::open(path).ok()?;
            (opened.bytes() == file.bytes).then_some(opened)
        };
        let found = whole(&blob).or_else(|| whole(&snapshot.join(inside(&file.path)?)))?;
        Some(Rc::new(found))
    }
}

/// A path that stays inside its folder, whatever a server calls a file or a commit.
fn inside(path: &str) -> Option<&Path> {
    let path = Path::new(path);
    let mut parts = path.components();
    parts
        .all(|part| matches!(part, std::path::Component::Normal(_)))
        .then_some(path)
}
