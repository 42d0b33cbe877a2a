//! One file at a server: where it is for now, and whether it is still the same.
//!
//! A hub redirects to a signed address. All threads use that address until a minute before it
//! expires, so the redirect is followed once.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::client::{Answer, HttpClient, REDIRECT_LIMIT, Request};
use super::error::{HttpError, host_of};
use super::header;
use super::kept::Kept;
use super::spawn::Spawn;
use super::token::Token;
use super::url::Url;

/// A file that is sent whole though a part was asked for is taken up to this length.
const WHOLE_LIMIT_BYTES: u64 = 1024 * 1024;

/// A signed address is not used any more when it is good for less than this.
const MARGIN_SECONDS: u64 = 60;

/// An address that does not say how long it is good for is used for so long.
const UNSIGNED_SECONDS: u64 = 300;

/// What is known of a file before it is read.
#[derive(Debug)]
pub(crate) struct Whereabouts {
    /// What messages call it.
    pub(crate) name: String,
    /// Its length.
    pub(crate) bytes: u64,
    /// Where it is asked for; a redirect says where it is.
    pub(crate) address: Url,
    /// Sent to the address's origin, and nowhere else.
    pub(crate) token: Option<Token>,
    /// What its linked entity tag must be, where that is known.
    pub(crate) tag: Option<String>,
}

/// A file at a server, shared by all who read it.
#[derive(Debug)]
pub(crate) struct RemoteFile {
    pub(crate) whereabouts: Whereabouts,
    client: Arc<HttpClient>,
    direct: Mutex<Option<Direct>>,
    /// The entity tag that a host gave it first.
    seen: Mutex<Option<(String, String)>>,
    /// What was fetched of its directory.
    kept: Mutex<Kept>,
}

/// Where a redirect led.
#[derive(Clone, Debug)]
struct Direct {
    url: Url,
    until_unix_seconds: u64,
}

impl RemoteFile {
    pub(crate) fn new(client: Arc<HttpClient>, whereabouts: Whereabouts) -> Self {
        Self {
            whereabouts,
            client,
            direct: Mutex::default(),
            seen: Mutex::default(),
            kept: Mutex::default(),
        }
    }

    /// Who reads on while others compute, where somebody does.
    pub(super) fn spawner(&self) -> Option<&Arc<dyn Spawn + Send + Sync>> {
        self.client.spawner()
    }

    /// Whether no request is needed for a range.
    pub(super) fn is_here(&self, offset: u64, length: u64) -> bool {
        locked(&self.kept)
            .missing(offset..offset + length)
            .is_empty()
    }

    /// Exactly `length` bytes from `offset`, which lie inside the file. What is here of their
    /// beginning and end is not fetched again.
    pub(super) async fn read(&self, offset: u64, length: u64) -> Result<Vec<u8>, HttpError> {
        let missing = locked(&self.kept).missing(offset..offset + length);
        let fetched = self.fetch_any(&missing).await?;
        Ok(self.joined(offset, length, missing.start, fetched))
    }

    /// The same, and what is fetched is kept for those who read it later, if there is room.
    pub(super) async fn read_and_keep(
        &self,
        offset: u64,
        length: u64,
    ) -> Result<Vec<u8>, HttpError> {
        let missing = locked(&self.kept).missing(offset..offset + length);
        let fetched = self.fetch_any(&missing).await?;
        self.keep(missing.start, &fetched);
        Ok(self.joined(offset, length, missing.start, fetched))
    }

    /// Keeps a part of the file, if there is room.
    pub(super) fn keep(&self, offset: u64, bytes: &[u8]) {
        if !bytes.is_empty() && self.client.may_keep(bytes.len() as u64) {
            locked(&self.kept).add(offset, bytes.to_vec());
        }
    }

    /// A range of which `fetched`, from `start` on, was not here.
    fn joined(&self, offset: u64, length: u64, start: u64, fetched: Vec<u8>) -> Vec<u8> {
        if fetched.len() as u64 == length {
            return fetched;
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        locked(&self.kept).fill(offset, &mut bytes);
        let before = usize::try_from(start - offset).unwrap_or(usize::MAX);
        let own = bytes.get_mut(before..).unwrap_or_default();
        if let Some(own) = own.get_mut(..fetched.len()) {
            own.copy_from_slice(&fetched);
        }
        bytes
    }

    async fn fetch_any(&self, range: &Range<u64>) -> Result<Vec<u8>, HttpError> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        self.fetch(range.start, range.end - range.start).await
    }

    /// Exactly `length` bytes from `offset`; both lie inside the file, and the length is not 0.
    async fn fetch(&self, offset: u64, length: u64) -> Result<Vec<u8>, HttpError> {
        if let Some(url) = self.direct_address() {
            let request = self.request(url, offset, length);
            if let Ok(answer) = self.client.send_once(&request).await
                && matches!(answer.status, 200 | 206 | 416)
            {
                return self.content(answer, offset, length);
            }
            // A signature that expired before its time, as a rule. A browser that may not read the
            // refusal cannot tell it from a host that is not there.
            *locked(&self.direct) = None;
        }
        let answer = self
            .ask(self.whereabouts.address.clone(), offset, length)
            .await?;
        self.content(answer, offset, length)
    }

    /// Asks for a range, and goes where the answer says.
    async fn ask(&self, from: Url, offset: u64, length: u64) -> Result<Answer, HttpError> {
        let mut url = from;
        for _ in 0..REDIRECT_LIMIT {
            let answer = self.client.send(&self.request(url, offset, length)).await?;
            self.check_link(&answer)?;
            match answer.redirect()? {
                Some(target) => url = target,
                None => {
                    self.remember(&answer);
                    return Ok(answer);
                }
            }
        }
        let host = host_of(&url);
        Err(HttpError::TooManyRedirects { host })
    }

    fn request(&self, url: Url, offset: u64, length: u64) -> Request<'_> {
        let is_own = url.origin() == self.whereabouts.address.origin();
        let token = self.whereabouts.token.as_ref().filter(|_| is_own);
        Request {
            url,
            token,
            range: Some((offset, length)),
            limit: length.max(WHOLE_LIMIT_BYTES),
        }
    }

    /// Where the file is by what was learnt before, while that is good.
    fn direct_address(&self) -> Option<Url> {
        let now = self.client.unix_seconds();
        let mut direct = locked(&self.direct);
        let good = direct
            .take()
            .filter(|direct| direct.until_unix_seconds > now);
        direct.clone_from(&good);
        good.map(|direct| direct.url)
    }

    fn remember(&self, answer: &Answer) {
        let is_redirected = answer.url != self.whereabouts.address;
        if !is_redirected || !matches!(answer.status, 200 | 206) {
            return;
        }
        let until = match header::expiry(&answer.url) {
            Some(expiry) => expiry.saturating_sub(MARGIN_SECONDS),
            None => self.client.unix_seconds() + UNSIGNED_SECONDS,
        };
        *locked(&self.direct) = Some(Direct {
            url: answer.url.clone(),
            until_unix_seconds: until,
        });
    }

    /// What the first answer says of the file that it links to must be what is known of it.
    fn check_link(&self, answer: &Answer) -> Result<(), HttpError> {
        let tag = header::entity_tag(&answer.headers, "x-linked-etag");
        let size = header::text(&answer.headers, "x-linked-size").map(str::parse::<u64>);
        let known = self.whereabouts.tag.as_ref();
        let other_tag = tag.zip(known).is_some_and(|(tag, known)| tag != *known);
        let other_size = size.is_some_and(|size| size != Ok(self.whereabouts.bytes));
        if other_tag || other_size {
            let host = host_of(&answer.url);
            return Err(HttpError::Changed { host });
        }
        Ok(())
    }

    /// The bytes asked for, out of an answer.
    fn content(&self, answer: Answer, offset: u64, length: u64) -> Result<Vec<u8>, HttpError> {
        let host = host_of(&answer.url);
        match answer.status {
            206 => {
                self.check_version(&answer)?;
                match header::content_range(&answer.headers) {
                    Some((start, _)) if start != offset => {
                        return Err(HttpError::OtherBytes { host });
                    }
                    Some((_, Some(total))) if total != self.whereabouts.bytes => {
                        return Err(HttpError::Changed { host });
                    }
                    _ => {}
                }
                let body = answer
                    .body
                    .ok_or(HttpError::OtherBytes { host: host.clone() })?;
                exactly(body, length, host)
            }
            200 => {
                self.check_version(&answer)?;
                let bytes = self.whereabouts.bytes;
                let body = answer.body.ok_or(HttpError::NoRanges {
                    host: host.clone(),
                    bytes,
                })?;
                if body.len() as u64 != bytes {
                    return Err(HttpError::Changed { host });
                }
                let from = usize::try_from(offset).unwrap_or(usize::MAX);
                let rest = body.get(from..).unwrap_or_default();
                let wanted = usize::try_from(length).unwrap_or(usize::MAX);
                exactly(rest.get(..wanted).unwrap_or(rest).to_vec(), length, host)
            }
            // The range begins behind the end: the file was longer.
            416 => Err(HttpError::Changed { host }),
            _ => Err(answer.failure()),
        }
    }

    /// A host's later answers must be of the file that its first one was of.
    fn check_version(&self, answer: &Answer) -> Result<(), HttpError> {
        let host = host_of(&answer.url);
        let Some(tag) = header::entity_tag(&answer.headers, "etag") else {
            return Ok(());
        };
        let mut seen = locked(&self.seen);
        match &*seen {
            Some((of, known)) if *of == host && *known != tag => Err(HttpError::Changed { host }),
            _ => {
                *seen = Some((host, tag));
                Ok(())
            }
        }
    }
}

fn exactly(body: Vec<u8>, length: u64, host: String) -> Result<Vec<u8>, HttpError> {
    let got = body.len() as u64;
    match got {
        _ if got == length => Ok(body),
        _ if got < length => Err(HttpError::Short {
            host,
            got,
            wanted: length,
        }),
        _ => Err(HttpError::OtherBytes { host }),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
