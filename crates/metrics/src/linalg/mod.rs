//! Products and decompositions. Which library does them is this module's affair alone: faer,
//! because it measured 4 to 6 times faster than nalgebra at model sizes, natively and in wasm.

mod band;
mod bidiagonal;
mod cores;
mod division;
mod eigen;
mod lanczos;
mod normal;
mod product;
mod reduction;
mod singular;
mod stripes;
pub mod work;

pub use cores::SpareCores;
pub use eigen::{
    Eigenvalue, SymmetricEigen, eigenvalues, eigenvalues_by_schur, symmetric_eigen,
    symmetric_eigenvalues,
};
pub use lanczos::{BlockTridiagonal, PROBES, STEPS};
pub use product::{columns_times, gram_of_columns, gram_of_rows, product, transpose_product};
pub use reduction::{cholesky_solve, orthonormal_columns, triangular_factor};
pub use singular::{
    LeftSingular, ReferenceSingular, left_singular, reference_left_singular, singular_values,
    singular_values_by_decomposition,
};

use faer::{MatMut, MatRef};
use nalgebra::DMatrix;

fn view(matrix: &DMatrix<f64>) -> MatRef<'_, f64> {
    MatRef::from_column_major_slice(matrix.as_slice(), matrix.nrows(), matrix.ncols())
}

fn view_mut(matrix: &mut DMatrix<f64>) -> MatMut<'_, f64> {
    let (rows, columns) = matrix.shape();
    MatMut::from_column_major_slice_mut(matrix.as_mut_slice(), rows, columns)
}

fn owned(matrix: MatRef<'_, f64>) -> DMatrix<f64> {
    let mut owned = DMatrix::zeros(matrix.nrows(), matrix.ncols());
    view_mut(&mut owned).copy_from(matrix);
    owned
}
