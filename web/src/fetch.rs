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

/// A whole file, addressed from the page's folder.
///
/// # Errors
/// [`FetchError`] when it cannot be had.
pub async fn bytes(address: &str) -> Result<Vec<u8>, FetchError> {
    let failed = |error: JsValue| FetchError::Network {
        address: address.to_owned(),
        reason: in_words(&error),
    };
    let response = JsFuture::from(global_fetch(address))
        .await
        .map_err(failed)?;
    let response: Response = response.unchecked_into();
    if !response.ok() {
        return Err(FetchError::Status {
            address: address.to_owned(),
            status: response.status(),
        });
    }
    let body = response.array_buffer().map_err(failed)?;
    let buffer: ArrayBuffer = JsFuture::from(body).await.map_err(failed)?.unchecked_into();
    Ok(Uint8Array::new(&buffer).to_vec())
}

fn in_words(error: &JsValue) -> String {
    let known = error.dyn_ref::<js_sys::Error>();
    known.map_or_else(
        || format!("{error:?}"),
        |error| String::from(error.message()),
    )
}
