//! Singular values, and the smallest matrix that has them.

use std::borrow::Cow;
use std::rc::Rc;

use nalgebra::DMatrix;

use super::{Facts, Matrix, Precision, Scale};
use crate::linalg::{product, singular_values, triangular_factor};
use crate::measurement::Status;

impl Facts {
    /// The singular values, descending, `min(m, n)` of them; what the factors leave no room for
    /// is exactly zero.
    ///
    /// # Errors
    /// [`Status::NotFinite`], [`Status::NoConvergence`].
    pub fn singular_values(&self) -> Result<&[f64], Status> {
        self.placed()?;
        self.singular_values
            .get_or_init(|| {
                let mut values = singular_values(self.compact())?;
                values.resize(self.full_rank(), 0.0);
                Ok(values)
            })
            .as_deref()
            .map_err(Clone::clone)
    }

    /// By how much rounding may have moved a singular value when the entries were stored: no more
    /// than the Frobenius norm of what it changed. Zero of float64, whose rounding is below that of
    /// the decomposition.
    ///
    /// # Errors
    /// As [`Facts::singular_values`].
    pub fn rounding_of_storage(&self) -> Result<f64, Status> {
        let precision = self.precision();
        if precision == Precision::DOUBLE {
            return Ok(0.0);
        }
        let squares = self.singular_values()?.iter().map(|value| value * value);
        Ok(precision.epsilon() / 2.0 * squares.sum::<f64>().sqrt())
    }

    /// The squares of the singular values over that of the largest, from 1 downwards.
    ///
    /// # Errors
    /// As [`Facts::singular_values`]; [`Status::TooFewEntries`] where there are none,
    /// [`Status::AllZero`].
    pub fn relative_squares(&self) -> Result<Vec<f64>, Status> {
        let values = self.singular_values()?;
        let largest = *values.first().ok_or(Status::TooFewEntries {
            entries: 0,
            needed: 1,
        })?;
        if largest == 0.0 {
            return Err(Status::AllZero);
        }
        let square = |value: &f64| (value / largest).powi(2);
        Ok(values.iter().map(square).collect())
    }

    /// A matrix `C` with the same rows, no more columns, and `C C^T = X X^T`: the same singular
    /// values, the same left singular vectors, the same similarities between samples.
    ///
    /// Of a product `L R` it is `L T^T` `[m, r]` with `R^T = Q T`; of blocks side by side, their
    /// own compact forms side by side, blocks that share a left factor taken together.
    #[must_use]
    pub fn compact(&self) -> &DMatrix<f64> {
        match &self.matrix {
            Matrix::Dense(entries) => entries,
            Matrix::Product { left, .. } => self
                .compact
                .get_or_init(|| product(left, &self.right_factor().transpose())),
            Matrix::SideBySide(blocks) => self
                .compact
                .get_or_init(|| self.side_by_side_compact(blocks)),
            // Whoever asks all the same gets no number.
            Matrix::Counted { rows, .. } => self
                .compact
                .get_or_init(|| DMatrix::from_element(*rows, 1, f64::NAN)),
        }
    }

    /// `T` of `R^T = Q T`, for a product `L R`.
    fn right_factor(&self) -> &DMatrix<f64> {
        self.right_factor.get_or_init(|| match &self.matrix {
            Matrix::Product { right, .. } => triangular_factor(&right.transpose()),
            _ => DMatrix::zeros(0, 0),
        })
    }

    fn side_by_side_compact(&self, blocks: &[Rc<Self>]) -> DMatrix<f64> {
        let mut parts: Vec<Cow<'_, DMatrix<f64>>> = Vec::new();
        for group in blocks.chunk_by(|a, b| a.shares_left_factor(b)) {
            match group {
                [one] => parts.push(one.compact_in(self.scale)),
                several => parts.push(Cow::Owned(self.shared_left_compact(several))),
            }
        }
        let columns = parts.iter().map(|part| part.ncols()).sum();
        let mut compact = DMatrix::zeros(self.rows(), columns);
        let mut first = 0;
        for part in parts {
            compact.columns_mut(first, part.ncols()).copy_from(&part);
            first += part.ncols();
        }
        compact
    }

    /// `[L T_1^T, L T_2^T, ...] = L W`, and of that `L S^T` with `W^T = Q S`.
    fn shared_left_compact(&self, group: &[Rc<Self>]) -> DMatrix<f64> {
        let Some(Matrix::Product { left, .. }) = group.first().map(|block| &block.matrix) else {
            return DMatrix::zeros(self.rows(), 0);
        };
        let mut stacked = DMatrix::zeros(
            group.iter().map(|b| b.right_factor().nrows()).sum(),
            left.ncols(),
        );
        let mut first = 0;
        for block in group {
            let factor = block.right_factor();
            let mut rows = stacked.rows_mut(first, factor.nrows());
            rows.copy_from(factor);
            rows *= block.scale.relative_to(self.scale);
            first += factor.nrows();
        }
        product(left, &triangular_factor(&stacked).transpose())
    }

    fn compact_in(&self, scale: Scale) -> Cow<'_, DMatrix<f64>> {
        let factor = self.scale.relative_to(scale);
        if factor == 1.0 {
            Cow::Borrowed(self.compact())
        } else {
            Cow::Owned(self.compact() * factor)
        }
    }

    fn shares_left_factor(&self, other: &Self) -> bool {
        match (&self.matrix, &other.matrix) {
            (Matrix::Product { left: a, .. }, Matrix::Product { left: b, .. }) => Rc::ptr_eq(a, b),
            _ => false,
        }
    }
}
