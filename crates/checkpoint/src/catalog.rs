//! What a checkpoint file holds: tensors by name, and where their bytes are.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::dtype::Dtype;
use crate::stored::ChunkedTensor;

/// The directory of one checkpoint file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalog {
    /// The tensors that can be read, in the file's order, names unique.
    pub tensors: Vec<TensorEntry>,
    /// The tensors whose chunks lie in other files, names unique among all. Paths are relative to
    /// the folder of this one. That those files are there and long enough is not checked yet.
    pub chunked: Vec<ChunkedTensor>,
    /// The tensors that cannot be read, each with the reason (an unknown dtype, an opaque value
    /// where a tensor should stand). They spoil themselves, not the file.
    pub unreadable: Vec<(String, String)>,
    /// The file's own remarks (`__metadata__` of safetensors), in the file's order.
    /// Texts stand without their quotes, anything else as the file spells it.
    pub metadata: Vec<(String, String)>,
    /// What is odd about the file, which was read all the same.
    pub warnings: Vec<CatalogWarning>,
}

/// What is odd about a file that can be read all the same. Its text counts nothing, so that it is
/// said once of all files of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CatalogWarning {
    /// A safetensors file has bytes between its tensors, or behind the last, that belong to none.
    UnownedBytes,
}

impl CatalogWarning {
    /// The warnings of several files, each once: with its first file, and how many others it is of.
    pub fn in_words<'a>(of_files: impl IntoIterator<Item = (&'a str, Self)>) -> Vec<String> {
        let mut files: BTreeMap<Self, (&str, usize)> = BTreeMap::new();
        for (path, warning) in of_files {
            files.entry(warning).or_insert((path, 0)).1 += 1;
        }
        let told = files
            .into_iter()
            .map(|(warning, (path, count))| match count {
                1 => format!("{path}: {warning}"),
                2 => format!("{path} and another file: {warning}"),
                _ => format!("{path} and {} other files: {warning}", count - 1),
            });
        told.collect()
    }
}

impl fmt::Display for CatalogWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnownedBytes => f.write_str(
                "some bytes of the data belong to no tensor; each tensor was read where the header \
                 says, but the safetensors library refuses such files: save them again with it",
            ),
        }
    }
}

/// One tensor of a catalog. Constructed only by formats, which check it: the extent of
/// `shape` and `strides` from `offset` lies inside the storage, by checked arithmetic.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TensorEntry {
    /// The full name, nested dicts joined with dots.
    pub name: String,
    /// Element type.
    pub dtype: Dtype,
    /// Extent per dimension; empty for a scalar.
    pub shape: Vec<u64>,
    /// Where the elements are.
    pub placement: Placement,
}

/// Where a tensor's elements lie in its file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Placement {
    /// First byte of the storage, counted from the start of the file.
    #[serde(default, skip_serializing_if = "is_default")]
    pub storage_offset_bytes: u64,
    /// How the storage lies in the file.
    #[serde(default, skip_serializing_if = "is_default")]
    pub packing: Packing,
    /// Offset of the first element in the storage, in elements.
    #[serde(default, skip_serializing_if = "is_default")]
    pub offset: u64,
    /// Distance between neighbours per dimension, in elements (0 for expanded dimensions).
    pub strides: Vec<u64>,
    /// Whether elements are stored big-endian.
    #[serde(default, skip_serializing_if = "is_default")]
    pub big_endian: bool,
    /// Whether the values are those of the elements with the other sign.
    #[serde(default, skip_serializing_if = "is_default")]
    pub negated: bool,
    /// The CRC-32 of the storage, where its file says it and the tensor is all of the storage.
    #[serde(default, skip_serializing_if = "is_default")]
    pub crc32: Option<u32>,
}

/// What is said only where it is another, so that lanes are short.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// How the bytes of a storage lie in its file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Packing {
    /// As they are.
    #[default]
    Plain,
    /// Deflated (RFC 1951), as in a zip archive that was packed anew.
    Deflated {
        /// Bytes of the file.
        packed_bytes: u64,
        /// Bytes of the storage.
        bytes: u64,
    },
    /// As a text in UTF-8 whose characters are the bytes: pickles before protocol 3 know no bytes.
    Text {
        /// Bytes of the file.
        packed_bytes: u64,
        /// Bytes of the storage.
        bytes: u64,
    },
}

impl Catalog {
    /// Name, dtype and shape of every tensor that can be read, wherever it lies.
    pub fn listed(&self) -> impl Iterator<Item = (&str, Dtype, &[u64])> {
        let here = self.tensors.iter();
        let here = here.map(|it| (it.name.as_str(), it.dtype, it.shape.as_slice()));
        let elsewhere = self.chunked.iter();
        here.chain(elsewhere.map(|it| (it.name.as_str(), it.dtype, it.shape.as_slice())))
    }
}

impl TensorEntry {
    /// Number of elements.
    #[must_use]
    pub fn elements(&self) -> u64 {
        self.shape
            .iter()
            .fold(1, |product: u64, extent| product.saturating_mul(*extent))
    }

    /// The byte range of the file that holds every element of this tensor: (offset, length).
    /// Only the extent of the view, not of its whole storage, but where that is packed.
    #[must_use]
    pub fn byte_range(&self) -> (u64, u64) {
        self.checked_byte_range()
            .unwrap_or((self.placement.storage_offset_bytes, u64::MAX))
    }

    /// The byte range, or `None` where an entry that no format made goes beyond what can be
    /// counted or beyond its storage, or has not as many strides as extents.
    #[must_use]
    pub fn checked_byte_range(&self) -> Option<(u64, u64)> {
        let offset = self.placement.storage_offset_bytes;
        let (start, length) = self.view_range()?;
        match self.placement.packing {
            Packing::Plain => Some((offset.checked_add(start)?, length)),
            Packing::Deflated {
                packed_bytes,
                bytes,
            }
            | Packing::Text {
                packed_bytes,
                bytes,
            } => (start.checked_add(length)? <= bytes).then_some((offset, packed_bytes)),
        }
    }

    /// The extent of the view in its storage: (offset, length) in bytes. `None` as of
    /// [`TensorEntry::checked_byte_range`].
    pub(crate) fn view_range(&self) -> Option<(u64, u64)> {
        if self.shape.len() != self.placement.strides.len() {
            return None;
        }
        let element = self.dtype.bytes();
        let start = self.placement.offset.checked_mul(element)?;
        if self.shape.contains(&0) {
            return Some((start, 0));
        }
        let mut elements: u64 = 1;
        for (extent, stride) in self.shape.iter().zip(&self.placement.strides) {
            elements = elements.checked_add((extent - 1).checked_mul(*stride)?)?;
        }
        Some((start, elements.checked_mul(element)?))
    }

    /// Whether the elements lie one after the other in row-major order. Strides of dimensions
    /// with one element mean nothing.
    #[must_use]
    pub fn is_row_major(&self) -> bool {
        self.is_dense(self.shape.iter().zip(&self.placement.strides).rev())
    }

    /// Whether the elements lie one after the other in column-major order of the matrix view:
    /// the first dimension fastest, the others row-major among themselves.
    #[must_use]
    pub fn is_column_major(&self) -> bool {
        let dimensions = || self.shape.iter().zip(&self.placement.strides);
        self.is_dense(dimensions().take(1).chain(dimensions().skip(1).rev()))
    }

    /// Whether dimensions, given from the fastest to the slowest, lie without gaps.
    fn is_dense<'a>(&self, dimensions: impl Iterator<Item = (&'a u64, &'a u64)>) -> bool {
        let mut expected: u64 = 1;
        for (extent, stride) in dimensions {
            if *extent > 1 && *stride != expected {
                return false;
            }
            expected = expected.saturating_mul(*extent);
        }
        true
    }
}
