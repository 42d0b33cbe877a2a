//! Storages that do not lie in their file as they are: from bytes of the file to bytes of elements.

use std::borrow::Cow;

use miniz_oxide::inflate::decompress_to_vec_with_limit;

use crate::catalog::{Packing, TensorEntry};

/// The bytes of a tensor's view, of those of the file that hold it. `None` where they do not unpack
/// to as many as the catalog says.
pub(super) fn view_bytes<'a>(entry: &TensorEntry, read: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    let storage = match entry.placement.packing {
        Packing::Plain => return Some(Cow::Borrowed(read)),
        Packing::Deflated { bytes, .. } => inflated(read, bytes)?,
        Packing::Text { bytes, .. } => text_bytes(read, bytes)?,
    };
    let (start, length) = entry.view_range()?;
    let (start, length) = (usize::try_from(start).ok()?, usize::try_from(length).ok()?);
    let view = storage.get(start..start.checked_add(length)?)?;
    Some(Cow::Owned(view.to_vec()))
}

/// What deflated bytes inflate to, if that is so many.
pub(crate) fn inflated(deflated: &[u8], bytes: u64) -> Option<Vec<u8>> {
    let limit = usize::try_from(bytes).ok()?;
    let inflated = decompress_to_vec_with_limit(deflated, limit).ok()?;
    (inflated.len() == limit).then_some(inflated)
}

/// The bytes that are a text's characters, if they are so many.
fn text_bytes(text: &[u8], bytes: u64) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let mut characters = Vec::new();
    characters.try_reserve_exact(text.len()).ok()?;
    for character in text.chars() {
        characters.push(u8::try_from(character).ok()?);
    }
    (characters.len() as u64 == bytes).then_some(characters)
}
