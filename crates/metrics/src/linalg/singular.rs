//! Singular values and vectors.

use std::cmp::Ordering;

use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::svd::{ComputeSvdVectors, svd, svd_scratch};
use faer::{Par, Spec};
use nalgebra::DMatrix;

use super::bidiagonal::{self, Bidiagonal};
use super::division::{Division, LAPACK_SMALL};
use super::product::{gram_of_columns, gram_of_rows};
use super::reduction::triangular_factor;
use super::{band, eigen, view, view_mut};
use crate::measurement::Status;

/// From this ratio of the longer to the shorter side on, the Gram matrix is tried first. It costs
/// less than half of a decomposition at every ratio (0.35 to 0.5, from 64 to 3072 wide), so it
/// pays where it is trusted every other time: a random matrix of this ratio has eigenvalues down
/// to 3e-3 of the largest, a square one far below [`GRAM_SMALLEST`].
pub(super) const GRAM_ASPECT: f64 = 1.25;

/// Smallest ratio of eigenvalues of a Gram matrix whose square roots are taken for singular
/// values. An eigenvalue carries an absolute error of a few eps of the largest, so a singular
/// value is good to about `eps / 2e-5`, a relative 1e-11.
const GRAM_SMALLEST: f64 = 1e-5;

/// The singular values of a matrix `[m, n]`, descending, `min(m, n)` of them. Each is good to a
/// relative 1e-11, or to a few eps of the largest where that is more.
///
/// # Errors
/// [`Status::NoConvergence`].
pub fn singular_values(matrix: &DMatrix<f64>) -> Result<Vec<f64>, Status> {
    if matrix.is_empty() {
        return Ok(Vec::new());
    }
    if aspect(matrix) >= GRAM_ASPECT
        && let Some(values) = by_gram(matrix)?
    {
        return Ok(values);
    }
    singular_values_by_decomposition(matrix)
}

/// The same from the matrix itself, whatever its shape: each is good to a few eps of the largest.
///
/// # Errors
/// [`Status::NoConvergence`].
pub fn singular_values_by_decomposition(matrix: &DMatrix<f64>) -> Result<Vec<f64>, Status> {
    let (rows, columns) = matrix.shape();
    if rows.min(columns) < band::SMALLEST {
        let values = view(matrix).singular_values();
        return values.map_err(|_| Status::NoConvergence);
    }
    let mut square = match rows.cmp(&columns) {
        Ordering::Less => triangular_factor(&matrix.transpose()),
        Ordering::Equal => matrix.clone(),
        Ordering::Greater => triangular_factor(matrix),
    };
    band::singular_values(view_mut(&mut square))
}

/// The longer side over the shorter.
#[allow(clippy::cast_precision_loss)] // sizes of matrices in memory
fn aspect(matrix: &DMatrix<f64>) -> f64 {
    let (rows, columns) = (matrix.nrows() as f64, matrix.ncols() as f64);
    (rows / columns).max(columns / rows)
}

fn by_gram(matrix: &DMatrix<f64>) -> Result<Option<Vec<f64>>, Status> {
    let gram = if matrix.nrows() >= matrix.ncols() {
        gram_of_columns(matrix)
    } else {
        gram_of_rows(matrix)
    };
    let values = eigen::symmetric_eigenvalues(gram)?;
    let trusted = match (values.first(), values.last()) {
        (Some(&largest), Some(&smallest)) => smallest > GRAM_SMALLEST * largest,
        _ => false,
    };
    Ok(trusted.then(|| values.into_iter().map(f64::sqrt).collect()))
}

/// Left singular vectors and singular values.
#[derive(Clone, Debug)]
pub struct LeftSingular {
    /// Singular values, descending: `min(m, n)`.
    pub values: Vec<f64>,
    /// Left singular vectors as columns: `[m, min(m, n)]`.
    pub vectors: DMatrix<f64>,
}

/// Left singular vectors and singular values of a matrix `[m, n]`; the vectors' signs are
/// arbitrary.
///
/// # Errors
/// [`Status::NoConvergence`].
pub fn left_singular(matrix: &DMatrix<f64>) -> Result<LeftSingular, Status> {
    let (rows, columns) = matrix.shape();
    let (rank, parallelism) = (rows.min(columns), Par::Seq);
    let mut vectors = DMatrix::zeros(rows, rank);
    let mut values = Diag::zeros(rank);
    let (thin, none) = (ComputeSvdVectors::Thin, ComputeSvdVectors::No);
    let scratch = svd_scratch::<f64>(rows, columns, thin, none, parallelism, Spec::default());
    svd(
        view(matrix),
        values.as_mut(),
        Some(view_mut(&mut vectors)),
        None,
        parallelism,
        MemStack::new(&mut MemBuffer::new(scratch)),
        Spec::default(),
    )
    .map_err(|_| Status::NoConvergence)?;
    let values = values.column_vector().iter().copied().collect();
    Ok(LeftSingular { values, vectors })
}

/// Left singular vectors with LAPACK's signs, as far as rounding leaves them determined.
#[derive(Clone, Debug)]
pub struct ReferenceSingular {
    /// Singular values and left singular vectors.
    pub svd: LeftSingular,
    /// How many vectors have a sign that hangs on rounding within LAPACK.
    pub signs_in_doubt: usize,
}

/// The same for a square matrix, with the signs that LAPACK's `gesdd` gives the vectors. Singular
/// vectors are defined up to sign; published values of PWCCA depend on the sign LAPACK happens to
/// choose, so agreeing with them means choosing the same.
///
/// Up to 25 rows LAPACK runs QR iteration on the bidiagonal form, which is done here likewise.
/// Beyond, the vectors of any decomposition are brought to the signs of its divide and conquer.
///
/// # Errors
/// [`Status::NoConvergence`].
pub fn reference_left_singular(matrix: &DMatrix<f64>) -> Result<ReferenceSingular, Status> {
    let form = Bidiagonal::of(matrix.clone());
    if matrix.nrows() <= LAPACK_SMALL {
        return bidiagonal::left_singular(&form);
    }
    let mut svd = left_singular(matrix)?;
    let division = Division::of(&form, svd.values[0]);
    let mut signs_in_doubt = 0;
    for (mut vector, value) in svd.vectors.column_iter_mut().zip(&svd.values) {
        let sign = division.sign(&vector.clone_owned(), *value);
        vector *= sign.factor;
        signs_in_doubt += usize::from(!sign.is_certain);
    }
    Ok(ReferenceSingular {
        svd,
        signs_in_doubt,
    })
}
