//! Requests through sockets.
//!
//! reqwest needs a reactor, which its caller has: the worker owns a tokio runtime. TLS is rustls
//! with ring, which a C compiler builds without cmake.

use std::sync::Arc;

use futures_core::future::LocalBoxFuture;
use reqwest::redirect::Policy;
use reqwest::{Client, Url as Target};

use super::client::{HttpClient, Patience};
use super::clock::Clock;
use super::error::{HttpError, reason_of};
use super::header::Headers;
use super::transport::{Body, Failure, Outgoing, Response, Transport};

/// Leaves redirects to whoever asks: their headers say what later answers do not.
struct Sockets(Client);

impl HttpClient {
    /// A client over sockets that takes its time from `clock`.
    ///
    /// # Errors
    /// When the system's certificates cannot be had.
    pub fn new(clock: Arc<dyn Clock + Send + Sync>, patience: Patience) -> Result<Self, HttpError> {
        // Another part of the program may have chosen one already; that is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let agent = concat!("ckptscope/", env!("CARGO_PKG_VERSION"));
        let built = Client::builder()
            .redirect(Policy::none())
            .user_agent(agent)
            .build();
        let client = built.map_err(|error| {
            let source = failure(error);
            HttpError::NoClient {
                reason: reason_of(&source),
                source,
            }
        })?;
        Ok(Self::over(Arc::new(Sockets(client)), clock, patience))
    }
}

impl Transport for Sockets {
    fn send<'a>(
        &'a self,
        request: &'a Outgoing<'_>,
    ) -> LocalBoxFuture<'a, Result<Response, Failure>> {
        Box::pin(async move {
            let target = Target::parse(request.url.as_str())?;
            let mut builder = self.0.get(target);
            for (name, value) in &request.headers {
                builder = builder.header(*name, value);
            }
            let response = builder.send().await.map_err(failure)?;
            let headers = response.headers();
            let value = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
            Ok(Response {
                status: response.status().as_u16(),
                url: request.url.clone(),
                redirects: 0,
                headers: Headers::read(value),
                body: Box::new(response),
            })
        })
    }
}

impl Body for reqwest::Response {
    fn read_piece<'a>(
        &'a mut self,
        to: &'a mut Vec<u8>,
    ) -> LocalBoxFuture<'a, Result<bool, Failure>> {
        Box::pin(async move {
            let piece = self.chunk().await.map_err(failure)?;
            to.extend_from_slice(piece.as_deref().unwrap_or_default());
            Ok(piece.is_some())
        })
    }
}

/// Addresses may hold signatures.
fn failure(error: reqwest::Error) -> Failure {
    Box::new(error.without_url())
}
