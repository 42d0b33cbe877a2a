//! Checkpoint file formats.

use futures_core::future::LocalBoxFuture;

use crate::catalog::Catalog;
use crate::error::{FormatError, ReadError};
use crate::source::Source;

/// A file format: recognises a file by its first bytes and reads its directory.
pub trait Format: Sync {
    /// What people call it.
    fn name(&self) -> &'static str;

    /// Whether a file that starts with `head` (up to 16 bytes) and is `bytes` long may be one.
    fn recognises(&self, head: &[u8], bytes: u64) -> bool;

    /// Reads the directory: tensor names, dtypes, shapes and places; no tensor data.
    fn catalog<'a>(&'a self, source: &'a dyn Source) -> LocalBoxFuture<'a, Result<Catalog, FormatError>>;
}

/// Every format, the surest to recognise first.
pub const FORMATS: &[&dyn Format] = &[];

/// The catalog of a file, by the first format that recognises it.
///
/// # Errors
/// [`ReadError`] naming the file: unreadable, of no known format, or broken.
pub async fn catalog_of(source: &dyn Source) -> Result<Catalog, ReadError> {
    let _ = source;
    unimplemented!()
}
