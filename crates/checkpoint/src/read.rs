//! Reading tensors: nearby ranges in one read, elements widened to `f64`.

use crate::catalog::TensorEntry;
use crate::error::ReadError;
use crate::source::Source;
use crate::tensor::Tensor;
use crate::widen::widen;

/// Ranges of one file closer than this are read together.
pub const COALESCE_BYTES: u64 = 256 * 1024;

/// Ranges are read together up to this; a longer tensor is read alone.
pub const GROUP_LIMIT_BYTES: u64 = 64 * 1024 * 1024;

/// Reads tensors of one file, in the order asked for. Ranges closer than [`COALESCE_BYTES`] are
/// fetched in one read; each tensor is widened as soon as its bytes are there.
///
/// # Errors
/// [`ReadError`] when the source fails; the message names the tensor and the file.
pub async fn read_tensors(
    source: &dyn Source,
    entries: &[&TensorEntry],
) -> Result<Vec<Tensor>, ReadError> {
    let mut tensors: Vec<Option<Tensor>> = Vec::new();
    tensors.resize_with(entries.len(), || None);
    for group in grouped(source, entries)? {
        let bytes = source.read_at(group.start, group.end - group.start).await;
        let bytes = bytes.map_err(|error| naming(group.members.first(), error))?;
        for member in &group.members {
            let from = usize::try_from(member.start - group.start).ok();
            let length = usize::try_from(member.length).ok();
            let own = from
                .zip(length)
                .and_then(|(from, length)| bytes.get(from..)?.get(..length));
            let own = own.ok_or_else(|| short(source, member))?;
            if let Some(slot) = tensors.get_mut(member.index) {
                *slot = Some(tensor_of(source, member.entry, own)?);
            }
        }
    }
    Ok(tensors.into_iter().flatten().collect())
}

/// Ranges that are read together.
struct Group<'a> {
    start: u64,
    end: u64,
    members: Vec<Member<'a>>,
}

/// A tensor that was asked for, and its range of the file.
struct Member<'a> {
    index: usize,
    entry: &'a TensorEntry,
    start: u64,
    length: u64,
}

fn grouped<'a>(
    source: &dyn Source,
    entries: &[&'a TensorEntry],
) -> Result<Vec<Group<'a>>, ReadError> {
    let mut members = Vec::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        let range = entry.checked_byte_range();
        let Some((start, length)) =
            range.filter(|(start, length)| start.checked_add(*length).is_some())
        else {
            return Err(too_large(source, entry));
        };
        members.push(Member {
            index,
            entry,
            start,
            length,
        });
    }
    members.sort_by_key(|member| member.start);
    let mut groups: Vec<Group<'a>> = Vec::new();
    for member in members {
        let end = member.start + member.length;
        match groups.last_mut() {
            Some(group) if group.takes(member.start, end) => {
                group.end = group.end.max(end);
                group.members.push(member);
            }
            _ => groups.push(Group {
                start: member.start,
                end,
                members: vec![member],
            }),
        }
    }
    Ok(groups)
}

impl Group<'_> {
    fn takes(&self, start: u64, end: u64) -> bool {
        let near = start.saturating_sub(self.end) <= COALESCE_BYTES;
        let covered = end <= self.end;
        near && (covered || end.saturating_sub(self.start) <= GROUP_LIMIT_BYTES)
    }
}

fn tensor_of(source: &dyn Source, entry: &TensorEntry, bytes: &[u8]) -> Result<Tensor, ReadError> {
    let shape = entry
        .shape
        .iter()
        .map(|extent| usize::try_from(*extent).ok());
    let shape: Option<Vec<usize>> = shape.collect();
    let values = widen(entry, bytes).ok_or_else(|| too_large(source, entry))?;
    Ok(Tensor {
        shape: shape.ok_or_else(|| too_large(source, entry))?,
        values,
    })
}

fn naming(member: Option<&Member<'_>>, error: ReadError) -> ReadError {
    match member {
        Some(member) => ReadError::Tensor {
            tensor: member.entry.name.clone(),
            source: Box::new(error),
        },
        None => error,
    }
}

fn short(source: &dyn Source, member: &Member<'_>) -> ReadError {
    let (path, offset, length) = (source.name().to_owned(), member.start, member.length);
    naming(
        Some(member),
        ReadError::Short {
            path,
            offset,
            length,
        },
    )
}

fn too_large(source: &dyn Source, entry: &TensorEntry) -> ReadError {
    let elements = entry
        .shape
        .iter()
        .fold(1_u64, |product, n| product.saturating_mul(*n));
    let (path, tensor) = (source.name().to_owned(), entry.name.clone());
    ReadError::TensorTooLarge {
        path,
        tensor,
        elements,
    }
}
