//! Servers that send a reader from one address to the next.

use std::sync::Arc;
use std::time::Duration;

use ckptscope_checkpoint::http::transport::{Body, Failure, Outgoing, Response, Transport};
use ckptscope_checkpoint::http::{
    Clock, FolderTree, Headers, HttpClient, HttpError, HttpSource, Patience, Url, Waiting,
};
use ckptscope_checkpoint::{ReadError, Tree};
use futures_core::future::LocalBoxFuture;
use pollster::block_on;

/// Answers the first `redirects` requests by a redirect, and each later one by the file.
struct Redirecting {
    redirects: u64,
}

const FILE: &[u8] = b"0123456789";

/// What is left of a body.
struct Rest(&'static [u8]);

/// A clock at which nothing is ever waited for.
struct Still;

impl Transport for Redirecting {
    fn send<'a>(
        &'a self,
        request: &'a Outgoing<'_>,
    ) -> LocalBoxFuture<'a, Result<Response, Failure>> {
        Box::pin(async move {
            let hop: u64 = request.url.path().trim_start_matches('/').parse()?;
            let is_redirect = hop < self.redirects;
            let (status, body) = if is_redirect {
                (302, &b""[..])
            } else {
                (206, FILE)
            };
            let headers = Headers::read(|name| match name {
                "location" if is_redirect => Some(format!("/{}", hop + 1)),
                "content-range" if !is_redirect => Some("bytes 0-9/10".to_owned()),
                _ => None,
            });
            Ok(Response {
                status,
                url: request.url.clone(),
                redirects: 0,
                headers,
                body: Box::new(Rest(body)),
            })
        })
    }
}

impl Body for Rest {
    fn read_piece<'a>(
        &'a mut self,
        to: &'a mut Vec<u8>,
    ) -> LocalBoxFuture<'a, Result<bool, Failure>> {
        Box::pin(async move {
            to.extend(std::mem::take(&mut self.0));
            Ok(false)
        })
    }
}

impl Clock for Still {
    fn unix_seconds(&self) -> u64 {
        0
    }

    fn wait(&self, _: Duration, _: Waiting) -> LocalBoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

fn client(redirects: u64) -> Arc<HttpClient> {
    let transport = Arc::new(Redirecting { redirects });
    let client = HttpClient::over(transport, Arc::new(Still), Patience::default());
    Arc::new(client)
}

#[test]
fn a_file_behind_a_few_redirects_is_opened() {
    let client = client(4);
    let opened = block_on(HttpSource::open(&client, "http://example.org/0"));
    assert!(opened.is_ok(), "{opened:?}");
    assert_eq!(client.traffic().requests, 5);
}

#[test]
fn redirects_without_end_are_an_error() {
    let client = client(u64::MAX);
    let opened = block_on(HttpSource::open(&client, "http://example.org/0"));
    let error = opened.unwrap_err();
    assert!(
        matches!(error, HttpError::TooManyRedirects { .. }),
        "{error:?}"
    );
    assert_eq!(error.to_string(), "example.org redirects without end");
    assert_eq!(client.traffic().requests, 5);
}

#[test]
fn reads_follow_redirects_as_far_and_no_farther() {
    let read = |redirects| {
        let url = Url::parse("http://example.org/").unwrap();
        let files = [("0".to_owned(), 10)];
        let tree = FolderTree::known(&client(redirects), "folder", url, None, files);
        block_on(async { tree.open("0").await?.read_at(0, 10).await })
    };
    assert_eq!(read(4).unwrap(), FILE);
    let error = read(u64::MAX).unwrap_err();
    assert!(matches!(error, ReadError::Transport { .. }), "{error:?}");
    assert!(
        error.to_string().contains("redirects without end"),
        "{error}"
    );
}
