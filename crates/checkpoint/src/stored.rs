//! Tensors as checkpoints store them: in one place or in chunks, as values or times a scale.
//!
//! What is read of a checkpoint is a [`StoredTensor`], and nothing makes values of stored elements
//! but [`StoredTensor::values`] and, where elements are counted only,
//! [`PatternCounts::values`](crate::read::PatternCounts::values). Whoever decides what a tensor is ([`Contents`](crate::Contents))
//! says there how its values come about, and no reader can leave a part of it out.

mod assemble;

use std::iter;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::catalog::{TensorEntry, is_default};
use crate::dtype::Dtype;
use crate::error::ReadError;
use crate::read::TensorBytes;
use crate::tensor::Tensor;

/// A tensor that has values: its elements, times a scale where they are stored so.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StoredTensor {
    /// What is stored.
    pub elements: ChunkedTensor,
    /// What elements are multiplied with to be values; none where they are values.
    #[serde(default, skip_serializing_if = "is_default")]
    pub scale: Option<StorageScale>,
}

/// Stored elements that lie in one place, or in chunks in several files.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ChunkedTensor {
    /// The full name.
    pub name: String,
    /// Element type.
    pub dtype: Dtype,
    /// Extent per dimension; empty for a scalar.
    pub shape: Vec<u64>,
    /// They cover the tensor: every element is in one of them, or in several that are copies.
    pub chunks: Vec<Chunk>,
}

/// A part of a tensor that lies in one place.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Chunk {
    /// The file's path in the tree.
    #[serde(default, skip_serializing_if = "is_default")]
    pub path: String,
    /// Where its first element belongs in the tensor, per dimension.
    pub offsets: Vec<u64>,
    /// Its elements, or the bytes of the file that wraps them, and their place in the file.
    pub entry: TensorEntry,
    /// What is in those bytes, where they are a file of its own.
    #[serde(default, skip_serializing_if = "is_default")]
    pub wrapped: Option<Wrapped>,
}

/// What a file within a file has: one tensor.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Wrapped {
    /// Its element type.
    pub dtype: Dtype,
    /// Its extent per dimension.
    pub shape: Vec<u64>,
}

/// The factors of stored elements: a value is an element times its block's factor, divided by
/// `divisor`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StorageScale {
    /// A factor for every block, in row-major order of the blocks.
    pub factors: ChunkedTensor,
    /// How many elements along each dimension of the tensor share a factor. The last block of a
    /// dimension may have fewer.
    pub block: Vec<u64>,
    /// What products are divided by: 127 where a factor is the largest magnitude of 8-bit integers.
    pub divisor: u32,
    /// A number beside the elements that says in which order they lie: 0 for row by row, and
    /// nothing else can be read. bitsandbytes calls it `weight_format`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub order: Option<ChunkedTensor>,
}

/// Bytes of a file that a tensor is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent<'a> {
    /// The file's path in the tree.
    pub path: &'a str,
    /// The tensor that they hold, or a chunk of it.
    pub entry: &'a TensorEntry,
}

impl StoredTensor {
    /// Of a tensor whose elements are values and lie in one file.
    #[must_use]
    pub fn plain(path: &str, entry: TensorEntry) -> Self {
        Self {
            elements: ChunkedTensor::in_one_place(path, entry),
            scale: None,
        }
    }

    /// The full name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.elements.name
    }

    /// Extent of its values per dimension.
    #[must_use]
    pub fn shape(&self) -> &[u64] {
        &self.elements.shape
    }

    /// All that is read for its values: of elements, factors and order, in this order.
    pub fn extents(&self) -> impl Iterator<Item = Extent<'_>> {
        let scale = self.scale.iter();
        let beside = scale.flat_map(|scale| iter::once(&scale.factors).chain(&scale.order));
        let tensors = iter::once(&self.elements).chain(beside);
        tensors.flat_map(|tensor| &tensor.chunks).map(Chunk::extent)
    }

    /// The same, to be changed.
    pub fn chunks_mut(&mut self) -> impl Iterator<Item = &mut Chunk> {
        let scale = self.scale.iter_mut();
        let beside = scale.flat_map(|scale| iter::once(&mut scale.factors).chain(&mut scale.order));
        let tensors = iter::once(&mut self.elements).chain(beside);
        tensors.flat_map(|tensor| &mut tensor.chunks)
    }

    /// Bytes that are read for its values.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let lengths = self.extents().map(|extent| extent.entry.byte_range().1);
        lengths.fold(0, u64::saturating_add)
    }

    /// Number of its values.
    #[must_use]
    pub fn count(&self) -> u64 {
        count(&self.elements.shape)
    }

    /// Its values, of what was read of its [extents](Self::extents), in their order.
    ///
    /// # Errors
    /// [`ReadError::TensorTooLarge`] where the values do not fit in memory, [`ReadError::Order`]
    /// where elements lie in an order that is not known.
    pub fn values(&self, bytes: &[TensorBytes]) -> Result<Tensor, ReadError> {
        assemble::values(self, bytes)
    }
}

impl ChunkedTensor {
    /// Whether it has a single column of several rows.
    pub(crate) fn is_column(&self) -> bool {
        matches!(self.shape.as_slice(), [rows, 1] if *rows > 1)
    }

    /// Of a tensor that lies in one file.
    #[must_use]
    pub fn in_one_place(path: &str, entry: TensorEntry) -> Self {
        Self {
            name: entry.name.clone(),
            dtype: entry.dtype,
            shape: entry.shape.clone(),
            chunks: vec![Chunk {
                path: path.to_owned(),
                offsets: vec![0; entry.shape.len()],
                entry,
                wrapped: None,
            }],
        }
    }

    /// The only chunk, where it is all of the tensor.
    #[must_use]
    pub fn only_chunk(&self) -> Option<&Chunk> {
        match self.chunks.as_slice() {
            [chunk] if chunk.shape() == self.shape => Some(chunk),
            _ => None,
        }
    }
}

impl Chunk {
    /// Extent of its elements per dimension.
    #[must_use]
    pub fn shape(&self) -> &[u64] {
        let wrapped = self.wrapped.as_ref();
        wrapped.map_or(&self.entry.shape, |wrapped| &wrapped.shape)
    }

    fn extent(&self) -> Extent<'_> {
        Extent {
            path: &self.path,
            entry: &self.entry,
        }
    }

    /// The elements that it covers, along a dimension of the tensor.
    #[must_use]
    pub fn along(&self, dimension: usize) -> Range<u64> {
        let start = self.offsets.get(dimension).copied().unwrap_or(0);
        let extent = self.shape().get(dimension).copied().unwrap_or(1);
        start..start.saturating_add(extent)
    }
}

/// Number of elements of a shape.
pub(crate) fn count(shape: &[u64]) -> u64 {
    shape
        .iter()
        .fold(1, |product: u64, extent| product.saturating_mul(*extent))
}
