//! Block Lanczos: what a few products with `A^T A` tell of its spectrum.

use faer::MatRef;
use nalgebra::DMatrix;

use super::band::reflection::{add, dot};
use super::normal::{inner_times, outer_times};
use super::product::product;
use super::stripes::add_product;
use super::{view, view_mut};

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
    /// `Q_j^T A^T A Q_j`, each `[PROBES, PROBES]` and symmetric but for rounding.
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
        let n = a.nrows().min(a.ncols());
        let mut basis = DMatrix::zeros(n, PROBES * (STEPS + 1));
        let mut block = start(n);
        orthonormalise(&mut block, 0.0);
        let mut form = Self {
            diagonal: Vec::with_capacity(STEPS),
            below: Vec::with_capacity(STEPS),
        };
        let mut largest = 0.0_f64;
        for step in 0..STEPS {
            let (first, next) = (PROBES * step, PROBES * (step + 1));
            basis.columns_mut(first, PROBES).copy_from(&block);
            block = if a.nrows() <= a.ncols() {
                outer_times(a, &block)
            } else {
                inner_times(a, &block)
            };
            let known = view(&basis).subcols(0, next);
            let along = take_out(known, &mut block);
            let diagonal = along.rows(first, PROBES).into_owned();
            take_out(known, &mut block);
            largest = diagonal.diagonal().iter().copied().fold(largest, f64::max);
            form.diagonal.push(diagonal);
            // Short vectors are mostly rounding, which the first basis of them shows at full size.
            let below = orthonormalise(&mut block, NEGLIGIBLE * largest);
            take_out(known, &mut block);
            form.below
                .push(product(&orthonormalise(&mut block, 0.5), &below));
        }
        form
    }
}

/// Takes out of `block` what lies in the space of an orthonormal `basis`, and gives it as
/// coordinates.
fn take_out(basis: MatRef<'_, f64>, block: &mut DMatrix<f64>) -> DMatrix<f64> {
    let mut along = DMatrix::zeros(basis.ncols(), block.ncols());
    add_product(view_mut(&mut along), 1.0, basis.transpose(), view(block));
    add_product(view_mut(block), -1.0, basis, view(&along));
    along
}

/// Makes the columns orthonormal, each orthogonal to those before it, and gives the triangular
/// factor `[k, k]`. What is left of a column may be no longer than `negligible`: it becomes zero.
fn orthonormalise(block: &mut DMatrix<f64>, negligible: f64) -> DMatrix<f64> {
    let (rows, columns) = block.shape();
    let mut factor = DMatrix::zeros(columns, columns);
    for index in 0..columns {
        let (done, rest) = block.as_mut_slice().split_at_mut(rows * index);
        let column = &mut rest[..rows];
        for _ in 0..2 {
            for (before, other) in done.chunks_exact(rows).enumerate() {
                let along = dot(other, column);
                factor[(before, index)] += along;
                add(column, -along, other);
            }
        }
        let length = dot(column, column).sqrt();
        let inverse = if length > negligible {
            1.0 / length
        } else {
            0.0
        };
        factor[(index, index)] = length * inverse * length;
        column.iter_mut().for_each(|entry| *entry *= inverse);
    }
    factor
}

/// Independent standard normal numbers `[n, PROBES]`: made orthonormal, their columns are uniformly
/// random directions (Box and Muller, 1958). The generator is written out, so that no new release
/// of a library moves a published number.
#[allow(clippy::cast_precision_loss)] // 53 bits
fn start(n: usize) -> DMatrix<f64> {
    let mut state = n as u64;
    let mut uniform = || {
        // Splitmix64 (Steele, Lea and Flood, 2014).
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((bits ^ (bits >> 31)) >> 11) + 1) as f64 / (1_u64 << 53) as f64
    };
    DMatrix::from_fn(n, PROBES, |_, _| {
        let (radius, angle) = (uniform(), uniform());
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    })
}
