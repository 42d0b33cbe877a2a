//! Eigenvalues of a symmetric matrix with three diagonals.

use crate::measurement::Status;

/// Sweeps allowed per eigenvalue, as in LAPACK.
const MAX_SWEEPS: usize = 30;

/// A symmetric matrix `[n, n]` with three diagonals.
pub(super) struct Tridiagonal {
    pub(super) diagonal: Vec<f64>,
    /// The diagonal below and above it: `n - 1` entries.
    pub(super) below: Vec<f64>,
}

/// Its eigenvalues, in no order, by the QL iteration without square roots.
///
/// J. H. Wilkinson and C. Reinsch, "Handbook for automatic computation", vol. II (1971), II/3; B. N.
/// Parlett, "The symmetric eigenvalue problem" (1980), 8.15: the form of Pal, Walker and Kahan.
///
/// # Errors
/// [`Status::NoConvergence`].
pub(super) fn eigenvalues(form: Tridiagonal) -> Result<Vec<f64>, Status> {
    let Tridiagonal {
        diagonal: mut d,
        below,
    } = form;
    let mut squares: Vec<f64> = below.iter().map(|e| e * e).collect();
    let mut sweeps = MAX_SWEEPS * d.len();
    let mut top = 0;
    while top < d.len() {
        let bottom = block_end(&d, &mut squares, top);
        if bottom == top {
            top += 1;
            continue;
        }
        sweeps = sweeps.checked_sub(1).ok_or(Status::NoConvergence)?;
        let shift = shift(d[top], squares[top].sqrt(), d[top + 1]);
        sweep(&mut d[top..=bottom], &mut squares[top..bottom], shift);
    }
    Ok(d)
}

/// The last row of the block that begins at `top`: where the entry below is negligible.
fn block_end(d: &[f64], squares: &mut [f64], top: usize) -> usize {
    const ROUNDOFF: f64 = f64::EPSILON / 2.0;
    for row in top..squares.len() {
        if squares[row] <= ROUNDOFF * ROUNDOFF * (d[row] * d[row + 1]).abs() {
            squares[row] = 0.0;
            return row;
        }
    }
    d.len() - 1
}

/// The eigenvalue of `[a b; b c]` that is closer to `a`.
fn shift(a: f64, b: f64, c: f64) -> f64 {
    let half = (c - a) / (2.0 * b);
    let root = half.hypot(1.0);
    a - b / (half + root.copysign(half))
}

/// A step of the iteration on an unreduced block, from its end to its beginning.
fn sweep(d: &mut [f64], squares: &mut [f64], shift: f64) {
    let last = d.len() - 1;
    let (mut c, mut s) = (1.0, 0.0);
    let mut gamma = d[last] - shift;
    let mut p = gamma * gamma;
    for row in (0..last).rev() {
        let square = squares[row];
        let r = p + square;
        if row + 1 < last {
            squares[row + 1] = s * r;
        }
        let old_c = c;
        (c, s) = (p / r, square / r);
        let old_gamma = gamma;
        let alpha = d[row];
        gamma = c * (alpha - shift) - s * old_gamma;
        d[row + 1] = old_gamma + (alpha - gamma);
        p = if c == 0.0 {
            old_c * square
        } else {
            gamma * gamma / c
        };
    }
    squares[0] = s * p;
    d[0] = shift + gamma;
}
