//! Eigenvalues and eigenvectors of symmetric matrices.

use faer::Side;
use nalgebra::DMatrix;
use nalgebra::linalg::Schur;

use super::{band, owned, view};
use crate::measurement::Status;

/// `A = V diag(values) V^T` of a symmetric `A` `[n, n]`, largest eigenvalue first.
#[derive(Clone, Debug)]
pub struct SymmetricEigen {
    /// Eigenvalues, descending.
    pub values: Vec<f64>,
    /// Eigenvectors as columns `[n, n]`, in the same order.
    pub vectors: DMatrix<f64>,
}

/// A complex number: an eigenvalue of a matrix that need not be symmetric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Eigenvalue {
    /// The real part.
    pub re: f64,
    /// The imaginary part.
    pub im: f64,
}

/// The eigenvalues of any square matrix, in no order.
///
/// # Errors
/// [`Status::NoConvergence`].
#[cfg(not(feature = "compact"))]
pub fn eigenvalues(matrix: &DMatrix<f64>) -> Result<Vec<Eigenvalue>, Status> {
    let found = view(matrix)
        .eigenvalues()
        .map_err(|_| Status::NoConvergence)?;
    let found = found.into_iter();
    Ok(found
        .map(|one| Eigenvalue {
            re: one.re,
            im: one.im,
        })
        .collect())
}

/// The eigenvalues of any square matrix, in no order, as [`eigenvalues_by_schur`] finds them: faer's
/// way is some 20 kB of a page's first load, for one metric of small matrices.
///
/// # Errors
/// [`Status::NoConvergence`].
#[cfg(feature = "compact")]
pub fn eigenvalues(matrix: &DMatrix<f64>) -> Result<Vec<Eigenvalue>, Status> {
    eigenvalues_by_schur(matrix)
}

/// Turns of the QR iteration for each row, before another shift of the whole matrix is tried.
const TURNS: usize = 60;

/// Shifts by these parts of the norm: eigenvalues that lie evenly around zero, as those of a
/// permutation, keep the QR iteration from settling.
const SHIFTS: [f64; 4] = [0.0, 0.381_966, -0.618_034, 1.236_068];

/// The eigenvalues of any square matrix, in no order, from its real Schur form.
///
/// # Errors
/// [`Status::NoConvergence`].
pub fn eigenvalues_by_schur(matrix: &DMatrix<f64>) -> Result<Vec<Eigenvalue>, Status> {
    let (n, norm) = (matrix.nrows(), matrix.norm());
    if n == 0 {
        return Ok(Vec::new());
    }
    for shift in SHIFTS.map(|part| part * norm) {
        let mut shifted = matrix.clone();
        (0..n).for_each(|i| shifted[(i, i)] += shift);
        if let Some(schur) = Schur::try_new(shifted, f64::EPSILON, TURNS * n) {
            let found = schur.complex_eigenvalues();
            let found = found.iter().map(|one| Eigenvalue {
                re: one.re - shift,
                im: one.im,
            });
            return Ok(found.collect());
        }
    }
    Err(Status::NoConvergence)
}

/// The eigenvalues of a symmetric matrix, descending; its lower triangle is read.
///
/// # Errors
/// [`Status::NoConvergence`].
pub fn symmetric_eigenvalues(mut matrix: DMatrix<f64>) -> Result<Vec<f64>, Status> {
    if matrix.nrows() >= band::SMALLEST {
        return band::symmetric_eigenvalues(&mut matrix);
    }
    let mut values = view(&matrix)
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
