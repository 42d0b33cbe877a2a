//! Eigenvalues and eigenvectors of symmetric matrices.

use faer::Side;
use nalgebra::DMatrix;

use super::{owned, view};
use crate::measurement::Status;

/// `A = V diag(values) V^T` of a symmetric `A` `[n, n]`, largest eigenvalue first.
#[derive(Clone, Debug)]
pub struct SymmetricEigen {
    /// Eigenvalues, descending.
    pub values: Vec<f64>,
    /// Eigenvectors as columns `[n, n]`, in the same order.
    pub vectors: DMatrix<f64>,
}

/// The eigenvalues of a symmetric matrix, descending; its lower triangle is read.
///
/// # Errors
/// [`Status::NoConvergence`].
pub fn symmetric_eigenvalues(matrix: &DMatrix<f64>) -> Result<Vec<f64>, Status> {
    let mut values = view(matrix)
        .self_adjoint_eigenvalues(Side::Lower)
        .map_err(|_| Status::NoConvergence)?;
    values.reverse();
    Ok(values)
}

/// The eigenvalues and eigenvectors of a symmetric matrix; its lower triangle is read.
///
/// # Errors
/// [`Status::NoConvergence`].
pub fn symmetric_eigen(matrix: &DMatrix<f64>) -> Result<SymmetricEigen, Status> {
    let eigen = view(matrix)
        .self_adjoint_eigen(Side::Lower)
        .map_err(|_| Status::NoConvergence)?;
    let ascending = eigen.S().column_vector();
    let n = matrix.nrows();
    Ok(SymmetricEigen {
        values: (0..n).rev().map(|i| ascending[i]).collect(),
        vectors: owned(eigen.U().reverse_cols()),
    })
}
