//! PyTorch's zip form, since 1.6: `{root}/data.pkl`, `{root}/byteorder`, `{root}/data/{key}`.

use std::collections::HashMap;

use futures_core::future::LocalBoxFuture;

use super::archive::{Archive, Entry, METHOD_DEFLATED, METHOD_STORED};
use super::pickle::{PICKLE_LIMIT_BYTES, Pickle};
use super::tensors::{Elements, NamedTensor, StoragePlace, unfold};
use crate::catalog::{Catalog, Packing, TensorEntry};
use crate::error::{FormatError, PickleError, TorchError, ZipError};
use crate::foreign::Foreign;
use crate::format::Format;
use crate::read::checksum::crc32;
use crate::read::unpack::inflated;
use crate::source::Source;

/// A compressed `data.pkl` may inflate to this many times the file's length, and
/// [`INFLATED_FLOOR_BYTES`].
const INFLATED_PER_BYTE: u64 = 4;

/// What any compressed `data.pkl` may inflate to.
const INFLATED_FLOOR_BYTES: u64 = 256 * 1024;

/// Compressed storages may together inflate to this many times the file's length, and
/// [`STORAGES_FLOOR_BYTES`]. Weights hardly shrink; masks and what is still zero do.
const STORAGES_PER_BYTE: u64 = 16;

/// What the compressed storages of any file may inflate to.
const STORAGES_FLOOR_BYTES: u64 = 64 * 1024 * 1024;

/// A `byteorder` is `little` or `big`.
const BYTEORDER_LIMIT_BYTES: u64 = 16;

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
    let byteorder_name = format!("{root}byteorder");
    let byteorder = archive.entry(&byteorder_name).cloned();
    let pickle_name = format!("{root}data.pkl");
    let pickle_entry = archive
        .entry(&pickle_name)
        .cloned()
        .ok_or_else(|| no_pickle(&archive))?;
    check_pickle_length(&pickle_name, &pickle_entry, source.bytes())?;
    if let Some(byteorder) = &byteorder {
        archive
            .prefetch(&pickle_entry, byteorder, BYTEORDER_GAP_BYTES)
            .await?;
    }
    let big_endian = match byteorder {
        Some(entry) => is_big_endian(&byteorder_of(&mut archive, &byteorder_name, &entry).await?)?,
        None => false,
    };
    let (pickle_offset, stored) = archive.stored(&pickle_name, &pickle_entry).await?;
    let bytes = unpacked(&pickle_name, &pickle_entry, stored)?;
    let pickle = Pickle::read(&bytes)?;
    let unfolded = unfold(&pickle)?;
    let places = Places {
        storages: storage_places(&mut archive, &root, &unfolded.tensors, source.bytes()).await?,
        pickle: pickle_entry.is_stored().then_some(pickle_offset),
        big_endian,
    };
    let mut catalog = Catalog {
        unreadable: unfolded.unreadable,
        ..Catalog::default()
    };
    for tensor in unfolded.tensors {
        match places.place(tensor)? {
            Ok(entry) => catalog.tensors.push(entry),
            Err(unreadable) => catalog.unreadable.push(unreadable),
        }
    }
    Ok(catalog)
}

/// What stands before the names of the one folder's entries that holds a `data.pkl`: as a rule
/// `{folder}/`. Who packs an archive anew may put it deeper, or leave it out.
fn root_folder(archive: &Archive<'_>) -> Result<String, TorchError> {
    let is_root = |root: &&str| root.is_empty() || root.ends_with('/');
    let roots = archive
        .names()
        .filter_map(|name| name.strip_suffix("data.pkl"))
        .filter(is_root);
    let mut roots: Vec<(usize, &str)> = roots
        .map(|root| (root.matches('/').count(), root))
        .collect();
    roots.sort_unstable();
    match roots.as_slice() {
        [] => Err(no_pickle(archive)),
        [(depth, first), (next, second), ..] if depth == next || (*depth, *next) == (0, 1) => {
            let name = |root: &str| root.trim_end_matches('/').to_owned();
            let (first, second) = (name(first), name(second));
            Err(TorchError::SeveralPickles { first, second })
        }
        [(_, root), ..] => Ok((*root).to_owned()),
    }
}

fn no_pickle(archive: &Archive<'_>) -> TorchError {
    let what = Foreign::by_entries(archive.names());
    TorchError::NoPickle { what }
}

async fn byteorder_of(
    archive: &mut Archive<'_>,
    name: &str,
    entry: &Entry,
) -> Result<Vec<u8>, FormatError> {
    check_readable(name, entry)?;
    check_inflated(name, entry, BYTEORDER_LIMIT_BYTES)?;
    let (_, stored) = archive.stored(name, entry).await?;
    Ok(unpacked(name, entry, stored)?)
}

/// Checks what the directory says of `data.pkl` before any of it is read.
fn check_pickle_length(name: &str, entry: &Entry, file: u64) -> Result<(), FormatError> {
    check_readable(name, entry)?;
    let limit = PICKLE_LIMIT_BYTES.min(INFLATED_FLOOR_BYTES + INFLATED_PER_BYTE * file);
    check_inflated(name, entry, limit)?;
    let bytes = entry.bytes;
    if bytes.max(entry.compressed_bytes) > PICKLE_LIMIT_BYTES {
        return Err(PickleError::TooLong {
            bytes,
            limit: PICKLE_LIMIT_BYTES,
        }
        .into());
    }
    Ok(())
}

fn check_inflated(name: &str, entry: &Entry, limit: u64) -> Result<(), ZipError> {
    if entry.is_stored() || entry.bytes <= limit {
        return Ok(());
    }
    Err(ZipError::InflatesTooFar {
        entry: name.to_owned(),
        bytes: entry.bytes,
        limit,
    })
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

/// An entry's bytes, of those that stand in the archive.
fn unpacked(name: &str, entry: &Entry, stored: Vec<u8>) -> Result<Vec<u8>, ZipError> {
    let bytes = if entry.is_stored() {
        stored
    } else {
        inflated(&stored, entry.bytes).ok_or_else(|| ZipError::BadDeflate {
            entry: name.to_owned(),
            bytes: entry.bytes,
        })?
    };
    if entry
        .crc32
        .is_some_and(|expected| expected != crc32(&bytes))
    {
        return Err(ZipError::BadChecksum {
            entry: name.to_owned(),
        });
    }
    Ok(bytes)
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
    file: u64,
) -> Result<HashMap<&'p str, StoragePlace>, FormatError> {
    let mut keys = HashMap::new();
    let mut wanted = Vec::new();
    let mut inflated_bytes: u64 = 0;
    let limit = STORAGES_FLOOR_BYTES + STORAGES_PER_BYTE * file;
    for tensor in tensors {
        let Elements::Storage(storage) = &tensor.elements else {
            continue;
        };
        let key = storage.key;
        if keys.contains_key(key) {
            continue;
        }
        let name = format!("{root}data/{key}");
        let Some(entry) = archive.entry(&name).cloned() else {
            let (tensor, key) = (tensor.name.clone(), key.to_owned());
            return Err(TorchError::MissingStorage { tensor, key }.into());
        };
        check_readable(&name, &entry)?;
        if !entry.is_stored() {
            check_inflated(&name, &entry, limit - inflated_bytes)?;
            inflated_bytes += entry.bytes;
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
            packing: packing(entry),
            crc32: entry.crc32,
        })
    };
    Ok(keys
        .into_iter()
        .filter_map(|(key, index)| Some((key, place(index)?)))
        .collect())
}

fn packing(entry: &Entry) -> Packing {
    if entry.is_stored() {
        return Packing::Plain;
    }
    Packing::Deflated {
        packed_bytes: entry.compressed_bytes,
        bytes: entry.bytes,
    }
}

/// Where things lie in the archive.
struct Places<'p> {
    storages: HashMap<&'p str, StoragePlace>,
    /// Where the pickle begins, unless it is compressed.
    pickle: Option<u64>,
    /// Whether the storages' elements are.
    big_endian: bool,
}

impl Places<'_> {
    /// A tensor's entry of the catalog, or its name and why it cannot be read.
    fn place(
        &self,
        tensor: NamedTensor<'_>,
    ) -> Result<Result<TensorEntry, (String, String)>, TorchError> {
        match (tensor.elements, self.pickle) {
            (Elements::Storage(storage), _) => match self.storages.get(storage.key) {
                Some(place) => tensor.placed(&storage, *place, self.big_endian).map(Ok),
                None => {
                    let (tensor, key) = (tensor.name, storage.key.to_owned());
                    Err(TorchError::MissingStorage { tensor, key })
                }
            },
            (Elements::Pickle(bytes), Some(offset)) => {
                Ok(Ok(tensor.placed_in_pickle(bytes, offset)))
            }
            (Elements::Pickle(_), None) => {
                let reason = "it is a NumPy array in a compressed data.pkl: unpack the archive and \
                              pack it again with `zip -0 -r`";
                Ok(Err((tensor.name, reason.to_owned())))
            }
        }
    }
}
