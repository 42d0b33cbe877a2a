//! What a checkpoint file holds: tensors by name, and where their bytes are.

use crate::dtype::Dtype;

/// The directory of one checkpoint file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalog {
    /// The tensors that can be read, in the file's order, names unique.
    pub tensors: Vec<TensorEntry>,
    /// The tensors that cannot be read, each with the reason (an unknown dtype, an opaque value
    /// where a tensor should stand). They spoil themselves, not the file.
    pub unreadable: Vec<(String, String)>,
    /// The file's own remarks (`__metadata__` of safetensors), in the file's order.
    pub metadata: Vec<(String, String)>,
}

/// One tensor of a catalog. Constructed only by formats, which check it: the extent of
/// `shape` and `strides` from `offset` lies inside the storage, by checked arithmetic.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// First byte of the storage, counted from the start of the file.
    pub storage_offset_bytes: u64,
    /// Offset of the first element in the storage, in elements.
    pub offset: u64,
    /// Distance between neighbours per dimension, in elements (0 for expanded dimensions).
    pub strides: Vec<u64>,
    /// Whether elements are stored big-endian.
    pub big_endian: bool,
}

impl TensorEntry {
    /// Number of elements.
    #[must_use]
    pub fn elements(&self) -> u64 {
        self.shape.iter().product()
    }

    /// The byte range of the file that holds every element of this tensor: (offset, length).
    /// Only the extent of the view, not of its whole storage.
    #[must_use]
    pub fn byte_range(&self) -> (u64, u64) {
        let element = self.dtype.bytes();
        let start = self.placement.storage_offset_bytes + self.placement.offset * element;
        if self.elements() == 0 {
            return (start, 0);
        }
        let last: u64 = self.shape.iter().zip(&self.placement.strides).map(|(n, s)| (n - 1) * s).sum();
        (start, (last + 1) * element)
    }
}
