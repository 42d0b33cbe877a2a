//! What the page and its web workers both need of a browser.

pub mod part;

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

#[cfg(feature = "split")]
pub use wasm_split_helpers as wasm_split;

/// What a thrown value says.
#[must_use]
pub fn in_words(error: &JsValue) -> String {
    let known = error.dyn_ref::<js_sys::Error>();
    known.map_or_else(
        || format!("{error:?}"),
        |error| String::from(error.message()),
    )
}

/// A whole file as text, or in the browser's words why it cannot be read.
///
/// # Errors
/// A file that has changed or gone since it was chosen.
pub async fn text_of(file: &Blob) -> Result<String, String> {
    let text = JsFuture::from(file.text()).await;
    let text = text.map_err(|error| in_words(&error))?;
    Ok(text.as_string().unwrap_or_default())
}
