//! Reading a browser's stream to its end.

use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStream, ReadableStreamDefaultReader};

/// All bytes of a stream; none where there are more than `most`. `progress` hears how many there
/// are so far.
///
/// # Errors
/// What the stream throws.
pub async fn collected(
    stream: &ReadableStream,
    most: usize,
    mut progress: impl FnMut(usize),
) -> Result<Option<Vec<u8>>, JsValue> {
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let mut bytes = Vec::new();
    loop {
        let part = JsFuture::from(reader.read()).await?;
        if Reflect::get(&part, &"done".into())?.is_truthy() {
            return Ok(Some(bytes));
        }
        let part: Uint8Array = Reflect::get(&part, &"value".into())?.unchecked_into();
        let start = bytes.len();
        if start + part.length() as usize > most {
            // Whatever it says now, nobody reads on.
            let _ = JsFuture::from(reader.cancel()).await;
            return Ok(None);
        }
        bytes.resize(start + part.length() as usize, 0);
        part.copy_to(&mut bytes[start..]);
        progress(bytes.len());
    }
}
