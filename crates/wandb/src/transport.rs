//! Sending one request.

use std::future::Future;
use std::time::Duration;

use crate::key::Key;

/// Sends requests: [`crate::Sockets`], or a test's.
pub trait Transport {
    /// Posts JSON and reads the whole answer.
    ///
    /// # Errors
    /// [`Failure`] when no whole answer came; a status is an answer.
    fn post(&self, request: Outgoing<'_>) -> impl Future<Output = Result<Answer, Failure>>;
}

/// A request.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The server.
    pub base_url: &'a str,
    /// The parts of the path, as they are meant: not yet encoded.
    pub path: &'a [&'a str],
    /// Whose request it is.
    pub key: &'a Key,
    /// JSON.
    pub body: &'a str,
    /// How long it may take with its answer.
    pub within: Duration,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// How long the server wants no requests (`Retry-After`).
    pub retry_after: Option<Duration>,
    /// The beginning of the body, as text.
    pub body: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// Nobody there, or the connection broke. Another attempt may do better.
    #[error("{0}")]
    Broken(String),
    /// The request cannot be sent, whatever the server does.
    #[error("{0}")]
    Impossible(String),
}
