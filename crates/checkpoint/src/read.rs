//! Reading tensors: nearby ranges in one read, elements widened to `f64`.

pub(crate) mod checksum;
pub mod counts;
pub mod fetch;
pub mod group;
pub(crate) mod unpack;

use std::ops::Range;

use self::unpack::Damage;
pub use counts::{
    FAR_PIECE_BYTES, NEAR_PIECE_BYTES, PatternCounts, count_from, count_stored, read_pieces,
};
pub use fetch::{Fetch, TensorBytes};
pub use group::{COALESCE_BYTES, GAPS_ALLOWANCE_BYTES, GAPS_SHARE, GROUP_LIMIT_BYTES, near_reads};

use crate::catalog::{Packing, TensorEntry};
use crate::error::ReadError;
use crate::source::Source;
use crate::stored::{StoredTensor, count};
use crate::tensor::Tensor;
use crate::tree::Tree;
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

/// Reads a tensor of a tree's files, its chunks and factors together.
///
/// # Errors
/// As [`read_tensors`], and as [`StoredTensor::values`].
pub async fn read_stored(tree: &dyn Tree, tensor: &StoredTensor) -> Result<Tensor, ReadError> {
    let extents: Vec<_> = tensor.extents().collect();
    let mut bytes = Vec::with_capacity(extents.len());
    for of_file in extents.chunk_by(|one, next| one.path == next.path) {
        let path = of_file.first().map_or("", |extent| extent.path);
        let entries: Vec<&TensorEntry> = of_file.iter().map(|extent| extent.entry).collect();
        let source = tree.open(path).await?;
        bytes.extend(Fetch::start(source, &entries)?.finish().await?);
    }
    tensor.values(&bytes)
}

fn tensor_of(file: &str, entry: &TensorEntry, bytes: &[u8]) -> Result<Tensor, ReadError> {
    let shape = entry
        .shape
        .iter()
        .map(|extent| usize::try_from(*extent).ok());
    let shape: Option<Vec<usize>> = shape.collect();
    let bytes = unpack::view_bytes(entry, bytes).map_err(|it| damaged(file, entry, &it))?;
    let error = || too_large(file, &entry.name, &entry.shape);
    let values = widen(entry, &bytes).ok_or_else(error)?;
    Ok(Tensor {
        shape: shape.ok_or_else(error)?,
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

fn damaged(file: &str, entry: &TensorEntry, damage: &Damage) -> ReadError {
    let (path, tensor) = (file.to_owned(), entry.name.clone());
    let bytes = match (damage, entry.placement.packing) {
        (Damage::Checksum, _) => return ReadError::BadChecksum { path, tensor },
        (_, Packing::Plain) => 0,
        (_, Packing::Deflated { bytes, .. } | Packing::Text { bytes, .. }) => bytes,
    };
    ReadError::BadPacking {
        path,
        tensor,
        bytes,
    }
}

pub(crate) fn too_large(file: &str, tensor: &str, shape: &[u64]) -> ReadError {
    ReadError::TensorTooLarge {
        path: file.to_owned(),
        tensor: tensor.to_owned(),
        elements: count(shape),
    }
}
