//! Facts of the columns with their means taken away, for metrics that compare samples.

use std::borrow::Cow;

use nalgebra::{DMatrix, RowDVector};

use super::{Facts, Matrix};
use crate::linalg::{
    gram_of_columns, gram_of_rows, left_singular, product, symmetric_eigen, transpose_product,
};
use crate::measurement::Status;

/// The compact form with its columns centred.
#[derive(Clone, Debug)]
pub struct Centred {
    /// `[n, r]`, columns of mean zero.
    pub matrix: DMatrix<f64>,
    /// The means that were taken away, `[1, r]`.
    pub means: RowDVector<f64>,
}

/// Singular values of the centred matrix up to numerical rank, and singular vectors of one side.
#[derive(Clone, Debug)]
pub struct Directions {
    /// The singular values, descending, `k` of them.
    pub values: Vec<f64>,
    vectors: Vectors,
}

#[derive(Clone, Debug)]
enum Vectors {
    /// Right ones `[r, k]`, of the Gram matrix of columns.
    Right(DMatrix<f64>),
    /// Left ones `[n, k]`, of the Gram matrix of rows or of the matrix itself.
    Left(DMatrix<f64>),
}

/// Ratio of eigenvalues of a Gram matrix below which vectors made from it would lose their
/// orthogonality to more than about 1e-11, and the matrix itself is decomposed.
pub(crate) const GRAM_SMALLEST: f64 = 1e-5;

impl Facts {
    /// The compact form with centred columns.
    ///
    /// # Errors
    /// [`Status::NotFinite`]; [`Status::Constant`] where nothing but rounding is left.
    pub fn centred(&self) -> Result<&Centred, Status> {
        self.placed()?;
        self.centred
            .get_or_init(|| Centred::of(self.compact().clone()))
            .as_ref()
            .map_err(Clone::clone)
    }

    /// The Gram matrix of the centred compact form: of its columns `[r, r]` where `r <= n`, else
    /// of its rows `[n, n]`. Both have the same norm.
    ///
    /// # Errors
    /// As [`Facts::centred`].
    pub fn centred_gram(&self) -> Result<&DMatrix<f64>, Status> {
        let centred = &self.centred()?.matrix;
        Ok(self.centred_gram.get_or_init(|| {
            if centred.ncols() <= centred.nrows() {
                gram_of_columns(centred)
            } else {
                gram_of_rows(centred)
            }
        }))
    }

    /// Singular values of the centred matrix, and vectors of one side. They count up to numerical
    /// rank: above `s_1 max(n, p) eps32`, because activations carry float32 noise.
    ///
    /// # Errors
    /// As [`Facts::centred`]; [`Status::NoConvergence`].
    pub fn centred_directions(&self) -> Result<&Directions, Status> {
        let gram = self.centred_gram()?;
        let centred = &self.centred()?.matrix;
        #[allow(clippy::cast_precision_loss)] // sizes of matrices in memory
        let threshold = self.rows().max(self.columns()) as f64 * f64::from(f32::EPSILON);
        self.directions
            .get_or_init(|| Directions::of(centred, gram, threshold))
            .as_ref()
            .map_err(Clone::clone)
    }

    /// An orthonormal basis of the centred columns, up to numerical rank: left singular vectors
    /// `[n, k]` of the centred matrix.
    ///
    /// # Errors
    /// As [`Facts::centred_directions`].
    pub fn centred_basis(&self) -> Result<&DMatrix<f64>, Status> {
        let centred = &self.centred()?.matrix;
        let Directions { values, vectors } = self.centred_directions()?;
        Ok(match vectors {
            Vectors::Left(vectors) => vectors,
            Vectors::Right(vectors) => self
                .basis
                .get_or_init(|| divided(product(centred, vectors), values)),
        })
    }

    /// Right singular vectors `[r, k]` of the centred matrix.
    ///
    /// # Errors
    /// As [`Facts::centred_directions`].
    pub fn centred_right_vectors(&self) -> Result<Cow<'_, DMatrix<f64>>, Status> {
        let centred = &self.centred()?.matrix;
        let Directions { values, vectors } = self.centred_directions()?;
        Ok(match vectors {
            Vectors::Right(vectors) => Cow::Borrowed(vectors),
            Vectors::Left(vectors) => {
                Cow::Owned(divided(transpose_product(centred, vectors), values))
            }
        })
    }

    /// `sum_j |<h_i, x_j>|` per column `h_i` of `directions` `[n, k]`, over the columns `x_j` of
    /// the matrix. Where the directions are orthogonal to the constant vector, centring the
    /// columns would change nothing.
    #[must_use]
    pub fn absolute_projections(&self, directions: &DMatrix<f64>) -> Vec<f64> {
        match &self.matrix {
            Matrix::Dense(entries) => row_sums(&transpose_product(directions, entries)),
            Matrix::Product { left, right } => {
                row_sums(&product(&transpose_product(directions, left), right))
            }
            Matrix::SideBySide(blocks) => {
                let mut sums = vec![0.0; directions.ncols()];
                for block in blocks {
                    for (sum, part) in sums.iter_mut().zip(block.absolute_projections(directions)) {
                        *sum += part * block.scale.relative_to(self.scale);
                    }
                }
                sums
            }
            // Whoever asks all the same gets no number.
            Matrix::Counted { .. } => vec![f64::NAN; directions.ncols()],
        }
    }
}

impl Centred {
    fn of(mut matrix: DMatrix<f64>) -> Result<Self, Status> {
        #[allow(clippy::cast_precision_loss)] // a bound, not a value
        let rounding = matrix.nrows() as f64 * f64::EPSILON * matrix.norm();
        let means = matrix.row_mean();
        for (mut column, mean) in matrix.column_iter_mut().zip(means.iter()) {
            column.add_scalar_mut(-mean);
        }
        if matrix.norm() <= rounding {
            Err(Status::Constant)
        } else {
            Ok(Self { matrix, means })
        }
    }
}

impl Directions {
    /// Numerical rank `k`.
    #[must_use]
    pub const fn rank(&self) -> usize {
        self.values.len()
    }

    /// Whether the Gram matrix of columns is exact enough for what is made of these directions.
    #[must_use]
    pub const fn are_of_columns(&self) -> bool {
        matches!(self.vectors, Vectors::Right(_))
    }

    fn of(centred: &DMatrix<f64>, gram: &DMatrix<f64>, threshold: f64) -> Result<Self, Status> {
        let eigen = symmetric_eigen(gram)?;
        let roots = eigen.values.iter().map(|value| value.max(0.0).sqrt());
        let values = up_to_rank(roots.collect(), threshold);
        let smallest = match values.last() {
            Some(last) => (last / values[0]).powi(2),
            None => 1.0,
        };
        if smallest < GRAM_SMALLEST {
            return Self::by_decomposition(centred, threshold);
        }
        let vectors = eigen.vectors.columns(0, values.len()).into_owned();
        let vectors = if centred.ncols() <= centred.nrows() {
            Vectors::Right(vectors)
        } else {
            Vectors::Left(vectors)
        };
        Ok(Self { values, vectors })
    }

    fn by_decomposition(centred: &DMatrix<f64>, threshold: f64) -> Result<Self, Status> {
        let svd = left_singular(centred)?;
        let values = up_to_rank(svd.values, threshold);
        let vectors = svd.vectors.columns(0, values.len()).into_owned();
        Ok(Self {
            values,
            vectors: Vectors::Left(vectors),
        })
    }
}

/// Columns divided by singular values.
fn divided(mut columns: DMatrix<f64>, values: &[f64]) -> DMatrix<f64> {
    for (mut column, value) in columns.column_iter_mut().zip(values) {
        column /= *value;
    }
    columns
}

fn up_to_rank(mut values: Vec<f64>, threshold: f64) -> Vec<f64> {
    let largest = values.first().copied().unwrap_or(0.0);
    values.truncate(values.partition_point(|value| *value > largest * threshold));
    values
}

/// `sum_j |a_ij|` of every row.
pub(crate) fn row_sums(matrix: &DMatrix<f64>) -> Vec<f64> {
    let mut sums = vec![0.0; matrix.nrows()];
    for column in matrix.column_iter() {
        for (sum, entry) in sums.iter_mut().zip(column.iter()) {
            *sum += entry.abs();
        }
    }
    sums
}
