//! Requests through sockets, on the tokio runtime of whoever waits for them.

use std::error::Error;
use std::time::{Duration, SystemTime};

use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{Timestamp, Zoned};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};

use crate::transport::{Answer, Failure, Outgoing, Transport};

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// What is read of an answer; those that are understood are much shorter.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// HTTP by reqwest. TLS is rustls with ring and the system's certificates.
#[derive(Clone, Debug)]
pub struct Sockets(Client);

impl Sockets {
    /// Sockets; to be used within a tokio runtime.
    ///
    /// # Errors
    /// When the system's certificates cannot be had.
    pub fn new() -> Result<Self, Failure> {
        // Another part of the program may have chosen one already; that is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // A redirect would take the key and lose the body.
        let built = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(concat!("ckptscope-wandb/", env!("CARGO_PKG_VERSION")))
            .build();
        built
            .map(Self)
            .map_err(|error| Failure::Impossible(reason(error)))
    }

    async fn exchange(&self, request: Outgoing<'_>) -> Result<Answer, Failure> {
        let broken = |error| Failure::Broken(reason(error));
        let url = address(request)?;
        let mut authorization = HeaderValue::from_str(&request.key.authorization())
            .map_err(|error| Failure::Impossible(error.to_string()))?;
        authorization.set_sensitive(true);
        let builder = self
            .0
            .post(url)
            .header(AUTHORIZATION, authorization)
            .header(CONTENT_TYPE, "application/json")
            .timeout(request.within)
            .body(request.body.to_owned());
        let mut response = builder.send().await.map_err(broken)?;
        let (status, headers) = (response.status().as_u16(), response.headers());
        let retry_after = retry_after(headers, SystemTime::now());
        let mut bytes = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(broken)? {
            let room = MAX_ANSWER_BYTES - bytes.len();
            bytes.extend_from_slice(piece.get(..room).unwrap_or(&piece));
            if bytes.len() == MAX_ANSWER_BYTES {
                break;
            }
        }
        Ok(Answer {
            status,
            retry_after,
            body: String::from_utf8_lossy(&bytes).into_owned(),
        })
    }
}

impl Transport for Sockets {
    async fn post(&self, request: Outgoing<'_>) -> Result<Answer, Failure> {
        self.exchange(request).await
    }
}

fn address(request: Outgoing<'_>) -> Result<Url, Failure> {
    let impossible = |reason: String| Failure::Impossible(reason);
    let mut url =
        Url::parse(request.base_url).map_err(|error| impossible(format!("no address: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(impossible("no address of http or https".to_owned()));
    }
    url.path_segments_mut()
        .map_err(|()| impossible("no address of a server".to_owned()))?
        .pop_if_empty()
        .extend(request.path);
    Ok(url)
}

/// `Retry-After` in seconds or as a date.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date: Zoned = DateTimeParser::new().parse_zoned(value).ok()?;
    let now = Timestamp::try_from(now).ok()?;
    let wait = date.timestamp().duration_since(now);
    // A date that is past is now.
    Some(Duration::try_from(wait).unwrap_or_default())
}

/// The reason with its causes, and without the address: that is told already.
fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::{address, retry_after};
    use crate::key::Key;
    use crate::transport::Outgoing;
    use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
    use std::time::{Duration, UNIX_EPOCH};

    fn wait(value: &'static str) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
        let now = UNIX_EPOCH + Duration::from_secs(784_111_770);
        retry_after(&headers, now).map(|wait| wait.as_secs())
    }

    #[test]
    fn a_server_says_when_in_seconds_or_by_a_date() {
        assert_eq!(wait("12"), Some(12));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT"), Some(7));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:00 GMT"), Some(0));
        assert_eq!(wait("soon"), None);
    }

    #[test]
    fn names_cannot_leave_their_place_in_an_address() {
        let key = Key::new("k").unwrap();
        let of = |base_url| {
            let path = &["files", "a/b?c", "..", "run"];
            let request = Outgoing {
                base_url,
                path,
                key: &key,
                body: "",
                within: Duration::ZERO,
            };
            address(request).map(|url| url.to_string())
        };
        let under = of("https://host/below/").unwrap();
        assert!(under.starts_with("https://host/below/files/a%2Fb%3Fc/"));
        assert!(under.ends_with("/run"));
        assert!(of("host").is_err());
        assert!(of("ftp://host").is_err());
    }
}
