//! A tensor's values in memory.

/// A tensor that was read: its elements widened to `f64`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Extent per dimension; empty for a scalar.
    pub shape: Vec<usize>,
    /// Rows of the matrix view: see [`Tensor::rows`]. Elements in column-major order of that
    /// view, which is the order of nalgebra's and faer's matrices: `values[column * rows + row]`.
    pub values: Vec<f64>,
}

impl Tensor {
    /// Rows of the tensor seen as a matrix: a scalar or vector is one row, more than two
    /// dimensions are flattened to (first, rest).
    #[must_use]
    pub fn rows(&self) -> usize {
        match self.shape.as_slice() {
            [] | [_] => 1,
            [first, ..] => *first,
        }
    }

    /// Columns of the matrix view.
    #[must_use]
    pub fn columns(&self) -> usize {
        match self.shape.as_slice() {
            [] => 1,
            [n] => *n,
            [_, rest @ ..] => rest.iter().product(),
        }
    }
}
