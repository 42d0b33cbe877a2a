//! Files below an address, of which somebody said which there are, as a [`Tree`].

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use ckptscope_vocabulary::sort::sort_by;
use futures_core::future::LocalBoxFuture;

use super::client::HttpClient;
use super::file::{RemoteFile, Whereabouts};
use super::source::HttpSource;
use super::token::Token;
use super::url::Url;
use crate::error::ReadError;
use crate::source::Source;
use crate::tree::{FileEntry, Tree, entry_of};

/// A folder at a server: each file is at the folder's address and its own path.
#[derive(Debug)]
pub struct FolderTree {
    client: Arc<HttpClient>,
    name: String,
    folder: Url,
    token: Option<Token>,
    entries: Vec<FileEntry>,
    /// What one reader keeps of a file's directory serves the next.
    opened: RefCell<BTreeMap<String, Rc<HttpSource>>>,
}

impl FolderTree {
    /// A folder called `name` with these files, (path, length); asks nobody. The token is sent to
    /// the folder's origin, and nowhere else.
    #[must_use]
    pub fn known(
        client: &Arc<HttpClient>,
        name: &str,
        folder: Url,
        token: Option<Token>,
        files: impl IntoIterator<Item = (String, u64)>,
    ) -> Self {
        let files = files.into_iter();
        let mut entries: Vec<FileEntry> = files
            .map(|(path, bytes)| FileEntry { path, bytes })
            .collect();
        sort_by(&mut entries, |one, other| one.path.cmp(&other.path));
        entries.dedup_by(|one, other| one.path == other.path);
        Self {
            client: Arc::clone(client),
            name: name.to_owned(),
            folder,
            token,
            entries,
            opened: RefCell::default(),
        }
    }

    fn source(&self, entry: &FileEntry) -> Rc<HttpSource> {
        let mut opened = self.opened.borrow_mut();
        let source = opened.entry(entry.path.clone()).or_insert_with(|| {
            let whereabouts = Whereabouts {
                name: entry.path.clone(),
                bytes: entry.bytes,
                address: self.folder.child(entry.path.split('/')),
                token: self.token.clone(),
                tag: None,
            };
            let file = RemoteFile::new(Arc::clone(&self.client), whereabouts);
            Rc::new(HttpSource::of(Arc::new(file)))
        });
        Rc::clone(source)
    }
}

impl Tree for FolderTree {
    fn name(&self) -> &str {
        &self.name
    }

    fn files(&self) -> &[FileEntry] {
        &self.entries
    }

    fn open<'a>(&'a self, path: &'a str) -> LocalBoxFuture<'a, Result<Rc<dyn Source>, ReadError>> {
        Box::pin(async move {
            let entry = entry_of(self, path)?;
            Ok(self.source(entry) as Rc<dyn Source>)
        })
    }
}
