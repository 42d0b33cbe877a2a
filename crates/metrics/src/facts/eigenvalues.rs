//! Eigenvalues of a product, from its factors.

use nalgebra::DMatrix;

use super::{Facts, Matrix};
use crate::linalg::{self, Eigenvalue};
use crate::measurement::Status;

/// The eigenvalues of a matrix that is kept in thin factors.
#[derive(Clone, Debug, PartialEq)]
pub struct FactorEigenvalues {
    /// Those that can differ from zero.
    pub values: Vec<Eigenvalue>,
    /// Their sum, which is real, and known better than each of them.
    pub sum: f64,
    /// How far from zero rounding may have moved one that is zero.
    pub rounding: f64,
}

impl Facts {
    /// The eigenvalues of `L R` `[n, n]` that can differ from zero: those of `R L` `[r, r]`, of a
    /// matrix that is kept in thin factors; its own where the factors are not thin, as those of the
    /// only head of a layer. In the matrix's scale, in no order. Of a matrix whose eigenvalues are
    /// all zero, rounding leaves up to `FactorEigenvalues::rounding` of each.
    ///
    /// # Errors
    /// [`Status::NotFinite`]; [`Status::NotInFactors`] of any other matrix;
    /// [`Status::NoConvergence`].
    pub fn eigenvalues_of_factors(&self) -> Result<FactorEigenvalues, Status> {
        self.placed()?;
        match &self.matrix {
            Matrix::Product { left, right } if self.rows() == self.columns() => {
                let rounding = f64::EPSILON * left.norm() * right.norm();
                FactorEigenvalues::of(&linalg::product(right, left), rounding)
            }
            Matrix::Dense(entries) if self.rows() == self.columns() => {
                let rounding = self.rounding_of_product.ok_or(Status::NotInFactors)?;
                FactorEigenvalues::of(entries, rounding)
            }
            Matrix::SideBySide(blocks) => match blocks.as_slice() {
                [only] => only.eigenvalues_of_factors(),
                _ => Err(Status::NotInFactors),
            },
            _ => Err(Status::NotInFactors),
        }
    }
}

impl FactorEigenvalues {
    /// Of a matrix, of whose zeros rounding may have left so much.
    fn of(matrix: &DMatrix<f64>, rounding: f64) -> Result<Self, Status> {
        // Two equal eigenvalues part by the root of what moves their matrix.
        let of_pair = f64::EPSILON.sqrt() * matrix.norm();
        Ok(Self {
            values: linalg::eigenvalues(matrix)?,
            sum: matrix.trace(),
            rounding: rounding.max(of_pair),
        })
    }
}
