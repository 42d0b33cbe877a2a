//! PyTorch's zip form, since 1.6: `{root}/data.pkl`, `{root}/byteorder`, `{root}/data/{key}`.

use std::collections::HashMap;

use futures_core::future::LocalBoxFuture;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

use super::archive::{Archive, Entry, METHOD_DEFLATED, METHOD_STORED};
use super::pickle::{PICKLE_LIMIT_BYTES, Pickle};
use super::tensors::{NamedTensor, StoragePlace, unfold};
use crate::catalog::{Catalog, TensorEntry};
use crate::error::{FormatError, PickleError, TorchError, ZipError};
use crate::format::Format;
use crate::source::Source;

/// A compressed `data.pkl` may inflate to this many times the file's length, and
/// [`INFLATED_FLOOR_BYTES`].
const INFLATED_PER_BYTE: u64 = 4;

/// What any compressed `data.pkl` may inflate to.
const INFLATED_FLOOR_BYTES: u64 = 256 * 1024;

/// A `byteorder` this close behind `data.pkl` is read with it.
const BYTEORDER_GAP_BYTES: u64 = 64 * 1024;

/// PyTorch's zip form.
#[derive(Debug)]
pub struct TorchZip;

impl Format for TorchZip {
    fn name(&self) -> &'static str {
        "PyTorch"
    }

    fn recognises(&self, head: &[u8], _bytes: u64) -> bool {
        head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
    }

    fn catalog<'a>(
        &'a self,
        source: &'a dyn Source,
    ) -> LocalBoxFuture<'a, Result<Catalog, FormatError>> {
        Box::pin(read_catalog(source))
    }
}

async fn read_catalog(source: &dyn Source) -> Result<Catalog, FormatError> {
    let mut archive = Archive::open(source).await?;
    let root = root_folder(&archive)?;
    let byteorder_name = format!("{root}/byteorder");
    let byteorder = archive.entry(&byteorder_name).cloned();
    let pickle_name = format!("{root}/data.pkl");
    let pickle_entry = archive
        .entry(&pickle_name)
        .cloned()
        .ok_or(TorchError::NoPickle)?;
    check_pickle_length(&pickle_name, &pickle_entry, source.bytes())?;
    if let Some(byteorder) = &byteorder {
        archive
            .prefetch(&pickle_entry, byteorder, BYTEORDER_GAP_BYTES)
            .await?;
    }
    let big_endian = match byteorder {
        Some(entry) => is_big_endian(&archive.stored(&byteorder_name, &entry).await?)?,
        None => false,
    };
    let mut bytes = archive.stored(&pickle_name, &pickle_entry).await?;
    if !pickle_entry.is_stored() {
        bytes = inflate(&pickle_name, &pickle_entry, &bytes)?;
    }
    let pickle = Pickle::read(&bytes)?;
    let unfolded = unfold(&pickle)?;
    let places = storage_places(&mut archive, &root, &unfolded.tensors).await?;
    let tensors = unfolded
        .tensors
        .into_iter()
        .map(|tensor| place(tensor, &places, big_endian));
    let tensors = tensors.collect::<Result<Vec<TensorEntry>, TorchError>>()?;
    Ok(Catalog {
        tensors,
        unreadable: unfolded.unreadable,
        ..Catalog::default()
    })
}

/// The one folder that holds a `data.pkl`.
fn root_folder(archive: &Archive<'_>) -> Result<String, TorchError> {
    let roots = archive
        .names()
        .filter_map(|name| name.strip_suffix("/data.pkl"));
    let mut roots: Vec<&str> = roots.filter(|root| !root.contains('/')).collect();
    roots.sort_unstable();
    match roots.as_slice() {
        [] => Err(TorchError::NoPickle),
        [root] => Ok((*root).to_owned()),
        [first, second, ..] => {
            let (first, second) = ((*first).to_owned(), (*second).to_owned());
            Err(TorchError::SeveralPickles { first, second })
        }
    }
}

/// Checks what the directory says of `data.pkl` before any of it is read.
fn check_pickle_length(name: &str, entry: &Entry, file: u64) -> Result<(), FormatError> {
    check_readable(name, entry)?;
    let bytes = entry.bytes;
    let limit = PICKLE_LIMIT_BYTES.min(INFLATED_FLOOR_BYTES + INFLATED_PER_BYTE * file);
    if !entry.is_stored() && bytes > limit {
        return Err(ZipError::InflatesTooFar {
            entry: name.to_owned(),
            bytes,
            limit,
        }
        .into());
    }
    if bytes.max(entry.compressed_bytes) > PICKLE_LIMIT_BYTES {
        return Err(PickleError::TooLong {
            bytes,
            limit: PICKLE_LIMIT_BYTES,
        }
        .into());
    }
    Ok(())
}

fn check_readable(name: &str, entry: &Entry) -> Result<(), ZipError> {
    let name = || name.to_owned();
    if entry.is_encrypted() {
        return Err(ZipError::Encrypted { entry: name() });
    }
    match entry.method {
        METHOD_STORED if entry.is_stored() => Ok(()),
        METHOD_STORED => Err(ZipError::BadDeflate {
            entry: name(),
            bytes: entry.bytes,
        }),
        METHOD_DEFLATED => Ok(()),
        method => Err(ZipError::UnknownCompression {
            entry: name(),
            method,
        }),
    }
}

fn inflate(name: &str, entry: &Entry, stored: &[u8]) -> Result<Vec<u8>, ZipError> {
    let limit = usize::try_from(entry.bytes).unwrap_or(0);
    let inflated = decompress_to_vec_with_limit(stored, limit).ok();
    let whole = inflated.filter(|bytes| bytes.len() == limit);
    whole.ok_or_else(|| ZipError::BadDeflate {
        entry: name.to_owned(),
        bytes: entry.bytes,
    })
}

fn is_big_endian(byteorder: &[u8]) -> Result<bool, TorchError> {
    match byteorder {
        b"little" => Ok(false),
        b"big" => Ok(true),
        other => {
            let start = other.get(..other.len().min(16)).unwrap_or_default();
            Err(TorchError::UnknownByteOrder {
                found: start.escape_ascii().to_string(),
            })
        }
    }
}

/// Where the storages lie that the tensors use.
async fn storage_places<'p>(
    archive: &mut Archive<'_>,
    root: &str,
    tensors: &[NamedTensor<'p>],
) -> Result<HashMap<&'p str, StoragePlace>, FormatError> {
    let mut keys = HashMap::new();
    let mut wanted = Vec::new();
    for tensor in tensors {
        let key = tensor.storage.key;
        if keys.contains_key(key) {
            continue;
        }
        let name = format!("{root}/data/{key}");
        let Some(entry) = archive.entry(&name).cloned() else {
            let (tensor, key) = (tensor.name.clone(), key.to_owned());
            return Err(TorchError::MissingStorage { tensor, key }.into());
        };
        check_readable(&name, &entry)?;
        if !entry.is_stored() {
            return Err(ZipError::Compressed { entry: name }.into());
        }
        keys.insert(key, wanted.len());
        wanted.push((name, entry));
    }
    let offsets = archive.data_offsets(&wanted).await?;
    let place = |index: usize| {
        let (offset, (_, entry)) = offsets.get(index).zip(wanted.get(index))?;
        Some(StoragePlace {
            offset: *offset,
            bytes: entry.bytes,
        })
    };
    Ok(keys
        .into_iter()
        .filter_map(|(key, index)| Some((key, place(index)?)))
        .collect())
}

fn place(
    tensor: NamedTensor<'_>,
    places: &HashMap<&str, StoragePlace>,
    big_endian: bool,
) -> Result<TensorEntry, TorchError> {
    match places.get(tensor.storage.key) {
        Some(place) => tensor.placed(*place, big_endian),
        None => {
            let (tensor, key) = (tensor.name, tensor.storage.key.to_owned());
            Err(TorchError::MissingStorage { tensor, key })
        }
    }
}
