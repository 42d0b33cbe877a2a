//! A file at a server as a [`Source`].

use std::pin::pin;
use std::sync::Arc;

use futures_channel::oneshot;
use futures_core::future::LocalBoxFuture;
use futures_util::future::{Either, select};

use super::client::{Answer, HttpClient, REDIRECT_LIMIT, Request};
use super::error::{HttpError, host_of};
use super::file::{RemoteFile, Whereabouts};
use super::header;
use super::url::Url;
use crate::error::ReadError;
use crate::source::{Source, Started, checked_length, window_bytes};

/// What comes along when a server is asked about a file of unknown length.
const HEAD_BYTES: u64 = 16 * 1024;

/// A file at a server, read by ranges.
#[derive(Clone, Debug)]
pub struct HttpSource {
    file: Arc<RemoteFile>,
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
        let file = RemoteFile::new(Arc::clone(client), whereabouts);
        file.keep(0, &head);
        Ok(Self::of(Arc::new(file)))
    }

    pub(crate) const fn of(file: Arc<RemoteFile>) -> Self {
        Self { file }
    }

    async fn read(&self, offset: u64, length: u64) -> Result<Vec<u8>, ReadError> {
        checked_length(self, offset, length)?;
        let read = self.file.read(offset, length).await;
        read.map_err(|error| self.failure(offset, length, error))
    }

    /// Whoever looks at the beginning gets the whole window there, in which the directory is.
    async fn read_and_keep(&self, offset: u64, length: u64) -> Result<Vec<u8>, ReadError> {
        let wanted = checked_length(self, offset, length)?;
        let window = if offset == 0 {
            length.max(window_bytes(self.bytes()))
        } else {
            length
        };
        let read = self.file.read_and_keep(offset, window).await;
        let mut bytes = read.map_err(|error| self.failure(offset, window, error))?;
        bytes.truncate(wanted);
        Ok(bytes)
    }

    fn failure(&self, offset: u64, length: u64, error: HttpError) -> ReadError {
        ReadError::Transport {
            path: self.name().to_owned(),
            offset,
            length,
            source: Box::new(error),
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
        Box::pin(self.read(offset, length))
    }

    fn is_far(&self) -> bool {
        true
    }

    fn read_directory(
        &self,
        offset: u64,
        length: u64,
    ) -> LocalBoxFuture<'_, Result<Vec<u8>, ReadError>> {
        Box::pin(self.read_and_keep(offset, length))
    }

    fn start_read(&self, offset: u64, length: u64) -> Option<Started> {
        let spawner = self.file.spawner()?;
        checked_length(self, offset, length).ok()?;
        if self.file.is_here(offset, length) {
            return None;
        }
        let (mut teller, told) = oneshot::channel();
        let source = self.clone();
        spawner.spawn(Box::new(move || {
            Box::pin(async move {
                let read = pin!(source.read(offset, length));
                // Whoever drops the answer's future has ended the read.
                let read = match select(read, teller.cancellation()).await {
                    Either::Left((read, _)) => read,
                    Either::Right(_) => return,
                };
                let _ = teller.send(read);
            })
        }));
        let source = self.clone();
        Some(Box::pin(async move {
            match told.await {
                Ok(read) => read,
                // The task was never run to its end: it is read here.
                Err(oneshot::Canceled) => source.read(offset, length).await,
            }
        }))
    }
}

/// A file's length and first bytes, by one request where the server does not redirect.
async fn first_bytes(client: &HttpClient, address: Url) -> Result<(u64, Vec<u8>), HttpError> {
    let mut url = address;
    for _ in 0..REDIRECT_LIMIT {
        let request = Request {
            url,
            token: None,
            range: Some((0, HEAD_BYTES)),
            limit: HEAD_BYTES,
        };
        let answer = client.send(&request).await?;
        match answer.redirect()? {
            Some(target) => url = target,
            None => return length_and_head(client, answer).await,
        }
    }
    let host = host_of(&url);
    Err(HttpError::TooManyRedirects { host })
}

/// What an answer to a request for the first bytes says of the file.
async fn length_and_head(client: &HttpClient, answer: Answer) -> Result<(u64, Vec<u8>), HttpError> {
    let host = host_of(&answer.url);
    match (answer.status, answer.body) {
        (206, Some(head)) => {
            let total = header::content_range(&answer.headers).and_then(|(_, total)| total);
            let total = match total {
                Some(total) => total,
                None => stated_length(client, answer.url).await?,
            };
            Ok((total, head))
        }
        (200, Some(whole)) => Ok((whole.len() as u64, whole)),
        (200, None) => {
            let stated = header::text(&answer.headers, "content-length");
            let bytes = stated.and_then(|text| text.parse().ok());
            let bytes = bytes.ok_or(HttpError::NoLength { host: host.clone() })?;
            Err(HttpError::NoRanges { host, bytes })
        }
        (status, _) => Err(HttpError::Status {
            host,
            status,
            code: None,
            message: None,
        }),
    }
}

/// A file's length as the server says it of the whole, which is not read. In a browser that header
/// can be read where `Content-Range` cannot.
async fn stated_length(client: &HttpClient, url: Url) -> Result<u64, HttpError> {
    let request = Request {
        url,
        token: None,
        range: None,
        limit: 0,
    };
    let answer = client.send(&request).await?;
    let stated = header::text(&answer.headers, "content-length");
    let stated = stated.filter(|_| answer.status == 200);
    let host = host_of(&answer.url);
    let bytes = stated.and_then(|text| text.parse().ok());
    bytes.ok_or(HttpError::NoLength { host })
}
