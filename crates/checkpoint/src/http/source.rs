//! A file at a server as a [`Source`].

use std::cell::RefCell;
use std::sync::Arc;

use futures_core::future::LocalBoxFuture;

use super::client::{HttpClient, Request};
use super::error::{HttpError, host_of};
use super::file::{RemoteFile, Whereabouts, part};
use super::header;
use super::url::Url;
use crate::error::ReadError;
use crate::source::{Source, checked_length};

/// Who reads the first bytes is after the directory, of which most or all comes along.
const HEAD_BYTES: u64 = 64 * 1024;

/// Only a read at the beginning that is shorter than this is one of a directory's.
const LOOK_BYTES: u64 = 64;

/// A file no longer than this comes whole: a head and a tail would be all of it.
const SMALL_FILE_BYTES: u64 = 2 * HEAD_BYTES;

/// A file at a server, read by ranges.
#[derive(Debug)]
pub struct HttpSource {
    file: Arc<RemoteFile>,
    /// The file's first bytes, once they were asked for.
    head: RefCell<Option<Vec<u8>>>,
}

impl HttpSource {
    /// Opens a file by its address; one request says whether the server allows ranges, and how
    /// long the file is.
    ///
    /// # Errors
    /// [`HttpError`] when it cannot be had, or not by ranges.
    pub async fn open(client: &Arc<HttpClient>, address: &str) -> Result<Self, HttpError> {
        let url = Url::parse(address).ok_or_else(|| HttpError::BadAddress {
            address: address.to_owned(),
        })?;
        let (bytes, head) = first_bytes(client, url.clone()).await?;
        let whereabouts = Whereabouts {
            name: url.without_query().to_owned(),
            bytes,
            address: url,
            token: None,
            tag: None,
        };
        let file = Arc::new(RemoteFile::new(Arc::clone(client), whereabouts));
        Ok(Self {
            file,
            head: RefCell::new(Some(head)),
        })
    }

    pub(crate) fn of(file: Arc<RemoteFile>) -> Self {
        Self {
            file,
            head: RefCell::default(),
        }
    }

    async fn read(&self, offset: u64, length: u64) -> Result<Vec<u8>, HttpError> {
        if let Some(bytes) = self.known(offset, length) {
            return Ok(bytes);
        }
        if offset > 0 || length > LOOK_BYTES {
            return self.file.read(offset, length).await;
        }
        let bytes = self.file.whereabouts.bytes;
        let head_bytes = if bytes <= SMALL_FILE_BYTES {
            bytes
        } else {
            HEAD_BYTES
        };
        let head = self.file.read(0, head_bytes).await?;
        self.file.keep(&head);
        self.head.replace(Some(head));
        Ok(self.known(offset, length).unwrap_or_default())
    }

    fn known(&self, offset: u64, length: u64) -> Option<Vec<u8>> {
        let kept = self.file.kept(offset, length);
        kept.or_else(|| part(self.head.borrow().as_deref()?, offset, length))
    }

    fn failure(&self, offset: u64, length: u64, error: HttpError) -> ReadError {
        let path = self.name().to_owned();
        match error {
            HttpError::Short { .. } => ReadError::Short {
                path,
                offset,
                length,
            },
            error => ReadError::Transport {
                path,
                offset,
                length,
                source: Box::new(error),
            },
        }
    }
}

impl Source for HttpSource {
    fn name(&self) -> &str {
        &self.file.whereabouts.name
    }

    fn bytes(&self) -> u64 {
        self.file.whereabouts.bytes
    }

    fn read_at(&self, offset: u64, length: u64) -> LocalBoxFuture<'_, Result<Vec<u8>, ReadError>> {
        Box::pin(async move {
            checked_length(self, offset, length)?;
            if length == 0 {
                return Ok(Vec::new());
            }
            let read = self.read(offset, length).await;
            read.map_err(|error| self.failure(offset, length, error))
        })
    }
}

/// A file's length and first bytes, by one request where the server does not redirect.
async fn first_bytes(client: &HttpClient, address: Url) -> Result<(u64, Vec<u8>), HttpError> {
    let mut url = address;
    loop {
        let answer = client
            .send(&Request {
                url,
                token: None,
                range: Some((0, HEAD_BYTES)),
                limit: HEAD_BYTES,
            })
            .await?;
        let host = host_of(&answer.url);
        let stated = header::text(&answer.headers, "content-length");
        let stated = stated.and_then(|text| text.parse().ok());
        let location = header::text(&answer.headers, "location");
        match (answer.status, answer.body) {
            (301 | 302 | 303 | 307 | 308, _) if location.is_some() => {
                let target = location.and_then(|location| answer.url.join(location));
                url = target.ok_or(HttpError::NoLength { host })?;
            }
            (206, Some(head)) => {
                let total = header::content_range(&answer.headers).and_then(|(_, total)| total);
                return Ok((total.ok_or(HttpError::NoLength { host })?, head));
            }
            (200, Some(whole)) => return Ok((whole.len() as u64, whole)),
            (200, None) => {
                let bytes = stated.ok_or(HttpError::NoLength { host: host.clone() })?;
                return Err(HttpError::NoRanges { host, bytes });
            }
            (status, _) => {
                return Err(HttpError::Status {
                    host,
                    status,
                    code: None,
                    message: None,
                });
            }
        }
    }
}
