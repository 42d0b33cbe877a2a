//! Checkpoint file formats.

use futures_core::future::LocalBoxFuture;

use crate::catalog::Catalog;
use crate::error::{FormatError, ReadError};
use crate::foreign::{Foreign, TAR_MARK, TAR_MARK_OFFSET};
use crate::safetensors::Safetensors;
use crate::source::Source;
use crate::torch::{DistributedMetadata, TorchLegacy, TorchZip};

/// A file format: recognises a file by its first bytes and reads its directory.
pub trait Format: Sync {
    /// What people call it.
    fn name(&self) -> &'static str;

    /// Whether a file that starts with `head` (up to 64 bytes) and is `bytes` long may be one.
    fn recognises(&self, head: &[u8], bytes: u64) -> bool;

    /// Reads the directory: tensor names, dtypes, shapes and places; no tensor data.
    fn catalog<'a>(
        &'a self,
        source: &'a dyn Source,
    ) -> LocalBoxFuture<'a, Result<Catalog, FormatError>>;
}

/// Every format, the surest to recognise first. The length that a safetensors file begins with
/// may look like a pickle's protocol (640 does), but no pickle has a brace in its place.
pub const FORMATS: &[&dyn Format] = &[&TorchZip, &Safetensors, &DistributedMetadata, &TorchLegacy];

/// Enough of a file's beginning to recognise its format: a pickle names its first class there.
const HEAD_BYTES: u64 = 64;

/// So many bytes of a file of no known format a message shows.
const START_BYTES: usize = 16;

/// No format's smallest file is smaller: that of safetensors, a length and `{}`.
const SMALLEST_BYTES: u64 = 10;

/// The catalog of a file, by the first format that recognises it.
///
/// # Errors
/// [`ReadError`] naming the file: unreadable, of no known format, or broken.
pub async fn catalog_of(source: &dyn Source) -> Result<Catalog, ReadError> {
    let path = || source.name().to_owned();
    let bytes = source.bytes();
    if bytes == 0 {
        return Err(ReadError::Empty { path: path() });
    }
    if bytes < SMALLEST_BYTES {
        return Err(ReadError::TooShort {
            path: path(),
            bytes,
        });
    }
    let head = source.read_directory(0, bytes.min(HEAD_BYTES)).await?;
    let Some(format) = FORMATS
        .iter()
        .find(|format| format.recognises(&head, bytes))
    else {
        let is_tar = has_tar_mark(source).await;
        return Err(unknown(path(), &head, is_tar));
    };
    match format.catalog(source).await {
        Ok(catalog) => Ok(catalog),
        Err(FormatError::Read(error)) => Err(*error),
        Err(source) => Err(ReadError::Format {
            path: path(),
            format: format.name(),
            source,
        }),
    }
}

/// Whether a file has the mark of a tar archive, which stands behind what was read of it.
async fn has_tar_mark(source: &dyn Source) -> bool {
    let length = TAR_MARK.len() as u64;
    let mark = source.read_directory(TAR_MARK_OFFSET, length).await;
    mark.is_ok_and(|mark| mark == TAR_MARK)
}

fn unknown(path: String, head: &[u8], is_tar: bool) -> ReadError {
    if head.starts_with(b"version https://") {
        return ReadError::LfsPointer { path };
    }
    let what = is_tar.then_some(Foreign::Archive);
    let what = what.or_else(|| Foreign::by_content(head));
    let start = head.get(..head.len().min(START_BYTES)).unwrap_or_default();
    let start = start.escape_ascii().to_string();
    match what {
        None => ReadError::UnknownFormat { path, start },
        Some(what @ (Foreign::Text | Foreign::Json)) => {
            let start = String::from_utf8_lossy(head).trim().to_owned();
            ReadError::Foreign { path, what, start }
        }
        Some(what) => ReadError::Foreign {
            path,
            what,
            start: String::new(),
        },
    }
}
