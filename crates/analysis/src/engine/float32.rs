//! Entries of float32 from a file's bytes to [`Float32Entries`], without the matrix between them.

use ckptscope_checkpoint::read::{TensorBytes, read_pieces};
use ckptscope_checkpoint::{ReadError, Source, TensorEntry};
use ckptscope_metrics::Float32Entries;

/// Reads a tensor a piece at a time: once, and a second time where the order of its entries is
/// wanted. The bytes of a far file are held between.
pub(super) async fn read(
    source: &dyn Source,
    entry: &TensorEntry,
    ordered: bool,
) -> Result<Float32Entries, ReadError> {
    let mut entries = Float32Entries::default();
    let mut held = Vec::new();
    let count = &mut |bytes: &[u8]| {
        entries.count(bytes.as_chunks().0);
        if ordered && source.is_far() {
            held.extend_from_slice(bytes);
        }
    };
    read_pieces(source, entry, count).await?;
    if ordered {
        begin_order(&mut entries, source.name(), entry)?;
        if source.is_far() {
            entries.place(held.as_chunks().0);
        } else {
            let place = &mut |bytes: &[u8]| entries.place(bytes.as_chunks().0);
            read_pieces(source, entry, place).await?;
        }
        if !entries.is_ordered() {
            let (offset, length) = entry.byte_range();
            let path = source.name().to_owned();
            return Err(ReadError::Short {
                path,
                offset,
                length,
            });
        }
    }
    Ok(entries)
}

/// Of a tensor whose bytes are at hand.
pub(super) fn of_bytes(
    bytes: &TensorBytes,
    entry: &TensorEntry,
    ordered: bool,
) -> Result<Float32Entries, ReadError> {
    let mut entries = Float32Entries::default();
    let elements = bytes.checked(entry)?.as_chunks().0;
    entries.count(elements);
    if ordered {
        begin_order(&mut entries, bytes.file(), entry)?;
        entries.place(elements);
    }
    Ok(entries)
}

fn begin_order(
    entries: &mut Float32Entries,
    file: &str,
    entry: &TensorEntry,
) -> Result<(), ReadError> {
    entries
        .begin_order()
        .ok_or_else(|| ReadError::TensorTooLarge {
            path: file.to_owned(),
            tensor: entry.name.clone(),
            elements: entry.elements(),
        })
}
