//! Fetching the page's own files.

use ckptscope_web_browser::in_words;
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, Response};

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

/// A request for a file, addressed from the page's folder; resolves to a `Response`.
pub fn request(address: &str) -> Promise {
    global_fetch(address)
}

/// A whole file, addressed from the page's folder. The browser keeps its content where it likes.
///
/// # Errors
/// [`FetchError`] when it cannot be had.
pub async fn blob(address: &str) -> Result<Blob, FetchError> {
    let response = response(address).await?;
    let body = response.blob().map_err(|error| failed(address, &error))?;
    let blob = JsFuture::from(body).await;
    Ok(blob
        .map_err(|error| failed(address, &error))?
        .unchecked_into())
}

/// A whole file as text, addressed from the page's folder.
///
/// # Errors
/// [`FetchError`] when it cannot be had.
pub async fn text(address: &str) -> Result<String, FetchError> {
    let response = response(address).await?;
    let body = response.text().map_err(|error| failed(address, &error))?;
    let text = JsFuture::from(body).await;
    let text = text.map_err(|error| failed(address, &error))?;
    Ok(text.as_string().unwrap_or_default())
}

async fn response(address: &str) -> Result<Response, FetchError> {
    let response = JsFuture::from(global_fetch(address))
        .await
        .map_err(|error| failed(address, &error))?;
    let response: Response = response.unchecked_into();
    if !response.ok() {
        return Err(FetchError::Status {
            address: address.to_owned(),
            status: response.status(),
        });
    }
    Ok(response)
}

fn failed(address: &str, error: &JsValue) -> FetchError {
    FetchError::Network {
        address: address.to_owned(),
        reason: in_words(error),
    }
}
