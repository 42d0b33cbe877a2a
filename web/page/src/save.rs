//! Handing files to the person: downloads, pictures, the clipboard.

use ckptscope_web_browser::in_words;
use gloo_timers::callback::Timeout;
use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, BlobPropertyBag, CanvasRenderingContext2d, HtmlAnchorElement, HtmlCanvasElement,
    HtmlImageElement, Url, window,
};

/// Pixels of a picture per CSS pixel.
const RESOLUTION: u32 = 2;

/// A file to be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media_type: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl Download {
    /// Saves it where the browser saves files.
    ///
    /// # Errors
    /// In the browser's words.
    pub fn save(&self) -> Result<(), String> {
        let blob = blob(&self.bytes, self.media_type)?;
        save_blob(&self.name, &blob)
    }
}

/// Saves an SVG drawing of this size as a PNG, twice as fine as the screen's pixels.
///
/// # Errors
/// In words.
pub async fn save_as_png(name: &str, svg: &str, width: u32, height: u32) -> Result<(), String> {
    let address = address_of(&blob(svg.as_bytes(), "image/svg+xml")?)?;
    let picture = rasterised(&address, width, height).await;
    // Fails for addresses of others only.
    let _ = Url::revoke_object_url(&address);
    save_blob(name, &picture.map_err(|error| in_words(&error))?)
}

/// Puts text on the clipboard.
///
/// # Errors
/// When the browser does not allow it.
pub async fn copy(text: &str) -> Result<(), String> {
    let window = window().ok_or("no window")?;
    let is_there = js_sys::Reflect::has(&window.navigator(), &"clipboard".into());
    if !is_there.unwrap_or(false) {
        return Err("there is no clipboard here".to_owned());
    }
    let copied = JsFuture::from(window.navigator().clipboard().write_text(text)).await;
    copied.map(drop).map_err(|error| in_words(&error))
}

/// Words as a part of a file name: letters, digits, dots, and single dashes and underscores.
#[must_use]
pub fn file_name(parts: &[&str], extension: &str) -> String {
    let mut name = String::new();
    for part in parts.iter().filter(|part| !part.is_empty()) {
        if !name.is_empty() {
            name.push('_');
        }
        for character in part.chars() {
            match character {
                letter if letter.is_alphanumeric() || letter == '_' || letter == '.' => {
                    name.push(letter);
                }
                _ if name.ends_with('-') => {}
                _ => name.push('-'),
            }
        }
    }
    let name = name.trim_matches(['-', '.', '_']);
    let name: String = name.chars().take(100).collect();
    if name.is_empty() {
        return format!("ckptscope.{extension}");
    }
    format!("{name}.{extension}")
}

async fn rasterised(address: &str, width: u32, height: u32) -> Result<Blob, JsValue> {
    let image = HtmlImageElement::new_with_width_and_height(width, height)?;
    image.set_src(address);
    JsFuture::from(image.decode()).await?;
    let canvas: HtmlCanvasElement = element("canvas")?;
    canvas.set_width(width * RESOLUTION);
    canvas.set_height(height * RESOLUTION);
    let context = canvas.get_context("2d")?.ok_or("no drawing surface")?;
    let context: CanvasRenderingContext2d = context.unchecked_into();
    let (across, down) = (
        f64::from(width * RESOLUTION),
        f64::from(height * RESOLUTION),
    );
    context.draw_image_with_html_image_element_and_dw_and_dh(&image, 0.0, 0.0, across, down)?;
    let made = Promise::new(&mut |resolve, reject| {
        if let Err(error) = canvas.to_blob(resolve.unchecked_ref()) {
            // Fails where the tab is closing.
            let _ = reject.call1(&JsValue::NULL, &error);
        }
    });
    let blob = JsFuture::from(made).await?;
    blob.dyn_into()
        .map_err(|_| "the browser made no picture of it".into())
}

fn save_blob(name: &str, blob: &Blob) -> Result<(), String> {
    let address = address_of(blob)?;
    let anchor: HtmlAnchorElement = element("a").map_err(|error| in_words(&error))?;
    anchor.set_href(&address);
    anchor.set_download(name);
    anchor.click();
    // The browser has taken hold of the content when the click returns; revoking at once would
    // still cancel the download in some.
    let later = Timeout::new(60_000, move || {
        let _ = Url::revoke_object_url(&address);
    });
    later.forget();
    Ok(())
}

fn blob(bytes: &[u8], media_type: &str) -> Result<Blob, String> {
    let parts = Array::of1(&Uint8Array::from(bytes));
    let options = BlobPropertyBag::new();
    options.set_type(media_type);
    Blob::new_with_u8_array_sequence_and_options(&parts, &options).map_err(|error| in_words(&error))
}

fn address_of(blob: &Blob) -> Result<String, String> {
    Url::create_object_url_with_blob(blob).map_err(|error| in_words(&error))
}

fn element<T: JsCast>(name: &str) -> Result<T, JsValue> {
    let document = window().and_then(|window| window.document());
    let document = document.ok_or("no document")?;
    Ok(document.create_element(name)?.unchecked_into())
}
