//! Eigenvalues of a product, from its factors.

use super::{Facts, Matrix};
use crate::linalg::{self, Eigenvalue};
use crate::measurement::Status;

impl Facts {
    /// The eigenvalues of `L R` `[n, n]` that can differ from zero: those of `R L` `[r, r]`, of a
    /// matrix that is kept in thin factors. In the matrix's scale, in no order.
    ///
    /// # Errors
    /// [`Status::NotFinite`]; [`Status::NotInFactors`] of any other matrix;
    /// [`Status::NoConvergence`].
    pub fn eigenvalues_of_factors(&self) -> Result<Vec<Eigenvalue>, Status> {
        self.finite()?;
        match &self.matrix {
            Matrix::Product { left, right } if self.rows() == self.columns() => {
                linalg::eigenvalues(&linalg::product(right, left))
            }
            _ => Err(Status::NotInFactors),
        }
    }
}
