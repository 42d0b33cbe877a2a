//! What can go wrong between here and a server. Addresses are shown without their queries, which
//! may be signatures.

use super::advice::SET_TOKEN;
use super::transport::Failure;
use super::url::Url;

/// A request that came to nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // the messages say what the variants and fields are
pub enum HttpError {
    #[error("this is not an http or https address: {address}")]
    BadAddress { address: String },
    #[error("no client for HTTP could be made: {reason}")]
    NoClient { reason: String, source: Failure },
    #[error("{host} cannot be reached: {reason}")]
    Unreachable {
        host: String,
        reason: String,
        source: Failure,
    },
    #[error("the connection to {host} broke off: {reason}")]
    BrokeOff {
        host: String,
        reason: String,
        source: Failure,
    },
    #[error("{host} sent nothing for {seconds} seconds")]
    Stalled { host: String, seconds: u64 },
    #[error("{host} answered with status {status}{}", detail(code.as_deref(), message.as_deref()))]
    Status {
        host: String,
        status: u16,
        /// `X-Error-Code`, where the Hub says one.
        code: Option<String>,
        /// `X-Error-Message`, where the Hub says one.
        message: Option<String>,
    },
    #[error(
        "{host} gives it to those who accepted its terms: accept them on the repository's page, \
         and {SET_TOKEN} a token of that account"
    )]
    Gated { host: String },
    #[error(
        "{host} does not give it to everybody (status {status}): {SET_TOKEN} a token that may \
         read it"
    )]
    Forbidden { host: String, status: u16 },
    #[error(
        "{host} allows no more requests for now (status 429), in spite of waiting; try again in \
         five minutes"
    )]
    RateLimited { host: String },
    #[error("{host} redirects without end")]
    TooManyRedirects { host: String },
    #[error(
        "{host} ignores ranges: it would send all {bytes} bytes for a part of them; download the \
         file and open it here"
    )]
    NoRanges { host: String, bytes: u64 },
    #[error("{host} does not say how long the file is")]
    NoLength { host: String },
    #[error("{host} sent other bytes than those asked for")]
    OtherBytes { host: String },
    #[error("{host} sent {got} bytes where {wanted} were asked for")]
    Short { host: String, got: u64, wanted: u64 },
    #[error("the file at {host} has changed since it was first looked at; start again")]
    Changed { host: String },
}

fn detail(code: Option<&str>, message: Option<&str>) -> String {
    match (code, message) {
        (None, None) => String::new(),
        (Some(text), None) | (None, Some(text)) => format!(" ({text})"),
        (Some(code), Some(message)) => format!(" ({code}: {message})"),
    }
}

impl HttpError {
    pub(super) fn unreachable(url: &Url, source: Failure) -> Self {
        Self::Unreachable {
            host: host_of(url),
            reason: reason_of(&source),
            source,
        }
    }

    pub(super) fn broke_off(url: &Url, source: Failure) -> Self {
        Self::BrokeOff {
            host: host_of(url),
            reason: reason_of(&source),
            source,
        }
    }
}

/// What messages call a server.
pub(super) fn host_of(url: &Url) -> String {
    url.host().to_owned()
}

/// The deepest of a failure's causes.
pub(super) fn reason_of(failure: &Failure) -> String {
    let mut deepest: &dyn std::error::Error = failure.as_ref();
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
