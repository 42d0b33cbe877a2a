//! Fetching the page's own files.

use js_sys::{ArrayBuffer, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

#[wasm_bindgen]
extern "C" {
    /// The same function in a window and in a web worker.
    #[wasm_bindgen(js_name = fetch)]
    fn global_fetch(address: &str) -> Promise;
}

/// A file that could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The request did not get through.
    #[error("{address} could not be fetched: {reason}")]
    Network {
        /// The file.
        address: String,
        /// In the browser's words.
        reason: String,
    },
    /// The server has no such file.
    #[error("{address} could not be fetched: the server answered {status}")]
    Status {
        /// The file.
        address: String,
        /// The HTTP status.
        status: u16,
    },
}

/// A request under way.
pub struct Fetching {
    address: String,
    response: Promise,
}

/// Asks for a file, addressed from the page's folder.
#[must_use]
pub fn begin(address: &str) -> Fetching {
    Fetching {
        address: address.to_owned(),
        response: global_fetch(address),
    }
}

impl Fetching {
    /// The whole file.
    ///
    /// # Errors
    /// [`FetchError`] when it cannot be had.
    pub async fn bytes(self) -> Result<Vec<u8>, FetchError> {
        let response: Response = self.wait(self.response.clone()).await?.unchecked_into();
        if !response.ok() {
            return Err(FetchError::Status {
                status: response.status(),
                address: self.address,
            });
        }
        let body = response
            .array_buffer()
            .map_err(|error| self.failed(&error))?;
        let buffer: ArrayBuffer = self.wait(body).await?.unchecked_into();
        Ok(Uint8Array::new(&buffer).to_vec())
    }

    async fn wait(&self, promise: Promise) -> Result<JsValue, FetchError> {
        JsFuture::from(promise)
            .await
            .map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &JsValue) -> FetchError {
        let words = error
            .dyn_ref::<js_sys::Error>()
            .map(|error| String::from(error.message()));
        FetchError::Network {
            address: self.address.clone(),
            reason: words.unwrap_or_else(|| format!("{error:?}")),
        }
    }
}
