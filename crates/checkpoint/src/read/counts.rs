//! How often each bit pattern occurs among a tensor's elements, without holding them.
//!
//! Elements of 16 bits have 65,536 patterns. One pass over the bytes counts them, a piece of the
//! file at a time, so that memory does not grow with the tensor. What each pattern is worth is
//! asked of the same code that widens tensors.

use super::checksum::Crc32;
use super::group::GroupName;
use super::unpack::Damage;
use super::{TensorBytes, damaged, short, too_large};
use crate::catalog::{Packing, Placement, TensorEntry};
use crate::dtype::Dtype;
use crate::error::ReadError;
use crate::source::Source;
use crate::stored::StoredTensor;
use crate::tree::Tree;
use crate::widen::widen;

/// Bytes of a near file that are counted at a time: few enough to stay in a processor's cache.
pub const NEAR_PIECE_BYTES: u64 = 1024 * 1024;

/// Bytes of a far file that one request brings.
pub const FAR_PIECE_BYTES: u64 = 32 * 1024 * 1024;

/// Patterns of 16 bits.
const PATTERNS: usize = 1 << 16;

/// How often each bit pattern occurs among the elements of one tensor.
#[derive(Clone, Debug)]
pub struct PatternCounts {
    /// The tensor.
    entry: TensorEntry,
    /// By pattern, in two tables one after the other: a neighbour that is equal counts in the
    /// other one, and need not wait.
    counts: Vec<u64>,
}

impl StoredTensor {
    /// Whether its elements can be counted: they have at most 16 bits, are values, and lie in one
    /// place, each once.
    #[must_use]
    pub fn can_be_counted(&self) -> bool {
        self.counted_entry().is_some()
    }

    fn counted_entry(&self) -> Option<&TensorEntry> {
        self.plain_entry().filter(|entry| entry.dtype.bytes() <= 2)
    }

    /// Where its elements are float32 as they stand in its file, each once: its entry there.
    #[must_use]
    pub fn float32_entry(&self) -> Option<&TensorEntry> {
        let entry = self.plain_entry()?;
        let as_they_stand = !entry.placement.big_endian && !entry.placement.negated;
        (entry.dtype == Dtype::F32 && as_they_stand).then_some(entry)
    }

    /// Where its elements are values, and lie in one place, each once.
    fn plain_entry(&self) -> Option<&TensorEntry> {
        let chunk = self.elements.only_chunk()?;
        let entry = &chunk.entry;
        let is_plain = self.scale.is_none()
            && chunk.wrapped.is_none()
            && entry.placement.packing == Packing::Plain
            && (entry.is_row_major() || entry.is_column_major());
        is_plain.then_some(entry)
    }
}

impl PatternCounts {
    /// Of a tensor, nothing counted yet; none where it cannot be counted.
    #[must_use]
    pub fn of(tensor: &StoredTensor) -> Option<Self> {
        Some(Self {
            entry: tensor.counted_entry()?.clone(),
            counts: vec![0; 2 * PATTERNS],
        })
    }

    /// Of a tensor whose bytes are all at hand; none where it cannot be counted.
    ///
    /// # Errors
    /// [`ReadError::BadChecksum`]; [`ReadError::Short`] where they are not all of its elements.
    pub fn of_bytes(
        tensor: &StoredTensor,
        bytes: &[TensorBytes],
    ) -> Result<Option<Self>, ReadError> {
        let (Some(mut counts), [bytes]) = (Self::of(tensor), bytes) else {
            return Ok(None);
        };
        let bytes = bytes.checked(&counts.entry)?;
        counts.add(bytes);
        Ok(Some(counts))
    }

    /// Counts elements that lie one after the other.
    fn add(&mut self, bytes: &[u8]) {
        let ([first, second], _) = self.counts.as_chunks_mut::<PATTERNS>() else {
            return;
        };
        if self.entry.dtype.bytes() == 1 {
            for &byte in bytes {
                first[usize::from(byte)] += 1;
            }
            return;
        }
        let (fours, rest) = bytes.as_chunks::<8>();
        for &[a, b, c, d, e, f, g, h] in fours {
            first[usize::from(u16::from_le_bytes([a, b]))] += 1;
            second[usize::from(u16::from_le_bytes([c, d]))] += 1;
            first[usize::from(u16::from_le_bytes([e, f]))] += 1;
            second[usize::from(u16::from_le_bytes([g, h]))] += 1;
        }
        for &element in rest.as_chunks::<2>().0 {
            first[usize::from(u16::from_le_bytes(element))] += 1;
        }
    }

    /// The values that occur, each with how often; a value may come several times.
    ///
    /// # Errors
    /// [`ReadError::TensorTooLarge`] where there is no memory for them.
    pub fn values(&self, file: &str) -> Result<Vec<(f64, usize)>, ReadError> {
        let (first, second) = self.counts.split_at(PATTERNS);
        let counts = first.iter().zip(second).map(|(one, other)| one + other);
        let found: Vec<(u16, u64)> = (0..=u16::MAX).zip(counts).filter(|it| it.1 > 0).collect();
        let element = usize::try_from(self.entry.dtype.bytes()).unwrap_or(2);
        let patterns = found.iter().flat_map(|(pattern, _)| {
            let bytes = pattern.to_le_bytes();
            bytes.into_iter().take(element)
        });
        let entry = TensorEntry {
            shape: vec![found.len() as u64],
            placement: Placement {
                storage_offset_bytes: 0,
                offset: 0,
                strides: vec![1],
                ..self.entry.placement.clone()
            },
            ..self.entry.clone()
        };
        let error = || too_large(file, &self.entry.name, &self.entry.shape);
        let values = widen(&entry, &patterns.collect::<Vec<u8>>()).ok_or_else(error)?;
        let counts = found.iter().map(|(_, count)| usize::try_from(*count));
        let counted = values.into_iter().zip(counts);
        counted
            .map(|(value, count)| Ok((value, count.map_err(|_| error())?)))
            .collect()
    }
}

/// Counts a tensor of a tree, a piece of its file at a time; none where it cannot be counted.
///
/// # Errors
/// As [`count_from`].
pub async fn count_stored(
    tree: &dyn Tree,
    tensor: &StoredTensor,
) -> Result<Option<PatternCounts>, ReadError> {
    let Some((mut counts, extent)) = PatternCounts::of(tensor).zip(tensor.extents().next()) else {
        return Ok(None);
    };
    let source = tree.open(extent.path).await?;
    count_from(&*source, &mut counts).await?;
    Ok(Some(counts))
}

/// Counts a tensor of a file, a piece at a time.
///
/// # Errors
/// As [`read_pieces`].
pub async fn count_from(source: &dyn Source, counts: &mut PatternCounts) -> Result<(), ReadError> {
    let entry = counts.entry.clone();
    read_pieces(source, &entry, &mut |bytes| counts.add(bytes)).await
}

/// Shows the bytes of a tensor of a file, a piece at a time. Pieces are whole elements.
///
/// # Errors
/// [`ReadError`] when the source fails, or the bytes are not what their checksum says; the message
/// names the tensor and the file.
pub async fn read_pieces(
    source: &dyn Source,
    entry: &TensorEntry,
    look: &mut dyn FnMut(&[u8]),
) -> Result<(), ReadError> {
    let range = entry.checked_byte_range();
    let range = range.and_then(|(start, length)| Some((start, start.checked_add(length)?)));
    let (mut start, end) =
        range.ok_or_else(|| too_large(source.name(), &entry.name, &entry.shape))?;
    let piece = if source.is_far() {
        FAR_PIECE_BYTES
    } else {
        NEAR_PIECE_BYTES
    };
    let mut checked = Checked::default();
    while start < end {
        let length = piece.min(end - start);
        let bytes = source.read_at(start, length).await;
        let bytes = bytes.map_err(|error| GroupName::of_one(&entry.name).error(error))?;
        checked.add(entry, &bytes);
        look(&bytes);
        start += length;
    }
    checked.check(source.name(), entry)
}

impl TensorBytes {
    /// They as they stand in the file, held against the tensor's shape and what their archive says
    /// of them.
    ///
    /// # Errors
    /// [`ReadError::BadChecksum`]; [`ReadError::Short`] where they are not all of its elements.
    pub fn checked(&self, entry: &TensorEntry) -> Result<&[u8], ReadError> {
        let mut checked = Checked::default();
        checked.add(entry, self.bytes());
        checked.check(self.file(), entry)?;
        Ok(self.bytes())
    }
}

/// What is known of bytes that were read.
#[derive(Default)]
struct Checked {
    bytes: u64,
    checksum: Crc32,
}

impl Checked {
    fn add(&mut self, entry: &TensorEntry, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        if entry.placement.crc32.is_some() {
            self.checksum.add(bytes);
        }
    }

    fn check(&self, file: &str, entry: &TensorEntry) -> Result<(), ReadError> {
        if Some(self.bytes) != entry.elements().checked_mul(entry.dtype.bytes()) {
            let (start, length) = entry.byte_range();
            return Err(short(file, &(start..start.saturating_add(length))));
        }
        match entry.placement.crc32 {
            Some(expected) if expected != self.checksum.value() => {
                Err(damaged(file, entry, &Damage::Checksum))
            }
            _ => Ok(()),
        }
    }
}
