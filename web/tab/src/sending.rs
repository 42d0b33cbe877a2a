//! What a native worker is sent, by a part of the program that is fetched when somebody asks for it.

use ckptscope_protocol::tab::Secret;
use ckptscope_web_browser::in_words;
use ckptscope_web_browser::part::{MissingPart, begin};
#[cfg(feature = "split")]
use ckptscope_web_browser::wasm_split::wasm_split;
use futures_util::future::LocalBoxFuture;
use js_sys::{Promise, Uint8Array};
use serde::Deserialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, RequestCredentials, RequestInit, Response};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = fetch)]
    fn global_fetch(address: &str, options: &RequestInit) -> Promise;
}

/// An answer under way.
type Pending = LocalBoxFuture<'static, Result<String, String>>;

/// What a worker says where it refuses; see
/// [`Refusal`](ckptscope_protocol::service::Refusal), the rest of which is about configs.
#[derive(Deserialize)]
struct Refused {
    message: String,
}

/// What a native worker answers at an address to bytes. What it refuses is an error, in its words.
pub(super) async fn send(address: String, token: Secret, bytes: Vec<u8>) -> Result<String, String> {
    let begun = begin!(begun(address, token, bytes));
    begun
        .map_err(|missing: MissingPart| missing.to_string())?
        .await
}

#[cfg_attr(
    feature = "split",
    wasm_split(sending, wasm_split_path = ::ckptscope_web_browser::wasm_split, fallible)
)]
#[expect(clippy::unnecessary_wraps, reason = "fails where the part is missing")]
fn begun(address: String, token: Secret, bytes: Vec<u8>) -> Result<Pending, MissingPart> {
    Ok(Box::pin(async move {
        let answer = posted(&address, &token, bytes).await;
        let (status, text) = answer.map_err(|error| {
            let reason = in_words(&error);
            format!("the worker does not answer: {reason}")
        })?;
        if (200..300).contains(&status) {
            return Ok(text);
        }
        let refused: Result<Refused, _> = serde_json::from_str(&text);
        let message = refused.map_or_else(|_| format!("it answers {status}"), |it| it.message);
        Err(format!("the worker refuses: {message}"))
    }))
}

/// Status and text of the answer.
async fn posted(address: &str, token: &Secret, bytes: Vec<u8>) -> Result<(u16, String), JsValue> {
    let options = RequestInit::new();
    options.set_method("POST");
    options.set_credentials(RequestCredentials::Omit);
    let headers = Headers::new()?;
    headers.set("content-type", "application/octet-stream")?;
    if !token.0.is_empty() {
        headers.set("authorization", &format!("Bearer {}", token.0))?;
    }
    options.set_headers(&headers);
    options.set_body(&Uint8Array::from(bytes.as_slice()));
    drop(bytes);
    let answer = JsFuture::from(global_fetch(address, &options)).await?;
    let answer: Response = answer.unchecked_into();
    let text = JsFuture::from(answer.text()?).await?;
    Ok((answer.status(), text.as_string().unwrap_or_default()))
}
