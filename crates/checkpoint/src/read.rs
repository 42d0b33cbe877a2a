//! Reading tensors: nearby ranges in one read, elements widened to `f64`.

pub mod fetch;
pub mod group;

use std::ops::Range;

pub use fetch::{Fetch, TensorBytes};
pub use group::{COALESCE_BYTES, GAPS_ALLOWANCE_BYTES, GAPS_SHARE, GROUP_LIMIT_BYTES};

use crate::catalog::TensorEntry;
use crate::error::ReadError;
use crate::source::Source;
use crate::tensor::Tensor;
use crate::widen::widen;

/// Reads tensors of one file, in the order asked for. Ranges that lie near one another are
/// fetched in one read: of a near file those closer than [`COALESCE_BYTES`], of a far one as many
/// as [`GAPS_SHARE`] allows. Each tensor is widened as soon as its bytes are there.
///
/// # Errors
/// [`ReadError`] when the source fails; the message names the tensor and the file.
pub async fn read_tensors(
    source: &dyn Source,
    entries: &[&TensorEntry],
) -> Result<Vec<Tensor>, ReadError> {
    let mut tensors: Vec<Option<Tensor>> = Vec::new();
    tensors.resize_with(entries.len(), || None);
    for group in group::grouped(source, entries)? {
        let (start, end) = (group.range.start, group.range.end);
        let bytes = source.read_at(start, end - start).await;
        let bytes = bytes.map_err(|error| group.name_of(entries).error(error))?;
        for member in &group.members {
            let own = fetch::inside(start, &member.range).and_then(|range| bytes.get(range));
            let own = own.ok_or_else(|| {
                let error = short(source.name(), &member.range);
                group.name_of(entries).error(error)
            })?;
            let asked = tensors.get_mut(member.index).zip(entries.get(member.index));
            if let Some((slot, entry)) = asked {
                *slot = Some(tensor_of(source.name(), entry, own)?);
            }
        }
    }
    Ok(tensors.into_iter().flatten().collect())
}

fn tensor_of(file: &str, entry: &TensorEntry, bytes: &[u8]) -> Result<Tensor, ReadError> {
    let shape = entry
        .shape
        .iter()
        .map(|extent| usize::try_from(*extent).ok());
    let shape: Option<Vec<usize>> = shape.collect();
    let values = widen(entry, bytes).ok_or_else(|| too_large(file, entry))?;
    Ok(Tensor {
        shape: shape.ok_or_else(|| too_large(file, entry))?,
        values,
    })
}

fn short(file: &str, range: &Range<u64>) -> ReadError {
    ReadError::Short {
        path: file.to_owned(),
        offset: range.start,
        length: range.end - range.start,
    }
}

fn too_large(file: &str, entry: &TensorEntry) -> ReadError {
    let elements = entry
        .shape
        .iter()
        .fold(1_u64, |product, n| product.saturating_mul(*n));
    ReadError::TensorTooLarge {
        path: file.to_owned(),
        tensor: entry.name.clone(),
        elements,
    }
}
