//! Eigenvalues of a product, from its factors.

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
    /// matrix that is kept in thin factors. In the matrix's scale, in no order. Of a matrix whose
    /// eigenvalues are all zero, rounding leaves up to [`FactorEigenvalues::rounding`] of each.
    ///
    /// # Errors
    /// [`Status::NotFinite`]; [`Status::NotInFactors`] of any other matrix;
    /// [`Status::NoConvergence`].
    pub fn eigenvalues_of_factors(&self) -> Result<FactorEigenvalues, Status> {
        self.finite()?;
        match &self.matrix {
            Matrix::Product { left, right } if self.rows() == self.columns() => {
                let small = linalg::product(right, left);
                let of_product = f64::EPSILON * left.norm() * right.norm();
                // Two equal eigenvalues part by the root of what moves their matrix.
                let of_pair = f64::EPSILON.sqrt() * small.norm();
                Ok(FactorEigenvalues {
                    values: linalg::eigenvalues(&small)?,
                    sum: small.trace(),
                    rounding: of_product.max(of_pair),
                })
            }
            _ => Err(Status::NotInFactors),
        }
    }
}
