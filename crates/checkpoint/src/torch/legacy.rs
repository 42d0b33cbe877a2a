//! PyTorch's form before 1.6: five pickles, then the storages.
//!
//! The pickles are a magic number, the protocol version, facts of the machine that wrote it, the
//! object, and the storages' keys. Then follow, in the order of the keys, the number of elements
//! of each storage as an `i64` and its bytes.

use std::collections::HashMap;

use futures_core::future::LocalBoxFuture;

use super::pickle::{PICKLE_LIMIT_BYTES, Pickle};
use super::tensors::{Elements, StoragePlace, unfold};
use super::value::{StorageValue, Value};
use crate::catalog::{Catalog, Packing};
use crate::error::{FormatError, PickleError, TorchError};
use crate::format::Format;
use crate::source::{Source, window_bytes};

const MAGIC: i128 = 0x1950_a86a_20f9_469c_fc6c;
const VERSION: i128 = 1001;

/// What is read of a near file at first; as long as the pickles go on, four times as much again.
const FIRST_READ_BYTES: u64 = 64 * 1024;

/// A storage's number of elements, an `i64`.
const COUNT_BYTES: u64 = 8;

/// PyTorch's form before 1.6.
#[derive(Debug)]
pub struct TorchLegacy;

impl Format for TorchLegacy {
    fn name(&self) -> &'static str {
        "legacy PyTorch"
    }

    fn recognises(&self, head: &[u8], _bytes: u64) -> bool {
        matches!(head, [0x80, 2..=5, ..])
    }

    fn catalog<'a>(
        &'a self,
        source: &'a dyn Source,
    ) -> LocalBoxFuture<'a, Result<Catalog, FormatError>> {
        Box::pin(async move {
            let mut length = first_read_bytes(source);
            loop {
                let head = source.read_directory(0, length).await?;
                match catalog_from_head(&head, source.bytes()) {
                    Err(FormatError::Pickle(PickleError::Ended { .. }))
                        if length < source.bytes() && length < PICKLE_LIMIT_BYTES =>
                    {
                        length = source.bytes().min(4 * length);
                    }
                    Ok((catalog, checks)) => {
                        check_counts(source, &head, &checks).await?;
                        return Ok(catalog);
                    }
                    Err(error) => return Err(error),
                }
            }
        })
    }
}

fn first_read_bytes(source: &dyn Source) -> u64 {
    let file = source.bytes();
    if source.is_far() {
        window_bytes(file)
    } else {
        file.min(FIRST_READ_BYTES)
    }
}

/// A storage's count, to be compared with what the pickle says.
struct CountCheck {
    key: String,
    offset: u64,
    expected: u64,
}

fn catalog_from_head(head: &[u8], file: u64) -> Result<(Catalog, Vec<CountCheck>), FormatError> {
    let rest = checked_preamble(head)?;
    let object_offset = (head.len() - rest.len()) as u64;
    let object = Pickle::read(rest)?;
    let rest = rest.get(object.length..).unwrap_or_default();
    let keys = Pickle::read(rest)?;
    let rest = rest.get(keys.length..).unwrap_or_default();
    let data_offset = (head.len() - rest.len()) as u64;
    let (places, checks) = storage_places(&object, &keys, data_offset, file)?;
    let unfolded = unfold(&object)?;
    let mut catalog = Catalog {
        unreadable: unfolded.unreadable,
        ..Catalog::default()
    };
    for tensor in unfolded.tensors {
        catalog.tensors.push(match tensor.elements {
            Elements::Pickle(bytes) => tensor.placed_in_pickle(bytes, object_offset),
            Elements::Storage(storage) => match places.get(storage.key) {
                Some(place) => tensor.placed(&storage, *place, false)?,
                None => {
                    let (tensor, key) = (tensor.name, storage.key.to_owned());
                    return Err(TorchError::MissingStorage { tensor, key }.into());
                }
            },
        });
    }
    Ok((catalog, checks))
}

/// Reads the first three pickles and returns what follows them.
fn checked_preamble(head: &[u8]) -> Result<&[u8], FormatError> {
    let magic = Pickle::read(head)?;
    if magic.values.integer(magic.root) != Some(MAGIC) {
        return Err(TorchError::NoMagic.into());
    }
    let rest = head.get(magic.length..).unwrap_or_default();
    let version = Pickle::read(rest)?;
    match version.values.integer(version.root) {
        Some(VERSION) => {}
        found => {
            let found = found
                .and_then(|found| i64::try_from(found).ok())
                .unwrap_or(-1);
            return Err(TorchError::UnknownVersion { found }.into());
        }
    }
    let rest = rest.get(version.length..).unwrap_or_default();
    let machine = Pickle::read(rest)?;
    let facts = machine.values.entries(machine.root).unwrap_or_default();
    let big_endian = facts.iter().any(|(key, value)| {
        machine.values.text(*key) == Some("little_endian") && *value == Value::Bool(false)
    });
    if big_endian {
        return Err(TorchError::LegacyBigEndian.into());
    }
    Ok(rest.get(machine.length..).unwrap_or_default())
}

type Places<'p> = (HashMap<&'p str, StoragePlace>, Vec<CountCheck>);

/// Where the storages lie: one after the other, each as long as the pickle says.
fn storage_places<'p>(
    object: &Pickle<'_>,
    keys: &Pickle<'p>,
    data_offset: u64,
    file: u64,
) -> Result<Places<'p>, TorchError> {
    let described = described_storages(object)?;
    let mut places = HashMap::new();
    let mut checks = Vec::new();
    let mut offset = data_offset;
    for key in keys.values.items(keys.root).ok_or(TorchError::NoKeys)? {
        let key = keys.values.text(*key).ok_or(TorchError::NoKeys)?;
        let Some(storage) = described.get(key) else {
            return Err(TorchError::UnusedStorage {
                key: key.to_owned(),
            });
        };
        let bytes = storage_bytes(storage);
        checks.push(CountCheck {
            key: key.to_owned(),
            offset,
            expected: storage.elements,
        });
        offset = offset.saturating_add(COUNT_BYTES);
        let packing = Packing::Plain;
        places.insert(
            key,
            StoragePlace {
                offset,
                bytes,
                packing,
                crc32: None,
            },
        );
        offset = offset.saturating_add(bytes);
        if offset > file {
            return Err(TorchError::CutOff {
                key: key.to_owned(),
                end: offset,
                file,
            });
        }
    }
    Ok((places, checks))
}

/// The storages by key. Several tensors name one storage, and must mean the same by it.
fn described_storages<'a, 'p>(
    object: &'a Pickle<'p>,
) -> Result<HashMap<&'p str, &'a StorageValue<'p>>, TorchError> {
    let mut described: HashMap<&str, &StorageValue<'_>> = HashMap::new();
    for storage in &object.values.storages {
        let known = described.entry(storage.key).or_insert(storage);
        let (first, second) = (storage_bytes(known), storage_bytes(storage));
        if first != second {
            let key = storage.key.to_owned();
            return Err(TorchError::StorageConflict { key, first, second });
        }
    }
    Ok(described)
}

fn storage_bytes(storage: &StorageValue<'_>) -> u64 {
    storage
        .elements
        .saturating_mul(storage.storage_type.bytes())
}

/// Compares the counts that were read with the pickles, and in any case the first: if that one
/// is right, and the storages end inside the file, the others are where they should be.
async fn check_counts(
    source: &dyn Source,
    head: &[u8],
    checks: &[CountCheck],
) -> Result<(), FormatError> {
    for (index, check) in checks.iter().enumerate() {
        let start = usize::try_from(check.offset).ok();
        let known = start.and_then(|start| head.get(start..)?.first_chunk().copied());
        let count = match known {
            Some(count) => count,
            None if index == 0 => {
                let read = source.read_directory(check.offset, COUNT_BYTES).await?;
                read.first_chunk().copied().unwrap_or_default()
            }
            None => break,
        };
        let found = u64::from_le_bytes(count);
        if found != check.expected {
            let (key, expected) = (check.key.clone(), check.expected);
            return Err(TorchError::StorageCount {
                key,
                found,
                expected,
            }
            .into());
        }
    }
    Ok(())
}
