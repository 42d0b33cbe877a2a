//! Storages that do not lie in their file as they are: from bytes of the file to bytes of elements.

use std::borrow::Cow;

use miniz_oxide::inflate::decompress_to_vec_with_limit;

use super::checksum::crc32;
use crate::catalog::{Packing, TensorEntry};

/// What is wrong with the bytes of a storage.
pub(super) enum Damage {
    /// They do not unpack to as many as the catalog says.
    Packing,
    /// They are others than their checksum says.
    Checksum,
}

/// The bytes of a tensor's view, of those of the file that hold it.
pub(super) fn view_bytes<'a>(entry: &TensorEntry, read: &'a [u8]) -> Result<Cow<'a, [u8]>, Damage> {
    let storage = storage_bytes(entry.placement.packing, read).ok_or(Damage::Packing)?;
    let expected = entry.placement.crc32;
    if expected.is_some_and(|expected| expected != crc32(&storage)) {
        return Err(Damage::Checksum);
    }
    match entry.placement.packing {
        Packing::Plain => Ok(storage),
        Packing::Deflated { .. } | Packing::Text { .. } => {
            let view = view(entry, &storage).ok_or(Damage::Packing)?;
            Ok(Cow::Owned(view.to_vec()))
        }
    }
}

/// The storage, or of one that lies in the file as it is the view.
fn storage_bytes(packing: Packing, read: &[u8]) -> Option<Cow<'_, [u8]>> {
    match packing {
        Packing::Plain => Some(Cow::Borrowed(read)),
        Packing::Deflated { bytes, .. } => inflated(read, bytes).map(Cow::Owned),
        Packing::Text { bytes, .. } => text_bytes(read, bytes).map(Cow::Owned),
    }
}

fn view<'a>(entry: &TensorEntry, storage: &'a [u8]) -> Option<&'a [u8]> {
    let (start, length) = entry.view_range()?;
    let (start, length) = (usize::try_from(start).ok()?, usize::try_from(length).ok()?);
    storage.get(start..start.checked_add(length)?)
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
