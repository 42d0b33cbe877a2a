//! Facts of the columns with their means taken away, for metrics that compare samples.

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

/// An orthonormal basis of the centred columns, up to numerical rank.
#[derive(Clone, Debug)]
pub struct Basis {
    /// Left singular vectors of the centred matrix, `[n, k]`.
    pub vectors: DMatrix<f64>,
    /// Its singular values, descending, `k` of them.
    pub values: Vec<f64>,
    /// Its right singular vectors, `[r, k]`.
    pub right_vectors: DMatrix<f64>,
}

/// Ratio of eigenvalues of a Gram matrix below which vectors made from it would lose their
/// orthogonality to more than about 1e-11, and the matrix itself is decomposed.
const GRAM_SMALLEST: f64 = 1e-5;

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

    /// An orthonormal basis of the centred columns. Singular values count up to numerical rank:
    /// above `s_1 max(n, p) eps32`, because activations carry float32 noise.
    ///
    /// # Errors
    /// As [`Facts::centred`]; [`Status::NoConvergence`].
    pub fn centred_basis(&self) -> Result<&Basis, Status> {
        let gram = self.centred_gram()?;
        let centred = &self.centred()?.matrix;
        #[allow(clippy::cast_precision_loss)] // sizes of matrices in memory
        let threshold = self.rows().max(self.columns()) as f64 * f64::from(f32::EPSILON);
        self.basis
            .get_or_init(|| Basis::of(centred, gram, threshold))
            .as_ref()
            .map_err(Clone::clone)
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

impl Basis {
    /// Numerical rank `k`.
    #[must_use]
    pub const fn rank(&self) -> usize {
        self.values.len()
    }

    fn of(centred: &DMatrix<f64>, gram: &DMatrix<f64>, threshold: f64) -> Result<Self, Status> {
        let eigen = symmetric_eigen(gram)?;
        let values: Vec<f64> = eigen
            .values
            .iter()
            .map(|value| value.max(0.0).sqrt())
            .collect();
        let rank = numerical_rank(&values, threshold);
        let smallest = rank
            .checked_sub(1)
            .map_or(1.0, |last| eigen.values[last] / eigen.values[0]);
        if smallest < GRAM_SMALLEST {
            return Self::by_decomposition(centred, threshold);
        }
        let of_gram = eigen.vectors.columns(0, rank).into_owned();
        let values = values[..rank].to_vec();
        if centred.ncols() <= centred.nrows() {
            let vectors = divided(product(centred, &of_gram), &values);
            Ok(Self {
                vectors,
                values,
                right_vectors: of_gram,
            })
        } else {
            let right_vectors = divided(transpose_product(centred, &of_gram), &values);
            Ok(Self {
                vectors: of_gram,
                values,
                right_vectors,
            })
        }
    }

    fn by_decomposition(centred: &DMatrix<f64>, threshold: f64) -> Result<Self, Status> {
        let svd = left_singular(centred)?;
        let rank = numerical_rank(&svd.values, threshold);
        let vectors = svd.vectors.columns(0, rank).into_owned();
        let values = svd.values[..rank].to_vec();
        let right_vectors = divided(transpose_product(centred, &vectors), &values);
        Ok(Self {
            vectors,
            values,
            right_vectors,
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

fn numerical_rank(values: &[f64], threshold: f64) -> usize {
    let largest = values.first().copied().unwrap_or(0.0);
    values
        .iter()
        .take_while(|value| **value > largest * threshold)
        .count()
}

fn row_sums(matrix: &DMatrix<f64>) -> Vec<f64> {
    let mut sums = vec![0.0; matrix.nrows()];
    for column in matrix.column_iter() {
        for (sum, entry) in sums.iter_mut().zip(column.iter()) {
            *sum += entry.abs();
        }
    }
    sums
}
