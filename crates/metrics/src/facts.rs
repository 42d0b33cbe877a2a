//! What several metrics need of one matrix and nobody should compute twice.

/// What several metrics need of one matrix; computed on first use.
pub struct Facts {}

/// Which facts somebody will ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Count, sums and the largest of the entries' magnitudes.
    pub entry_statistics: bool,
    /// The entries' magnitudes in ascending order.
    pub sorted_magnitudes: bool,
    /// Singular values.
    pub singular_values: bool,
    /// The Gram matrix of the centred columns (or rows).
    pub centred_gram: bool,
    /// An orthonormal basis of the centred columns.
    pub centred_basis: bool,
}
