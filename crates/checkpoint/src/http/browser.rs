//! Requests through the browser's `fetch`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::{Client, Response};

use super::client::HttpClient;
use super::error::{HttpError, host_of, reason_of};

/// The slowest connection that a whole body is waited for.
const SLOWEST_BYTES_PER_SECOND: u64 = 100_000;

/// A client; the browser follows redirects by itself and drops the token where the origin changes.
pub(super) fn client() -> Result<Client, HttpError> {
    Ok(Client::new())
}

/// The body; none when it is longer than `limit`.
pub(super) async fn body(
    client: &HttpClient,
    response: Response,
    limit: u64,
    received: &AtomicU64,
) -> Result<Option<Vec<u8>>, HttpError> {
    let url = response.url().clone();
    // It comes whole or not at all, so that a stall shows only in how long it takes.
    let transfer = Duration::from_secs(limit / SLOWEST_BYTES_PER_SECOND);
    let body = client.within(transfer, &url, response.bytes()).await?;
    let body = body.map_err(|error| HttpError::BrokeOff {
        host: host_of(&url),
        reason: reason_of(&error),
        source: error.without_url(),
    })?;
    received.fetch_add(body.len() as u64, Ordering::Relaxed);
    Ok((body.len() as u64 <= limit).then(|| body.to_vec()))
}
