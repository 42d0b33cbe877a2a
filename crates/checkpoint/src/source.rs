//! Something with a length that is read by position.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use crate::error::ReadError;

/// Bytes that can be read by position: a file, a browser's `Blob`, an HTTP resource, memory.
///
/// Futures carry no `Send` bound: the browser runs them on its event loop, and a native lane
/// blocks its own thread on them.
pub trait Source {
    /// What messages call it: a path or an address.
    fn name(&self) -> &str;

    /// Length in bytes.
    fn bytes(&self) -> u64;

    /// Exactly `length` bytes from `offset`.
    ///
    /// # Errors
    /// [`ReadError`] when the range leaves the source or the bytes could not be had whole.
    fn read_at(&self, offset: u64, length: u64) -> LocalBoxFuture<'_, Result<Vec<u8>, ReadError>>;
}

/// A source in memory.
#[derive(Clone, Debug)]
pub struct MemorySource {
    name: String,
    bytes: Rc<[u8]>,
}
