//! Requests through sockets.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Response};

use super::client::HttpClient;
use super::error::{HttpError, host_of, reason_of};

/// A client that leaves redirects to whoever asks: their headers say what later answers do not.
pub(super) fn client() -> Result<Client, HttpError> {
    // Another part of the program may have chosen one already; that is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let agent = concat!("trainscope/", env!("CARGO_PKG_VERSION"));
    let built = Client::builder()
        .redirect(Policy::none())
        .user_agent(agent)
        .build();
    built.map_err(|error| HttpError::NoClient {
        reason: reason_of(&error),
        source: error.without_url(),
    })
}

/// The body, piece by piece, so that one that stalls is noticed soon; none when it is longer than
/// `limit`, of which no more is read then.
pub(super) async fn body(
    client: &HttpClient,
    mut response: Response,
    limit: u64,
    received: &AtomicU64,
) -> Result<Option<Vec<u8>>, HttpError> {
    let url = response.url().clone();
    let mut body = Vec::new();
    loop {
        let piece = client
            .within(Duration::ZERO, &url, response.chunk())
            .await?;
        let piece = piece.map_err(|error| HttpError::BrokeOff {
            host: host_of(&url),
            reason: reason_of(&error),
            source: error.without_url(),
        })?;
        let Some(piece) = piece else {
            return Ok(Some(body));
        };
        received.fetch_add(piece.len() as u64, Ordering::Relaxed);
        if (body.len() + piece.len()) as u64 > limit {
            return Ok(None);
        }
        body.extend_from_slice(&piece);
    }
}
