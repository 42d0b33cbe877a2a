//! A single file at any address as a [`Tree`].

use std::rc::Rc;
use std::sync::Arc;

use futures_core::future::LocalBoxFuture;

use super::client::{HttpClient, Traffic};
use super::error::HttpError;
use super::file::{RemoteFile, Whereabouts};
use super::source::HttpSource;
use super::url::{Url, decoded};
use crate::error::ReadError;
use crate::source::Source;
use crate::tree::{FileEntry, Tree, entry_of};

/// A file at a server, called by the last segment of its address.
#[derive(Debug)]
pub struct HttpTree {
    client: Arc<HttpClient>,
    address: Url,
    entries: Vec<FileEntry>,
    source: Rc<HttpSource>,
}

impl HttpTree {
    /// Opens the file; one request says whether the server allows ranges, and how long the file
    /// is.
    ///
    /// # Errors
    /// [`HttpError`] when it cannot be had, or not by ranges.
    pub async fn open(client: &Arc<HttpClient>, address: &Url) -> Result<Self, HttpError> {
        let source = HttpSource::open(client, address.as_str()).await?;
        Ok(Self::of(client, address, source))
    }

    /// The file that [`HttpTree::open`] found so long before; asks nobody.
    #[must_use]
    pub fn known(client: &Arc<HttpClient>, address: &Url, bytes: u64) -> Self {
        let whereabouts = Whereabouts {
            name: address.without_query().to_owned(),
            bytes,
            address: address.clone(),
            token: None,
            tag: None,
        };
        let file = RemoteFile::new(Arc::clone(client), whereabouts);
        Self::of(client, address, HttpSource::of(Arc::new(file)))
    }

    fn of(client: &Arc<HttpClient>, address: &Url, source: HttpSource) -> Self {
        let last = address.path().rsplit('/').next().unwrap_or_default();
        let entry = FileEntry {
            path: decoded(last),
            bytes: source.bytes(),
        };
        Self {
            client: Arc::clone(client),
            address: address.clone(),
            entries: vec![entry],
            source: Rc::new(source),
        }
    }

    /// Length of the file in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.source.bytes()
    }

    /// What went over the network so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.client.traffic()
    }
}

impl Tree for HttpTree {
    fn name(&self) -> &str {
        self.address.without_query()
    }

    fn files(&self) -> &[FileEntry] {
        &self.entries
    }

    fn is_one_file(&self) -> bool {
        true
    }

    fn open<'a>(&'a self, path: &'a str) -> LocalBoxFuture<'a, Result<Rc<dyn Source>, ReadError>> {
        Box::pin(async move {
            entry_of(self, path)?;
            Ok(Rc::clone(&self.source) as Rc<dyn Source>)
        })
    }
}
