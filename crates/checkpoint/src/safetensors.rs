//! The safetensors format: a length, a JSON header, the data.
//!
//! The header is parsed here and not by the `safetensors` crate, not even at first. Of a name that
//! stands twice the crate takes the later without a word; a strict reading would let such a file
//! pass. It loses the file's order, counts bytes in `usize` (32 bits in wasm), and refuses a whole
//! file for one unknown dtype. A visitor of the page would pay 11 kB for it (compressed; see
//! `docs/measurements.md`). The tests compare the two.

use std::collections::{HashMap, HashSet};
use std::fmt;

use ckptscope_vocabulary::sort::sort_by_key;
use futures_core::future::LocalBoxFuture;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::catalog::{Catalog, CatalogWarning, Packing, Placement, TensorEntry};
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
        let header = head.get(8..).unwrap_or_default();
        bytes > PREFIX_BYTES && header.trim_ascii_start().starts_with(b"{")
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
    let Header { records, metadata } = read_header(header)?;
    check_names(&records)?;
    let owned_bytes = check_layout(&records, data_bytes)?;
    let mut catalog = Catalog {
        metadata,
        ..Catalog::default()
    };
    if owned_bytes < data_bytes {
        catalog.warnings.push(CatalogWarning::UnownedBytes);
    }
    let sharded = Sharded::of(&catalog.metadata);
    for (name, record) in records {
        if let Some(reason) = sharded.reason(&name) {
            catalog.unreadable.push((name, reason));
            continue;
        }
        match record.dtype.parse() {
            Ok(dtype) => catalog
                .tensors
                .push(record.entry(name, dtype, data_offset)?),
            Err(_) => {
                let reason = unknown_dtype(&record.dtype);
                catalog.unreadable.push((name, reason));
            }
        }
    }
    Ok(catalog)
}

/// The remark by which PyTorch says which tensors of a file are one rank's parts.
const SHARDING_REMARK: &str = "DCP_SHARDING_INFO";

/// Which tensors of a file are parts of others, as its remarks say.
struct Sharded {
    /// None where no remark says so.
    names: Option<HashSet<String>>,
}

impl Sharded {
    fn of(metadata: &[(String, String)]) -> Self {
        let remark = metadata.iter().find(|(name, _)| name == SHARDING_REMARK);
        let names = |(_, remark): &(String, String)| {
            let parsed = serde_json::from_str::<HashMap<String, IgnoredAny>>(remark);
            parsed.map_or_else(|_| HashSet::new(), |named| named.into_keys().collect())
        };
        Self {
            names: remark.map(names),
        }
    }

    /// Why a tensor cannot be read by itself. A remark that names nothing may mean any.
    fn reason(&self, tensor: &str) -> Option<String> {
        let names = self.names.as_ref()?;
        (names.is_empty() || names.contains(tensor)).then(|| {
            format!(
                "it is one rank's part of a tensor, as `{SHARDING_REMARK}` in the file says; put \
                 the parts together first (`HuggingFaceStorageWriter` with \
                 `enable_consolidation=True`, or `consolidate_safetensors_files` of PyTorch)"
            )
        })
    }
}

/// Reads the header as its writers write it: some pad it with zero bytes in place of spaces, and
/// Python's JSON knows words for numbers that JSON has not.
fn read_header(header: &[u8]) -> Result<Header, SafetensorsError> {
    let padding = |byte: &u8| *byte != 0 && !byte.is_ascii_whitespace();
    let length = header.iter().rposition(padding).map_or(0, |last| last + 1);
    let json = header.get(..length).unwrap_or_default();
    let read = serde_json::from_slice(json);
    let read = read.or_else(|error| match with_words_quoted(json) {
        Some(json) => serde_json::from_slice(&json),
        None => Err(error),
    });
    read.map_err(|source| SafetensorsError::Header { source })
}

/// The words that Python's JSON has for numbers that are not finite.
const NUMBER_WORDS: [&[u8]; 3] = [b"NaN", b"Infinity", b"-Infinity"];

/// The same JSON with these words as texts; none where there are none.
fn with_words_quoted(json: &[u8]) -> Option<Vec<u8>> {
    let mut quoted = Vec::with_capacity(json.len() + json.len() / 2);
    let (mut in_text, mut found) = (false, false);
    let mut rest = json;
    while let Some((&byte, behind)) = rest.split_first() {
        let word = NUMBER_WORDS.iter().find(|word| rest.starts_with(word));
        let taken = match word {
            Some(word) if !in_text => {
                found = true;
                quoted.push(b'"');
                quoted.extend_from_slice(word);
                quoted.push(b'"');
                word.len()
            }
            _ => {
                let escaped = in_text && byte == b'\\' && !behind.is_empty();
                in_text ^= byte == b'"';
                let taken = 1 + usize::from(escaped);
                quoted.extend(rest.iter().take(taken));
                taken
            }
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    found.then_some(quoted)
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

/// The format wants the tensors to cover the data without overlap or hole, in any order. Holes do
/// no harm, since every tensor says where it is. Returns how many bytes belong to tensors.
fn check_layout(records: &[(String, Record)], data: u64) -> Result<u64, SafetensorsError> {
    for (tensor, record) in records {
        check_range(tensor, record, data)?;
    }
    let mut order: Vec<&(String, Record)> = records.iter().collect();
    sort_by_key(&mut order, |(_, record)| record.data_offsets);
    let (mut reached, mut owned) = (0, 0);
    let mut previous = "";
    for (tensor, record) in order {
        let (begin, end) = record.data_offsets;
        if begin < reached {
            let (first, second) = (previous.to_owned(), tensor.clone());
            return Err(SafetensorsError::Overlap {
                first,
                second,
                offset: begin,
            });
        }
        owned += end - begin;
        reached = end;
        previous = tensor;
    }
    Ok(owned)
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
    let dtype = record.dtype.parse().ok();
    let needs = dtype.and_then(|dtype| record.needs_bytes(dtype));
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
            packing: Packing::Plain,
            offset: 0,
            strides,
            big_endian: false,
            negated: false,
            crc32: None,
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
pub(crate) fn row_major_strides(shape: &[u64]) -> Vec<u64> {
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

/// Why elements of a dtype cannot be read, and what to do.
fn unknown_dtype(name: &str) -> String {
    let same = |dtype: &&Dtype| dtype.name().eq_ignore_ascii_case(name);
    let advice = match Dtype::ALL.iter().find(same) {
        Some(dtype) => format!("it is written {dtype}; save it again with the safetensors library"),
        None => "save it as F32 to measure it".to_owned(),
    };
    format!("its dtype {name:?} is not known; {advice}")
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
                    if name == METADATA_NAME {
                        header.metadata = map.next_value::<Remarks>()?.0;
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

/// What the header's remarks stand under.
const METADATA_NAME: &str = "__metadata__";

/// `__metadata__`, in the file's order: texts by name, as the format wants it. No tensor depends
/// on it, so any JSON will do. What is no object is one remark, or none.
struct Remarks(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Remarks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RemarksVisitor;

        impl<'de> Visitor<'de> for RemarksVisitor {
            type Value = Remarks;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("remarks by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Remarks, A::Error> {
                let mut entries = Vec::new();
                while let Some(name) = map.next_key()? {
                    if entries.len() == METADATA_LIMIT {
                        let reason = format!("more than {METADATA_LIMIT} remarks in __metadata__");
                        return Err(A::Error::custom(reason));
                    }
                    entries.push((name, map.next_value::<Remark>()?.0));
                }
                Ok(Remarks(entries))
            }

            fn visit_unit<E: Error>(self) -> Result<Remarks, E> {
                Ok(Remarks(Vec::new()))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Remarks, E> {
                Ok(Remarks(vec![(METADATA_NAME.to_owned(), text.to_owned())]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Remarks, A::Error> {
                let mut json = String::new();
                JsonText(&mut json).visit_seq(items)?;
                Ok(Remarks(vec![(METADATA_NAME.to_owned(), json)]))
            }
        }

        deserializer.deserialize_any(RemarksVisitor)
    }
}

/// One remark: a text without its quotes, anything else as JSON.
struct Remark(String);

impl<'de> Deserialize<'de> for Remark {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut json = String::new();
        JsonText(&mut json).deserialize(deserializer)?;
        let text = json
            .starts_with('"')
            .then(|| serde_json::from_str(&json).ok());
        Ok(Self(text.flatten().unwrap_or(json)))
    }
}

/// Writes the JSON that it reads, so that a value takes no more memory than its text.
struct JsonText<'a>(&'a mut String);

impl JsonText<'_> {
    fn write<E: Error>(self, value: &impl serde::Serialize) -> Result<(), E> {
        let json = serde_json::to_string(value).map_err(E::custom)?;
        self.0.push_str(&json);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for JsonText<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for JsonText<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a remark")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.write(&())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.write(&value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.write(&value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.write(&value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.write(&value)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.write(&value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut mark = "[";
        loop {
            let length = self.0.len();
            self.0.push_str(mark);
            if items.next_element_seed(JsonText(self.0))?.is_none() {
                self.0.truncate(length + usize::from(mark == "["));
                self.0.push(']');
                return Ok(());
            }
            mark = ", ";
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut mark = "{";
        while let Some(name) = entries.next_key::<String>()? {
            self.0.push_str(mark);
            JsonText(self.0).visit_str(&name)?;
            self.0.push_str(": ");
            entries.next_value_seed(JsonText(self.0))?;
            mark = ", ";
        }
        self.0.push_str(if mark == "{" { "{}" } else { "}" });
        Ok(())
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
