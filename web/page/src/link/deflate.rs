//! Packing and unpacking with the browser's own streams, which cost the page no bytes.

use ckptscope_web_browser::in_words;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{Blob, ReadableStream, ReadableWritablePair, WritableStream};

use super::stream::collected;

/// Deflate without a header or a checksum.
const FORMAT: &str = "deflate-raw";

#[wasm_bindgen]
extern "C" {
    /// A browser's stream that packs or unpacks.
    type Transform;

    #[wasm_bindgen(method, getter)]
    fn readable(this: &Transform) -> ReadableStream;

    #[wasm_bindgen(method, getter)]
    fn writable(this: &Transform) -> WritableStream;

    #[wasm_bindgen(extends = Transform)]
    type CompressionStream;

    #[wasm_bindgen(constructor, catch)]
    fn new(format: &str) -> Result<CompressionStream, JsValue>;

    #[wasm_bindgen(extends = Transform)]
    type DecompressionStream;

    #[wasm_bindgen(constructor, catch)]
    fn new(format: &str) -> Result<DecompressionStream, JsValue>;
}

/// The most that is unpacked: many times the largest analysis that fits into a link.
pub const MOST_BYTES: usize = 64_000_000;

/// Bytes that could not be unpacked.
#[derive(Debug, PartialEq, Eq)]
pub enum InflateError {
    /// They inflate to more.
    TooLarge {
        /// The most that is unpacked.
        bytes: usize,
    },
    /// They are not deflated, or their end is missing.
    Broken,
    /// The browser has no such stream.
    Unsupported {
        /// In its words.
        reason: String,
    },
}

/// Deflates.
///
/// # Errors
/// In the browser's words.
pub async fn pack(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let stream = CompressionStream::new(FORMAT).map_err(|error| in_words(&error))?;
    let packed = through(bytes, &stream).map_err(|error| in_words(&error))?;
    match collected(&packed, usize::MAX, |_| {}).await {
        Ok(Some(packed)) => Ok(packed),
        Ok(None) => Ok(Vec::new()),
        Err(error) => Err(in_words(&error)),
    }
}

/// Inflates, and stops at [`MOST_BYTES`].
///
/// # Errors
/// [`InflateError`].
pub async fn unpack(bytes: &[u8]) -> Result<Vec<u8>, InflateError> {
    let unsupported = |error: JsValue| InflateError::Unsupported {
        reason: in_words(&error),
    };
    let stream = DecompressionStream::new(FORMAT).map_err(unsupported)?;
    let unpacked = through(bytes, &stream).map_err(unsupported)?;
    match collected(&unpacked, MOST_BYTES, |_| {}).await {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(InflateError::TooLarge { bytes: MOST_BYTES }),
        Err(_) => Err(InflateError::Broken),
    }
}

fn through(bytes: &[u8], stream: &Transform) -> Result<ReadableStream, JsValue> {
    let pair = ReadableWritablePair::new(&stream.readable(), &stream.writable());
    let blob = Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(bytes)))?;
    Ok(blob.stream().pipe_through(&pair))
}
