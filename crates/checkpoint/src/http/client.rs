//! Sending requests: how many at once, how long to wait, when to try again.
//!
//! A semaphore holds requests to [`REQUESTS_AT_ONCE`], however many lanes wait. In the page the web
//! workers share that number out among themselves.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_lock::Semaphore;
use futures_util::future::{Either, select};

use super::clock::{Clock, Waiting};
use super::error::{HttpError, host_of};
use super::header::{self, Headers};
use super::spawn::Spawn;
use super::token::Token;
use super::transport::{Body, Outgoing, Transport};
use super::url::Url;

/// So many requests are under way at once, at most.
pub const REQUESTS_AT_ONCE: usize = 8;

/// More redirects in a row are refused.
pub(super) const REDIRECT_LIMIT: usize = 5;

/// How long to wait for a server.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// An answer that does not go on for so long has stalled.
    pub stall: Duration,
    /// A request is sent so often before its failure counts.
    pub attempts: u32,
    /// The first pause between two of them; each next one is twice as long.
    pub first_pause: Duration,
    /// The first pause where a server allows no more requests and does not say for how long.
    pub first_rate_limit_pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            stall: Duration::from_secs(30),
            attempts: 5,
            first_pause: Duration::from_millis(500),
            first_rate_limit_pause: Duration::from_secs(20),
        }
    }
}

/// What was fetched of directories is kept up to this together, so that nobody fetches it twice.
const KEPT_LIMIT_BYTES: u64 = 64 * 1024 * 1024;

/// A server that asks for a longer wait than this is not waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(330);

/// What went over the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Requests sent, those that were tried again counted each time.
    pub requests: u64,
    /// Bytes of bodies received.
    pub bytes: u64,
}

/// Sends requests, and tries again what may pass: broken connections, stalls, 5xx, 429.
pub struct HttpClient {
    transport: Arc<dyn Transport + Send + Sync>,
    clock: Arc<dyn Clock + Send + Sync>,
    spawner: Option<Arc<dyn Spawn + Send + Sync>>,
    patience: Patience,
    places: Semaphore,
    requests: AtomicU64,
    bytes: AtomicU64,
    /// Bytes of files that are kept.
    kept_bytes: AtomicU64,
}

/// One request.
pub(crate) struct Request<'a> {
    pub(crate) url: Url,
    pub(crate) token: Option<&'a Token>,
    /// Offset and length; the length is not 0.
    pub(crate) range: Option<(u64, u64)>,
    /// A longer body is not read.
    pub(crate) limit: u64,
}

/// A server's answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Where it came from, after redirects that the browser followed.
    pub(crate) url: Url,
    pub(crate) headers: Headers,
    /// None where it was longer than wanted, and for redirects.
    pub(crate) body: Option<Vec<u8>>,
}

impl HttpClient {
    /// A client that sends through `transport` and takes its time from `clock`.
    pub fn over(
        transport: Arc<dyn Transport + Send + Sync>,
        clock: Arc<dyn Clock + Send + Sync>,
        patience: Patience,
    ) -> Self {
        Self {
            transport,
            clock,
            spawner: None,
            patience,
            places: Semaphore::new(REQUESTS_AT_ONCE),
            requests: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            kept_bytes: AtomicU64::new(0),
        }
    }

    /// The same with so many requests under way at once, where others share the server.
    #[must_use]
    pub fn with_requests_at_once(self, most: usize) -> Self {
        Self {
            places: Semaphore::new(most.clamp(1, REQUESTS_AT_ONCE)),
            ..self
        }
    }

    /// The same, whose reads can be started before anybody waits for them.
    #[must_use]
    pub fn with_spawner(self, spawner: Arc<dyn Spawn + Send + Sync>) -> Self {
        let spawner = Some(spawner);
        Self { spawner, ..self }
    }

    pub(super) const fn spawner(&self) -> Option<&Arc<dyn Spawn + Send + Sync>> {
        self.spawner.as_ref()
    }

    /// What went over the network so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        Traffic {
            requests: self.requests.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }

    pub(super) fn unix_seconds(&self) -> u64 {
        self.clock.unix_seconds()
    }

    /// Whether there is room to keep so many bytes more, which are taken then.
    pub(super) fn may_keep(&self, bytes: u64) -> bool {
        let add = |kept: u64| {
            let kept = kept.saturating_add(bytes);
            (kept <= KEPT_LIMIT_BYTES).then_some(kept)
        };
        let (after, before) = (Ordering::Relaxed, Ordering::Relaxed);
        self.kept_bytes.try_update(after, before, add).is_ok()
    }

    /// Sends a request until there is an answer that says something: a failure that does not pass
    /// is the error, any status but 429 and 5xx is an answer.
    pub(crate) async fn send(&self, request: &Request<'_>) -> Result<Answer, HttpError> {
        let mut attempt = 1;
        loop {
            let place = self.places.acquire().await;
            let outcome = self.attempt(request).await;
            drop(place);
            let pause = self.pause_after(&outcome, attempt);
            match pause.filter(|_| attempt < self.patience.attempts) {
                Some((duration, waiting)) => self.clock.wait(duration, waiting).await,
                None => return outcome.and_then(Answer::checked),
            }
            attempt += 1;
        }
    }

    /// Sends a request once, where there is another way if it fails.
    pub(super) async fn send_once(&self, request: &Request<'_>) -> Result<Answer, HttpError> {
        let _place = self.places.acquire().await;
        self.attempt(request).await.and_then(Answer::checked)
    }

    async fn attempt(&self, request: &Request<'_>) -> Result<Answer, HttpError> {
        let outgoing = request.outgoing();
        self.requests.fetch_add(1, Ordering::Relaxed);
        let sent = self.within(&request.url, self.transport.send(&outgoing));
        let response = sent
            .await?
            .map_err(|source| HttpError::unreachable(&request.url, source))?;
        self.requests
            .fetch_add(response.redirects, Ordering::Relaxed);
        let length = response.headers.number("content-length");
        let is_wanted = length.is_none_or(|length| length <= request.limit);
        let body = if (300..400).contains(&response.status) || !is_wanted {
            // Dropping it closes the connection, and the rest is never sent.
            None
        } else {
            self.read(response.body, &response.url, request.limit)
                .await?
        };
        Ok(Answer {
            status: response.status,
            url: response.url,
            headers: response.headers,
            body,
        })
    }

    /// The body, piece by piece, so that one that stalls is noticed soon; none when it is longer
    /// than `limit`, of which no more is read then.
    async fn read(
        &self,
        mut body: Box<dyn Body>,
        url: &Url,
        limit: u64,
    ) -> Result<Option<Vec<u8>>, HttpError> {
        let mut read = Vec::new();
        loop {
            let before = read.len();
            let piece = self.within(url, body.read_piece(&mut read)).await?;
            let goes_on = piece.map_err(|source| HttpError::broke_off(url, source))?;
            let bytes = (read.len() - before) as u64;
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
            if read.len() as u64 > limit {
                return Ok(None);
            }
            if !goes_on {
                return Ok(Some(read));
            }
        }
    }

    /// How long to wait before the next attempt, where there should be one.
    fn pause_after(
        &self,
        outcome: &Result<Answer, HttpError>,
        attempt: u32,
    ) -> Option<(Duration, Waiting)> {
        let growth = 1 << attempt.saturating_sub(1).min(10);
        let retry = (self.patience.first_pause * growth, Waiting::BeforeRetry);
        match outcome {
            Ok(answer) if answer.status == 429 => {
                let told = header::seconds_to_wait(&answer.headers);
                let pause = told.map_or(self.patience.first_rate_limit_pause * growth, |seconds| {
                    Duration::from_secs(seconds.saturating_add(1))
                });
                (pause <= LONGEST_WAIT).then_some((pause, Waiting::ForRateLimit))
            }
            Ok(answer) => matches!(answer.status, 408 | 500..=599).then_some(retry),
            Err(
                HttpError::Unreachable { .. }
                | HttpError::BrokeOff { .. }
                | HttpError::Stalled { .. },
            ) => Some(retry),
            Err(_) => None,
        }
    }

    /// What `future` comes to, unless it takes longer than a stall.
    async fn within<F: Future>(&self, url: &Url, future: F) -> Result<F::Output, HttpError> {
        let stall = self.patience.stall;
        let timer = self.clock.wait(stall, Waiting::ForAnswer);
        match select(pin!(future), timer).await {
            Either::Left((output, _)) => Ok(output),
            Either::Right(_) => Err(HttpError::Stalled {
                host: host_of(url),
                seconds: stall.as_secs(),
            }),
        }
    }
}

impl Request<'_> {
    fn outgoing(&self) -> Outgoing<'_> {
        let mut headers = Vec::new();
        if let Some((offset, length)) = self.range {
            let last = offset.saturating_add(length).saturating_sub(1);
            headers.push(("range", format!("bytes={offset}-{last}")));
        }
        if let Some(token) = self.token {
            headers.push(("authorization", format!("Bearer {}", token.secret())));
        }
        Outgoing {
            url: &self.url,
            headers,
        }
    }
}

impl Answer {
    /// The answer, unless the server had to be given up.
    fn checked(self) -> Result<Self, HttpError> {
        match self.status {
            429 => Err(HttpError::RateLimited {
                host: host_of(&self.url),
            }),
            408 | 500..=599 => Err(self.failure()),
            _ => Ok(self),
        }
    }

    /// Where a redirect leads; none where the answer is no redirect.
    ///
    /// # Errors
    /// A redirect that does not say where.
    pub(super) fn redirect(&self) -> Result<Option<Url>, HttpError> {
        if !matches!(self.status, 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        let location = header::text(&self.headers, "location");
        let target = location.and_then(|location| self.url.join(location));
        target.map(Some).ok_or_else(|| self.failure())
    }

    /// A status that was not hoped for, as an error.
    pub(crate) fn failure(&self) -> HttpError {
        let said = |name| header::text(&self.headers, name).map(str::to_owned);
        let (host, status) = (host_of(&self.url), self.status);
        match (said("x-error-code"), status) {
            (Some(code), _) if code == "GatedRepo" => HttpError::Gated { host },
            (_, 401 | 403) => HttpError::Forbidden { host, status },
            (code, _) => HttpError::Status {
                host,
                status,
                code,
                message: said("x-error-message"),
            },
        }
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpClient({:?})", self.traffic())
    }
}
