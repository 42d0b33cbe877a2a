//! How one request is sent, which is a matter of the platform.

use std::error::Error;

use futures_core::future::LocalBoxFuture;

use super::header::Headers;
use super::url::Url;

/// Why a request came to nothing, as the platform says it.
pub type Failure = Box<dyn Error + Send + Sync>;

/// Sends requests: through sockets, or through a browser's `fetch`.
pub trait Transport {
    /// Sends a GET request and waits for the answer's headers. Dropping the future, or the
    /// response, ends the request.
    fn send<'a>(
        &'a self,
        request: &'a Outgoing<'_>,
    ) -> LocalBoxFuture<'a, Result<Response, Failure>>;
}

/// A GET request. It is not shown anywhere: its headers may hold a token.
pub struct Outgoing<'a> {
    /// Where it goes.
    pub url: &'a Url,
    /// Names and values.
    pub headers: Vec<(&'static str, String)>,
}

/// An answer whose body has not been read.
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Where it came from.
    pub url: Url,
    /// How many redirects were followed on the way, as far as can be told.
    pub redirects: u64,
    /// What it says.
    pub headers: Headers,
    /// What follows.
    pub body: Box<dyn Body>,
}

/// A body that comes in pieces.
pub trait Body {
    /// Adds the next piece; false where there is none.
    fn read_piece<'a>(
        &'a mut self,
        to: &'a mut Vec<u8>,
    ) -> LocalBoxFuture<'a, Result<bool, Failure>>;
}
