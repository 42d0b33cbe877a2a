//! Block Lanczos: what a few products with `A^T A` tell of its spectrum.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};
use nalgebra::DMatrix;

use super::normal::{inner_times, outer_times};
use super::view;

/// Vectors of the block that the recurrence starts from.
pub const PROBES: usize = 8;

/// Products with `A^T A`.
pub const STEPS: usize = 12;

/// A vector of a block shorter than this, beside the largest that was seen, is nothing but
/// rounding: the space that the block spans is complete.
const NEGLIGIBLE: f64 = 1e-12;

/// `A^T A` in an orthonormal basis of the space that some products with it span, block tridiagonal:
/// with `n` the shorter side of `A`, `Q_0` `[n, PROBES]` uniformly random, and `Q_j` the basis
/// vectors that the `j`-th product brings.
#[derive(Clone, Debug)]
pub struct BlockTridiagonal {
    /// `Q_j^T A^T A Q_j`, each `[PROBES, PROBES]` and symmetric.
    pub diagonal: Vec<DMatrix<f64>>,
    /// `Q_(j+1)^T A^T A Q_j`, each `[PROBES, PROBES]`; the last leads out of the basis.
    pub below: Vec<DMatrix<f64>>,
}

impl BlockTridiagonal {
    /// Of a matrix whose shorter side has at least `PROBES * (STEPS + 1)` entries. It costs
    /// `4 m n PROBES STEPS` operations. The start is the same for every matrix of a shape.
    #[must_use]
    pub fn of(matrix: &DMatrix<f64>) -> Self {
        let a = view(matrix);
        let is_wide = a.nrows() <= a.ncols();
        let n = a.nrows().min(a.ncols());
        let mut basis = Mat::<f64>::zeros(n, PROBES * (STEPS + 1));
        basis.as_mut().subcols_mut(0, PROBES).copy_from(start(n));
        orthonormalise(basis.as_mut().subcols_mut(0, PROBES), 0.0);
        let mut form = Self {
            diagonal: Vec::with_capacity(STEPS),
            below: Vec::with_capacity(STEPS),
        };
        let mut largest = 0.0_f64;
        for step in 0..STEPS {
            let (first, next) = (PROBES * step, PROBES * (step + 1));
            let block = basis.as_ref().subcols(first, PROBES);
            let mut image = if is_wide {
                outer_times(a, block)
            } else {
                inner_times(a, block)
            };
            let known = basis.as_ref().subcols(0, next);
            let along = take_out(known, &mut image);
            let diagonal = along.as_ref().subrows(first, PROBES);
            form.diagonal.push(symmetric(diagonal));
            take_out(known, &mut image);
            largest = (0..PROBES).fold(largest, |most, i| most.max(diagonal[(i, i)]));
            // Short vectors are mostly rounding, which the first basis of them shows at full size.
            let mut below = orthonormalise(image.as_mut(), NEGLIGIBLE * largest);
            take_out(known, &mut image);
            below = orthonormalise(image.as_mut(), 0.5) * below;
            form.below.push(below);
            basis.as_mut().subcols_mut(next, PROBES).copy_from(image);
        }
        form
    }
}

/// Takes out of `block` what lies in the space of an orthonormal `basis`, and gives it as
/// coordinates.
fn take_out(basis: MatRef<'_, f64>, block: &mut Mat<f64>) -> Mat<f64> {
    let along = basis.transpose() * block.as_ref();
    matmul(block.as_mut(), Accum::Add, basis, &along, -1.0, Par::Seq);
    along
}

/// Makes the columns orthonormal, each orthogonal to those before it, and gives the triangular
/// factor `[k, k]`. What is left of a column may be no longer than `negligible`: it becomes zero.
fn orthonormalise(mut block: faer::MatMut<'_, f64>, negligible: f64) -> DMatrix<f64> {
    let columns = block.ncols();
    let mut factor = DMatrix::zeros(columns, columns);
    for index in 0..columns {
        let (done, rest) = block.as_mut().split_at_col_mut(index);
        let mut column = rest.col_mut(0);
        for _ in 0..2 {
            for (before, other) in done.as_ref().col_iter().enumerate() {
                let along = other.transpose() * column.as_ref();
                factor[(before, index)] += along;
                column -= faer::Scale(along) * other;
            }
        }
        let length = column.norm_l2();
        let inverse = if length > negligible {
            1.0 / length
        } else {
            0.0
        };
        factor[(index, index)] = length * inverse * length;
        column *= faer::Scale(inverse);
    }
    factor
}

/// Independent standard normal numbers `[n, PROBES]`: made orthonormal, their columns are uniformly
/// random directions (Box and Muller, 1958). The generator is written out, so that no new release
/// of a library moves a published number.
#[allow(clippy::cast_precision_loss)] // 53 bits
fn start(n: usize) -> Mat<f64> {
    let mut state = n as u64;
    let mut uniform = || {
        // Splitmix64 (Steele, Lea and Flood, 2014).
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((bits ^ (bits >> 31)) >> 11) + 1) as f64 / (1_u64 << 53) as f64
    };
    Mat::from_fn(n, PROBES, |_, _| {
        let (radius, angle) = (uniform(), uniform());
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    })
}

/// The symmetric part of a square matrix.
fn symmetric(matrix: MatRef<'_, f64>) -> DMatrix<f64> {
    let n = matrix.nrows();
    DMatrix::from_fn(n, n, |i, j| f64::midpoint(matrix[(i, j)], matrix[(j, i)]))
}
