//! What the page and its web workers both need of a browser.

pub mod part;

use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, TextDecoder, TextDecoderOptions};

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

/// A whole file as text: UTF-8, or UTF-16 where it begins with its mark, as PowerShell's `>` writes
/// it. The mark is no part of the text.
///
/// # Errors
/// A file that has changed or gone since it was chosen, in the browser's words; one that is no text.
pub async fn text_of(file: &Blob) -> Result<String, String> {
    let options = TextDecoderOptions::new();
    options.set_fatal(true);
    let (buffer, encoding) = content_of(file).await?;
    let text = decoded(&buffer, encoding, &options);
    text.ok_or_else(|| match encoding {
        UTF_8 => "it is not UTF-8; save it as UTF-8".to_owned(),
        _ => "it begins as UTF-16 and is not; save it as UTF-8".to_owned(),
    })
}

/// The text in the first bytes of a file, whose last character may be cut.
///
/// # Errors
/// A file that has changed or gone since it was chosen, in the browser's words.
pub async fn beginning_of(file: &Blob, bytes: i32) -> Result<String, String> {
    let head = file.slice_with_i32_and_i32(0, bytes);
    let head = head.map_err(|error| in_words(&error))?;
    let (buffer, encoding) = content_of(&head).await?;
    let text = decoded(&buffer, encoding, &TextDecoderOptions::new());
    Ok(text.unwrap_or_default())
}

const UTF_8: &str = "utf-8";

/// Bytes, and how their mark says that they are to be read.
async fn content_of(file: &Blob) -> Result<(ArrayBuffer, &'static str), String> {
    let buffer = JsFuture::from(file.array_buffer()).await;
    let buffer: ArrayBuffer = buffer.map_err(|error| in_words(&error))?.unchecked_into();
    let head = Uint8Array::new(&buffer).subarray(0, 2).to_vec();
    let encoding = match head.as_slice() {
        [0xff, 0xfe] => "utf-16le",
        [0xfe, 0xff] => "utf-16be",
        _ => UTF_8,
    };
    Ok((buffer, encoding))
}

fn decoded(buffer: &ArrayBuffer, encoding: &str, options: &TextDecoderOptions) -> Option<String> {
    let decoder = TextDecoder::new_with_label_and_options(encoding, options).ok()?;
    decoder.decode_with_buffer_source(buffer).ok()
}
