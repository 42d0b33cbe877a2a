//! Something with a length that is read by position.
//!
//! A listing begins with a window at the start of a far file: a safetensors header or a pickle is
//! there. A PyTorch archive has a second window at its end, where the zip's directory is. A file of
//! two windows or less comes whole. Where a directory is longer than its window, the format asks
//! for the rest only.
//!
//! The smallest window is what a server sends without waiting for an acknowledgement. Reads of
//! files on this disk should be few, those of far files small: [`Source::is_far`] says which a
//! source is.

use std::fmt;
use std::ops::Range;
use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use crate::error::ReadError;

/// Bytes on their way. Dropping it ends the read.
pub type Started = LocalBoxFuture<'static, Result<Vec<u8>, ReadError>>;

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

    /// Whether the bytes travel over a network. Of a near source reads are few, of a far one they
    /// also carry little beyond what is wanted.
    fn is_far(&self) -> bool {
        false
    }

    /// Whether these bytes of the file can be read. A source that has parts of a file has no others,
    /// and nobody may read across what it lacks.
    fn holds(&self, _range: &Range<u64>) -> bool {
        true
    }

    /// The same bytes as [`Source::read_at`] gives, of the file's directory. A far source keeps
    /// them, so that nobody fetches them again.
    ///
    /// # Errors
    /// As [`Source::read_at`].
    fn read_directory(
        &self,
        offset: u64,
        length: u64,
    ) -> LocalBoxFuture<'_, Result<Vec<u8>, ReadError>> {
        self.read_at(offset, length)
    }

    /// Starts a read that goes on while nobody waits for it; none where bytes come only to who
    /// waits, who then asks [`Source::read_at`].
    fn start_read(&self, _offset: u64, _length: u64) -> Option<Started> {
        None
    }
}

/// A directory is looked for in this part of a far file first, at its beginning and at its end.
const WINDOW_SHARE: u64 = 128;

/// What is looked at of a small far file: as much as a server sends at once without waiting for
/// an answer, so that less would not come sooner.
const SMALLEST_WINDOW_BYTES: u64 = 8 * 1024;

/// More than this of a far file is read only if the directory is known to be longer.
const LARGEST_WINDOW_BYTES: u64 = 64 * 1024;

/// How much of a far file's beginning, and of its end, is read when its directory is looked for:
/// a 128th of its length, but at least 8 KiB and at most 64 KiB. Where the two would meet, it is
/// the whole file.
#[must_use]
pub fn window_bytes(file: u64) -> u64 {
    let window = (file / WINDOW_SHARE).clamp(SMALLEST_WINDOW_BYTES, LARGEST_WINDOW_BYTES);
    if file <= 2 * window { file } else { window }
}

/// The length of a read as a `usize`, once it is known that the range lies inside the source.
/// Every implementation of [`Source::read_at`] asks this, or [`checked_buffer`], before it
/// allocates.
///
/// # Errors
/// [`ReadError::OutOfRange`] when the range leaves the source, [`ReadError::TooLarge`] when it
/// does not fit this machine's memory addresses.
pub fn checked_length(source: &dyn Source, offset: u64, length: u64) -> Result<usize, ReadError> {
    let inside = offset
        .checked_add(length)
        .is_some_and(|end| end <= source.bytes());
    if !inside {
        let (path, bytes) = (source.name().to_owned(), source.bytes());
        return Err(ReadError::OutOfRange {
            path,
            offset,
            length,
            bytes,
        });
    }
    usize::try_from(length).map_err(|_| ReadError::TooLarge {
        path: source.name().to_owned(),
        length,
    })
}

/// Zeroed memory for a read, once it is known that the range lies inside the source.
///
/// # Errors
/// As [`checked_length`], and [`ReadError::OutOfMemory`].
pub fn checked_buffer(source: &dyn Source, offset: u64, length: u64) -> Result<Vec<u8>, ReadError> {
    let count = checked_length(source, offset, length)?;
    let mut buffer = Vec::new();
    let reserved = buffer.try_reserve_exact(count);
    reserved.map_err(|_| ReadError::OutOfMemory {
        path: source.name().to_owned(),
        length,
    })?;
    buffer.resize(count, 0);
    Ok(buffer)
}

/// A source in memory.
#[derive(Clone)]
pub struct MemorySource {
    name: String,
    bytes: Rc<[u8]>,
}

impl MemorySource {
    /// A source called `name` that holds `bytes`.
    pub fn new(name: impl Into<String>, bytes: impl Into<Rc<[u8]>>) -> Self {
        Self {
            name: name.into(),
            bytes: bytes.into(),
        }
    }
}

impl Source for MemorySource {
    fn name(&self) -> &str {
        &self.name
    }

    fn bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, length: u64) -> LocalBoxFuture<'_, Result<Vec<u8>, ReadError>> {
        Box::pin(async move {
            let length = checked_length(self, offset, length)?;
            let start = usize::try_from(offset).unwrap_or(usize::MAX);
            let bytes = self.bytes.get(start..).and_then(|rest| rest.get(..length));
            Ok(bytes.unwrap_or_default().to_vec())
        })
    }
}

impl fmt::Debug for MemorySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "MemorySource({:?}, {} bytes)",
            self.name,
            self.bytes.len()
        )
    }
}
