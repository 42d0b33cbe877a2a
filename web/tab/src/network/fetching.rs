//! Requests through the browser's `fetch`.
//!
//! The browser does not say how many redirects it followed, so one is counted. A file's length
//! comes from `Content-Range`. Where a server hides that, it comes from `Content-Length` of a
//! request that is dropped at once.

use ckptscope_checkpoint::http::transport::{Body, Failure, Outgoing, Response, Transport};
use ckptscope_checkpoint::http::{Headers, Url};
use ckptscope_web_browser::in_words;
use futures_util::future::LocalBoxFuture;
use js_sys::{Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, ReadableStreamDefaultReader, RequestCache, RequestCredentials, RequestInit,
    RequestMode, Response as Fetched,
};

#[wasm_bindgen]
extern "C" {
    /// The same function in a window and in a web worker.
    #[wasm_bindgen(js_name = fetch)]
    fn global_fetch(address: &str, options: &RequestInit) -> Promise;
}

/// Sends no cookies, and keeps nothing in the browser's cache, which lets only one at a time ask
/// for parts of a file. The browser follows redirects by itself, and drops the token where they
/// lead to another origin.
pub(super) struct Fetching;

/// A request that ends when nobody waits for it any more.
struct Abort(AbortController);

/// The rest of an answer.
struct Stream {
    reader: Option<ReadableStreamDefaultReader>,
    _abort: Abort,
}

/// What the browser throws, in words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Thrown(String);

impl Transport for Fetching {
    fn send<'a>(
        &'a self,
        request: &'a Outgoing<'_>,
    ) -> LocalBoxFuture<'a, Result<Response, Failure>> {
        Box::pin(async move {
            let (fetched, abort) = fetch(request).await.map_err(|error| failure(&error))?;
            let is_redirected = fetched.redirected();
            let url = match is_redirected {
                true => Url::parse(&fetched.url()),
                false => None,
            };
            let headers = fetched.headers();
            let stream = fetched.body();
            let reader = stream.map(|stream| stream.get_reader().unchecked_into());
            Ok(Response {
                status: fetched.status(),
                url: url.unwrap_or_else(|| request.url.clone()),
                // How many there were is not told.
                redirects: u64::from(is_redirected),
                headers: Headers::read(|name| headers.get(name).ok().flatten()),
                body: Box::new(Stream {
                    reader,
                    _abort: abort,
                }),
            })
        })
    }
}

impl Body for Stream {
    fn read_piece<'a>(
        &'a mut self,
        to: &'a mut Vec<u8>,
    ) -> LocalBoxFuture<'a, Result<bool, Failure>> {
        Box::pin(async move {
            let Some(reader) = &self.reader else {
                return Ok(false);
            };
            let piece = JsFuture::from(reader.read()).await;
            let piece = piece.map_err(|error| failure(&error))?;
            let value = Reflect::get(&piece, &"value".into()).unwrap_or_default();
            let Ok(value) = value.dyn_into::<Uint8Array>() else {
                return Ok(false);
            };
            let start = to.len();
            to.resize(start + value.length() as usize, 0);
            value.copy_to(to.get_mut(start..).unwrap_or_default());
            Ok(true)
        })
    }
}

/// Whether anybody answers at an address. What the answer is nobody learns: the browser keeps it
/// from a page that the server does not allow to read it.
pub(super) async fn is_there(url: &Url) -> bool {
    let options = options();
    options.set_mode(RequestMode::NoCors);
    sent(url, &options).await.is_ok()
}

/// The status of an answer to a request without a range, where it can be had.
pub(super) async fn status_of_whole(url: &Url) -> Option<u16> {
    let (response, _abort) = sent(url, &options()).await.ok()?;
    Some(response.status())
}

async fn fetch(request: &Outgoing<'_>) -> Result<(Fetched, Abort), JsValue> {
    let options = options();
    let headers = web_sys::Headers::new()?;
    for (name, value) in &request.headers {
        headers.set(name, value)?;
    }
    options.set_headers(&headers);
    sent(request.url, &options).await
}

fn options() -> RequestInit {
    let options = RequestInit::new();
    options.set_credentials(RequestCredentials::Omit);
    options.set_cache(RequestCache::NoStore);
    options
}

async fn sent(url: &Url, options: &RequestInit) -> Result<(Fetched, Abort), JsValue> {
    let abort = Abort(AbortController::new()?);
    options.set_signal(Some(&abort.0.signal()));
    let response = JsFuture::from(global_fetch(url.as_str(), options)).await?;
    Ok((response.unchecked_into(), abort))
}

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn failure(error: &JsValue) -> Failure {
    Box::new(Thrown(in_words(error)))
}
