//! Facts of two matrices entry by entry, without forming products that are kept in factors.

use std::rc::Rc;

use nalgebra::DMatrix;

use super::{Facts, Matrix, Scale};
use crate::linalg::{product, transpose_product};
use crate::measurement::Status;

impl Facts {
    /// `||A - B||_F / ||B||_F` of this matrix `A` `[m, n]` and another `B` `[m, n]`.
    ///
    /// The difference is formed before it is measured, so that matrices that are nearly equal lose
    /// no digits.
    ///
    /// # Errors
    /// [`Status::NotFinite`], [`Status::DifferentShapes`]; [`Status::ZeroDivisor`] where `B` is
    /// zero.
    pub fn relative_distance(&self, other: &Self) -> Result<f64, Status> {
        self.same_shape(other)?;
        let own = other.magnitude_sums()?.sum_of_squares.sqrt();
        if own == 0.0 {
            return Err(Status::ZeroDivisor);
        }
        let common = Scale::largest([self.scale, other.scale].into_iter());
        let difference = self.minus(other, common);
        let distance = difference.magnitude_sums()?.sum_of_squares.sqrt();
        let length = own * other.scale.relative_to(common);
        Ok(difference.unscaled(distance)? / length)
    }

    /// `sum a_ij b_ij` of this matrix and another of the same shape, in the scales of both.
    ///
    /// # Errors
    /// [`Status::NotFinite`], [`Status::DifferentShapes`].
    pub fn inner_product(&self, other: &Self) -> Result<f64, Status> {
        self.same_shape(other)?;
        Ok(match (&self.matrix, &other.matrix) {
            (Matrix::Dense(a), Matrix::Dense(b)) => a.dot(&**b),
            (
                Matrix::Product { left, right },
                Matrix::Product {
                    left: other_left,
                    right: other_right,
                },
            ) => {
                let rights = product(right, &other_right.transpose());
                transpose_product(left, other_left).dot(&rights)
            }
            (Matrix::SideBySide(blocks), Matrix::SideBySide(others))
                if have_same_columns(blocks, others) =>
            {
                let mut sum = 0.0;
                for (block, one) in blocks.iter().zip(others) {
                    let scales =
                        block.scale.relative_to(self.scale) * one.scale.relative_to(other.scale);
                    sum += block.inner_product(one)? * scales;
                }
                sum
            }
            _ => self.entries().dot(&other.entries()),
        })
    }

    /// Refuses matrices of different shapes, and entries that are not finite.
    fn same_shape(&self, other: &Self) -> Result<(), Status> {
        self.placed()?;
        other.placed()?;
        let (step, target) = (self.matrix.shape(), other.matrix.shape());
        if step == target {
            Ok(())
        } else {
            Err(Status::DifferentShapes { step, target })
        }
    }

    /// `A - B` in a scale that is at least that of both.
    fn minus(&self, other: &Self, scale: Scale) -> Self {
        match (&self.matrix, &other.matrix) {
            (
                Matrix::Product { left, right },
                Matrix::Product {
                    left: other_left,
                    right: other_right,
                },
            ) if left.ncols() == other_left.ncols() && [self.scale, other.scale] == [scale; 2] => {
                difference_of_products([left, right], [other_left, other_right])
            }
            (Matrix::SideBySide(blocks), Matrix::SideBySide(others))
                if have_same_columns(blocks, others) =>
            {
                let pairs = blocks.iter().zip(others);
                let differences = pairs.map(|(block, one)| Rc::new(block.minus(one, scale)));
                Self::side_by_side(differences.collect())
            }
            _ => Self::dense(self.entries_in(scale) - other.entries_in(scale)),
        }
    }
}

/// `L R - M S = (L - M) R + M (R - S)`: what is nearly equal is subtracted first.
fn difference_of_products(
    [left, right]: [&DMatrix<f64>; 2],
    [other_left, other_right]: [&DMatrix<f64>; 2],
) -> Facts {
    let width = left.ncols();
    let mut lefts = DMatrix::zeros(left.nrows(), 2 * width);
    lefts.columns_mut(0, width).copy_from(&(left - other_left));
    lefts.columns_mut(width, width).copy_from(other_left);
    let mut rights = DMatrix::zeros(2 * width, right.ncols());
    rights.rows_mut(0, width).copy_from(right);
    rights
        .rows_mut(width, width)
        .copy_from(&(right - other_right));
    Facts::product(Rc::new(lefts), Rc::new(rights))
}

fn have_same_columns(blocks: &[Rc<Facts>], others: &[Rc<Facts>]) -> bool {
    let columns = |blocks: &[Rc<Facts>]| -> Vec<usize> {
        blocks.iter().map(|block| block.columns()).collect()
    };
    columns(blocks) == columns(others)
}
