//! A set of files by path.

use std::collections::BTreeMap;
use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use crate::error::ReadError;
use crate::source::Source;

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

    /// Every file, sorted by path; symbolic links to folders are not followed.
    fn files(&self) -> &[FileEntry];

    /// Opens one of them.
    ///
    /// # Errors
    /// [`ReadError`] when there is no such file or it cannot be opened.
    fn open<'a>(&'a self, path: &'a str) -> LocalBoxFuture<'a, Result<Rc<dyn Source>, ReadError>>;
}

/// A tree in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryTree {
    name: String,
    entries: Vec<FileEntry>,
    contents: BTreeMap<String, Rc<[u8]>>,
}
