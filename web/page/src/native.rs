//! A native worker, as the page speaks to it over HTTP. What is said is in
//! [`ckptscope_protocol::service`].
//!
//! The page reads a run under a worker's root over HTTP with ranges, like a run on the Hub. So
//! looking, proposing, checking and computing here need only files of the server. What the page
//! sends to it is a source and a config.

pub mod events;

use ckptscope_protocol::call::Call;
use ckptscope_protocol::service::Refusal;
use ckptscope_protocol::tab::Secret;
use ckptscope_web_browser::in_words;
use js_sys::Promise;
use leptos::prelude::document;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, Blob, Headers, RequestCache, RequestCredentials, RequestInit, Response,
};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = fetch)]
    fn global_fetch(address: &str, options: &RequestInit) -> Promise;
}

/// Where a native worker is, and what to show it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NativeWorker {
    /// Its address, with a slash at the end.
    address: String,
    token: Secret,
}

/// A request to a native worker that came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NativeError {
    /// Nobody answers, or the worker does not let this page read its answers.
    #[error("the worker at {address} does not answer: {reason}")]
    Unreachable {
        /// The worker.
        address: String,
        /// In the browser's words.
        reason: String,
    },
    /// It wants another token, or one at all.
    #[error("the worker at {address} wants a token: it prints an address with one when it starts")]
    Token {
        /// The worker.
        address: String,
    },
    /// It refuses.
    #[error("{}", .refusal.message)]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Why.
        refusal: Refusal,
    },
    /// It answers something else.
    #[error("the worker at {address} gave an answer not understood: {reason}")]
    Foreign {
        /// The worker.
        address: String,
        /// What was expected.
        reason: String,
    },
}

/// What goes with a request.
pub enum Payload<'a> {
    /// Nothing.
    Nothing,
    /// JSON.
    Json(String),
    /// Bytes of a file.
    Bytes(&'a Blob),
}

/// An answer whose body is still to be read; whoever drops it ends the request.
pub struct Answering {
    /// Status and body.
    pub response: Response,
    _abort: Abort,
}

/// A request that ends when nobody waits for it any more.
struct Abort(AbortController);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl NativeWorker {
    /// The worker at an address as a person types it: `host:port`, or with `http://` and a path.
    /// None where it cannot be one.
    #[must_use]
    pub fn at(address: &str, token: &str) -> Option<Self> {
        let address = address.trim();
        if address.contains(char::is_whitespace) {
            return None;
        }
        let address = match address.contains("://") {
            true => address.to_owned(),
            false => format!("http://{address}"),
        };
        let url = web_sys::Url::new(&address).ok()?;
        let is_http = ["http:", "https:"].contains(&url.protocol().as_str());
        if !is_http || url.host().is_empty() {
            return None;
        }
        let path = url.pathname();
        let folder = path.trim_end_matches('/');
        Some(Self {
            address: format!("{}{folder}/", url.origin()),
            token: Secret(token.trim().to_owned()),
        })
    }

    /// The worker that the page came from, where it came from one.
    #[must_use]
    pub fn of_this_page(token: &str) -> Option<Self> {
        let named = document().query_selector("meta[name=worker]").ok()??;
        let address = named.get_attribute("content")?;
        if address.is_empty() {
            return None;
        }
        let base = document().base_uri().ok()??;
        let url = web_sys::Url::new_with_base(&address, &base).ok()?;
        Self::at(&format!("{}{}", url.origin(), url.pathname()), token)
    }

    /// Its address, with a slash at the end.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// As people know it: `127.0.0.1:8790`.
    #[must_use]
    pub fn host(&self) -> &str {
        let address = self.address.as_str();
        let host = address.split_once("://").map_or(address, |(_, host)| host);
        host.trim_end_matches('/')
    }

    /// What it is shown.
    #[must_use]
    pub const fn token(&self) -> &Secret {
        &self.token
    }

    /// Asks.
    ///
    /// # Errors
    /// [`NativeError`], for people.
    pub async fn ask<A: DeserializeOwned>(&self, call: Call<A>) -> Result<A, NativeError> {
        let payload = call.body.map_or(Payload::Nothing, Payload::Json);
        self.ask_with(call.method, &call.path, payload).await
    }

    /// Asks with bytes of a file.
    ///
    /// # Errors
    /// [`NativeError`], for people.
    pub async fn give<A: DeserializeOwned>(
        &self,
        call: Call<A>,
        bytes: &Blob,
    ) -> Result<A, NativeError> {
        let payload = Payload::Bytes(bytes);
        self.ask_with(call.method, &call.path, payload).await
    }

    /// Asks for something of which nobody reads the answer.
    ///
    /// # Errors
    /// [`NativeError`], for people.
    pub async fn tell(&self, call: Call<()>) -> Result<(), NativeError> {
        let payload = call.body.map_or(Payload::Nothing, Payload::Json);
        let answering = self.send(call.method, &call.path, payload, &[]).await?;
        self.body_of(&answering.response).await.map(drop)
    }

    async fn ask_with<A: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        payload: Payload<'_>,
    ) -> Result<A, NativeError> {
        let answering = self.send(method, path, payload, &[]).await?;
        let text = self.body_of(&answering.response).await?;
        serde_json::from_str(&text).map_err(|error| self.foreign(&error.to_string()))
    }

    /// A whole file. The browser keeps its content where it likes.
    ///
    /// # Errors
    /// [`NativeError`], for people.
    pub async fn file(&self, path: &str) -> Result<Blob, NativeError> {
        let answering = self.send("GET", path, Payload::Nothing, &[]).await?;
        let blob = async { JsFuture::from(answering.response.blob()?).await };
        let blob = blob.await.map_err(|error| self.unreachable(&error))?;
        Ok(blob.unchecked_into())
    }

    /// Asks, and gives the answer before its body is there.
    ///
    /// # Errors
    /// [`NativeError`], for people; answers that refuse are errors.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        payload: Payload<'_>,
        headers: &[(&str, &str)],
    ) -> Result<Answering, NativeError> {
        let sent = self.fetch(method, path, payload, headers).await;
        let answering = sent.map_err(|error| self.unreachable(&error))?;
        let status = answering.response.status();
        if answering.response.ok() {
            return Ok(answering);
        }
        let text = self.body_of(&answering.response).await.unwrap_or_default();
        if status == 401 {
            let address = self.address.clone();
            return Err(NativeError::Token { address });
        }
        let refusal = serde_json::from_str(&text).unwrap_or_else(|_| Refusal {
            message: format!("the worker at {} answered {status}", self.address),
            ..Refusal::default()
        });
        Err(NativeError::Refused { status, refusal })
    }

    async fn fetch(
        &self,
        method: &str,
        path: &str,
        payload: Payload<'_>,
        headers: &[(&str, &str)],
    ) -> Result<Answering, JsValue> {
        let options = RequestInit::new();
        options.set_method(method);
        options.set_credentials(RequestCredentials::Omit);
        options.set_cache(RequestCache::NoStore);
        let abort = Abort(AbortController::new()?);
        options.set_signal(Some(&abort.0.signal()));
        let sent = Headers::new()?;
        for (name, value) in headers {
            sent.set(name, value)?;
        }
        if !self.token.0.is_empty() {
            sent.set("authorization", &format!("Bearer {}", self.token.0))?;
        }
        match payload {
            Payload::Nothing => {}
            Payload::Json(text) => {
                sent.set("content-type", "application/json")?;
                options.set_body(&text.into());
            }
            Payload::Bytes(blob) => {
                sent.set("content-type", "application/octet-stream")?;
                options.set_body(blob);
            }
        }
        options.set_headers(&sent);
        let address = format!("{}{path}", self.address);
        let response = JsFuture::from(global_fetch(&address, &options)).await?;
        Ok(Answering {
            response: response.unchecked_into(),
            _abort: abort,
        })
    }

    async fn body_of(&self, response: &Response) -> Result<String, NativeError> {
        let text = async { JsFuture::from(response.text()?).await };
        let text = text.await.map_err(|error| self.unreachable(&error))?;
        Ok(text.as_string().unwrap_or_default())
    }

    fn unreachable(&self, error: &JsValue) -> NativeError {
        NativeError::Unreachable {
            address: self.address.clone(),
            reason: in_words(error),
        }
    }

    fn foreign(&self, reason: &str) -> NativeError {
        NativeError::Foreign {
            address: self.address.clone(),
            reason: reason.to_owned(),
        }
    }
}
