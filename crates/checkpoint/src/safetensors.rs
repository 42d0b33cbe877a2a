//! The safetensors format: a length, a JSON header, the data.
//!
//! The header is parsed here and not by the `safetensors` crate, which refuses a whole file for
//! one unknown dtype, counts bytes in `usize` (32 bits in wasm), and has one error for overlaps,
//! holes and offsets past the end. The tests compare the two.

use std::collections::HashSet;
use std::fmt;

use futures_core::future::LocalBoxFuture;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::catalog::{Catalog, Placement, TensorEntry};
use crate::dtype::Dtype;
use crate::error::{FormatError, SafetensorsError};
use crate::format::Format;
use crate::source::Source;

/// Headers longer than this are refused, as the format's own library does.
pub const HEADER_LIMIT_BYTES: u64 = 100_000_000;

/// Tensors of more dimensions than this are refused.
pub const DIMENSIONS_LIMIT: usize = 64;

/// More remarks than this in `__metadata__` are refused.
pub const METADATA_LIMIT: usize = 10_000;

/// The header's length, a `u64`.
const PREFIX_BYTES: u64 = 8;

/// The safetensors format.
#[derive(Debug)]
pub struct Safetensors;

impl Format for Safetensors {
    fn name(&self) -> &'static str {
        "safetensors"
    }

    fn recognises(&self, head: &[u8], bytes: u64) -> bool {
        bytes > PREFIX_BYTES && head.get(8) == Some(&b'{')
    }

    fn catalog<'a>(
        &'a self,
        source: &'a dyn Source,
    ) -> LocalBoxFuture<'a, Result<Catalog, FormatError>> {
        Box::pin(async move {
            let prefix = source.read_directory(0, PREFIX_BYTES).await?;
            let header_bytes = header_length(&prefix, source.bytes())?;
            let header = source.read_directory(PREFIX_BYTES, header_bytes).await?;
            let data_offset = PREFIX_BYTES + header_bytes;
            Ok(catalog_from_header(
                &header,
                data_offset,
                source.bytes() - data_offset,
            )?)
        })
    }
}

/// The header's length, checked against the file's before anything is allocated for it.
fn header_length(prefix: &[u8], file: u64) -> Result<u64, SafetensorsError> {
    let prefix = <[u8; 8]>::try_from(prefix).unwrap_or_default();
    let header = u64::from_le_bytes(prefix);
    if header > file.saturating_sub(PREFIX_BYTES) {
        return Err(SafetensorsError::HeaderPastEnd { header, file });
    }
    if header > HEADER_LIMIT_BYTES {
        return Err(SafetensorsError::HeaderTooLong {
            header,
            limit: HEADER_LIMIT_BYTES,
        });
    }
    Ok(header)
}

fn catalog_from_header(
    header: &[u8],
    data_offset: u64,
    data_bytes: u64,
) -> Result<Catalog, SafetensorsError> {
    let Header { records, metadata } =
        serde_json::from_slice(header).map_err(|source| SafetensorsError::Header { source })?;
    check_names(&records)?;
    check_layout(&records, data_bytes)?;
    let mut catalog = Catalog {
        metadata,
        ..Catalog::default()
    };
    for (name, record) in records {
        match dtype_named(&record.dtype) {
            Some(dtype) => catalog
                .tensors
                .push(record.entry(name, dtype, data_offset)?),
            None => {
                let reason = format!("its dtype {:?} is not known", record.dtype);
                catalog.unreadable.push((name, reason));
            }
        }
    }
    Ok(catalog)
}

fn check_names(records: &[(String, Record)]) -> Result<(), SafetensorsError> {
    let mut seen = HashSet::with_capacity(records.len());
    for (tensor, _) in records {
        if !seen.insert(tensor) {
            return Err(SafetensorsError::DuplicateName {
                tensor: tensor.clone(),
            });
        }
    }
    Ok(())
}

/// The format wants the tensors to cover the data without overlap or hole, in any order.
fn check_layout(records: &[(String, Record)], data: u64) -> Result<(), SafetensorsError> {
    for (tensor, record) in records {
        check_range(tensor, record, data)?;
    }
    let mut order: Vec<&(String, Record)> = records.iter().collect();
    order.sort_by_key(|(_, record)| record.data_offsets);
    let mut covered = 0;
    let mut previous = "";
    for (tensor, record) in order {
        let (begin, end) = record.data_offsets;
        if begin < covered {
            let (first, second) = (previous.to_owned(), tensor.clone());
            return Err(SafetensorsError::Overlap {
                first,
                second,
                offset: begin,
            });
        }
        if begin > covered {
            let tensor = tensor.clone();
            return Err(SafetensorsError::Hole {
                tensor,
                begin: covered,
                end: begin,
            });
        }
        covered = end;
        previous = tensor;
    }
    match data - covered {
        0 => Ok(()),
        bytes => Err(SafetensorsError::Trailing { bytes }),
    }
}

fn check_range(tensor: &str, record: &Record, data: u64) -> Result<(), SafetensorsError> {
    let tensor = tensor.to_owned();
    let (begin, end) = record.data_offsets;
    if begin > end {
        return Err(SafetensorsError::Reversed { tensor, begin, end });
    }
    if end <= data {
        return Ok(());
    }
    let needs = dtype_named(&record.dtype).and_then(|dtype| record.needs_bytes(dtype));
    if needs == Some(end - begin) {
        return Err(SafetensorsError::CutOff { tensor, end, data });
    }
    Err(SafetensorsError::OffsetPastEnd { tensor, end, data })
}

/// The parsed header, in the file's order.
struct Header {
    records: Vec<(String, Record)>,
    metadata: Vec<(String, String)>,
}

/// What the header says of one tensor.
#[derive(Deserialize)]
struct Record {
    dtype: String,
    shape: Shape,
    data_offsets: (u64, u64),
}

/// A shape, kept to the dimensions that are allowed and counted beyond.
struct Shape {
    extents: Vec<u64>,
    dimensions: usize,
}

impl Record {
    fn needs_bytes(&self, dtype: Dtype) -> Option<u64> {
        let count = |product: u64, extent: &u64| product.checked_mul(*extent);
        let elements = self.shape.extents.iter().try_fold(1, count)?;
        // The values are widened to eight bytes each, and that must be countable too.
        elements.checked_mul(8)?;
        elements.checked_mul(dtype.bytes())
    }

    fn entry(
        self,
        tensor: String,
        dtype: Dtype,
        data_offset: u64,
    ) -> Result<TensorEntry, SafetensorsError> {
        let dimensions = self.shape.dimensions;
        if dimensions > DIMENSIONS_LIMIT {
            let limit = DIMENSIONS_LIMIT;
            return Err(SafetensorsError::TooManyDimensions {
                tensor,
                dimensions,
                limit,
            });
        }
        let Some(needs) = self.needs_bytes(dtype) else {
            return Err(SafetensorsError::ShapeOverflow {
                tensor,
                shape: self.shape.extents,
            });
        };
        let (begin, end) = self.data_offsets;
        if needs != end - begin {
            return Err(SafetensorsError::SizeMismatch {
                tensor,
                needs,
                given: end - begin,
            });
        }
        let strides = row_major_strides(&self.shape.extents);
        let storage_offset_bytes = data_offset + begin;
        let placement = Placement {
            storage_offset_bytes,
            offset: 0,
            strides,
            big_endian: false,
        };
        Ok(TensorEntry {
            name: tensor,
            dtype,
            shape: self.shape.extents,
            placement,
        })
    }
}

/// The strides of a dense row-major tensor, in elements. A product that cannot be counted only
/// occurs beside an extent of 0, where strides mean nothing.
fn row_major_strides(shape: &[u64]) -> Vec<u64> {
    let mut stride: u64 = 1;
    let mut strides: Vec<u64> = shape
        .iter()
        .rev()
        .map(|extent| {
            let current = stride;
            stride = stride.saturating_mul(*extent);
            current
        })
        .collect();
    strides.reverse();
    strides
}

fn dtype_named(name: &str) -> Option<Dtype> {
    Dtype::ALL
        .iter()
        .copied()
        .find(|dtype| dtype.name() == name)
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HeaderVisitor;

        impl<'de> Visitor<'de> for HeaderVisitor {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of tensors by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let mut header = Header {
                    records: Vec::new(),
                    metadata: Vec::new(),
                };
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        header.metadata = map.next_value::<Metadata>()?.0;
                    } else {
                        header.records.push((name, map.next_value()?));
                    }
                }
                Ok(header)
            }
        }

        deserializer.deserialize_map(HeaderVisitor)
    }
}

/// `__metadata__`: texts by name, in the file's order.
struct Metadata(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MetadataVisitor;

        impl<'de> Visitor<'de> for MetadataVisitor {
            type Value = Metadata;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    if entries.len() == METADATA_LIMIT {
                        let reason = format!("more than {METADATA_LIMIT} remarks in __metadata__");
                        return Err(A::Error::custom(reason));
                    }
                    entries.push(entry);
                }
                Ok(Metadata(entries))
            }
        }

        deserializer.deserialize_map(MetadataVisitor)
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ShapeVisitor;

        impl<'de> Visitor<'de> for ShapeVisitor {
            type Value = Shape;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of extents")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut extents: A) -> Result<Shape, A::Error> {
                let mut shape = Shape {
                    extents: Vec::new(),
                    dimensions: 0,
                };
                while shape.dimensions < DIMENSIONS_LIMIT {
                    let Some(extent) = extents.next_element()? else {
                        return Ok(shape);
                    };
                    shape.extents.push(extent);
                    shape.dimensions += 1;
                }
                while extents.next_element::<IgnoredAny>()?.is_some() {
                    shape.dimensions += 1;
                }
                Ok(shape)
            }
        }

        deserializer.deserialize_seq(ShapeVisitor)
    }
}
