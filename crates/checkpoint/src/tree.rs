//! A set of files by path.

use std::collections::BTreeMap;
use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use crate::error::ReadError;
use crate::run::PassedOver;
use crate::source::{MemorySource, Source};

/// One file of a [`Tree`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// Path from the tree's root, separated by `/`.
    pub path: String,
    /// Length in bytes.
    pub bytes: u64,
}

/// A set of files: a folder, files dropped on a page, a Hub repository.
pub trait Tree {
    /// What messages call it.
    fn name(&self) -> &str;

    /// Where it lies: the name, but whole where people gave it as `.`, `..` or a link.
    fn place(&self) -> &str {
        self.name()
    }

    /// Every file, sorted by path.
    fn files(&self) -> &[FileEntry];

    /// One of the files, by its path. A tree whose files are listed little by little may have more
    /// of them than it began with.
    fn entry(&self, path: &str) -> Option<&FileEntry> {
        let files = self.files();
        let place = files.binary_search_by(|entry| entry.path.as_str().cmp(path));
        files.get(place.ok()?)
    }

    /// What was passed over while files were listed.
    fn passed_over(&self) -> &[PassedOver] {
        &[]
    }

    /// Whether somebody named one file, and not a folder that happens to have only one.
    fn is_one_file(&self) -> bool {
        false
    }

    /// What tells the content of a file from that of others, where that is known without reading
    /// it: files of one tag are the same.
    fn content_tag(&self, _path: &str) -> Option<String> {
        None
    }

    /// Opens one of them.
    ///
    /// # Errors
    /// [`ReadError`] when there is no such file or it cannot be opened.
    fn open<'a>(&'a self, path: &'a str) -> LocalBoxFuture<'a, Result<Rc<dyn Source>, ReadError>>;
}

/// The entry of `path` in a tree, or the error that there is none.
///
/// # Errors
/// [`ReadError::NoSuchFile`].
pub fn entry_of<'a>(tree: &'a dyn Tree, path: &str) -> Result<&'a FileEntry, ReadError> {
    let mut records = DOWNLOAD_RECORDS.iter();
    if records.any(|ending| tree.entry(&format!("{path}{ending}")).is_some()) {
        return Err(ReadError::HalfWritten {
            path: path.to_owned(),
        });
    }
    tree.entry(path).ok_or_else(|| ReadError::NoSuchFile {
        tree: tree.name().to_owned(),
        path: path.to_owned(),
    })
}

/// How the records end that downloaders (aria2, axel) keep beside a file that they have not
/// finished. It has its whole length from the beginning, and zeros where nothing came yet.
pub(crate) const DOWNLOAD_RECORDS: &[&str] = &[".aria2", ".st"];

/// A tree in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryTree {
    name: String,
    entries: Vec<FileEntry>,
    contents: BTreeMap<String, Rc<[u8]>>,
}

impl MemoryTree {
    /// A tree called `name` of (path, bytes) pairs; of a path that occurs twice, the last counts.
    pub fn new<Path, Bytes>(
        name: impl Into<String>,
        files: impl IntoIterator<Item = (Path, Bytes)>,
    ) -> Self
    where
        Path: Into<String>,
        Bytes: Into<Rc<[u8]>>,
    {
        let contents: BTreeMap<String, Rc<[u8]>> = files
            .into_iter()
            .map(|(path, bytes)| (path.into(), bytes.into()))
            .collect();
        let entries = contents
            .iter()
            .map(|(path, bytes)| FileEntry {
                path: path.clone(),
                bytes: bytes.len() as u64,
            })
            .collect();
        Self {
            name: name.into(),
            entries,
            contents,
        }
    }
}

impl Tree for MemoryTree {
    fn name(&self) -> &str {
        &self.name
    }

    fn files(&self) -> &[FileEntry] {
        &self.entries
    }

    fn open<'a>(&'a self, path: &'a str) -> LocalBoxFuture<'a, Result<Rc<dyn Source>, ReadError>> {
        Box::pin(async move {
            let entry = entry_of(self, path)?;
            let bytes = self.contents.get(path).cloned().unwrap_or_default();
            Ok(Rc::new(MemorySource::new(entry.path.clone(), bytes)) as Rc<dyn Source>)
        })
    }
}
