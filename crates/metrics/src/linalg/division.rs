//! The signs that LAPACK's divide and conquer gives the left singular vectors of a bidiagonal
//! matrix.
//!
//! LAPACK divides the rows at a middle one into two blocks, and each of these again, down to blocks
//! that it decomposes by QR iteration. The vectors of a block are made of those of its two halves.
//! A vector with a share in the middle row comes from a secular equation, and its component there
//! is negative (Gu and Eisenstat 1995). One that hardly touches the middle row is "deflated": it is
//! a vector of one half, as that half had it. So a vector's sign is decided in the largest block
//! where it is not deflated.

use nalgebra::DVector;

use super::bidiagonal::Bidiagonal;

/// Blocks up to this are decomposed by QR iteration.
pub(super) const LAPACK_SMALL: usize = 25;

/// A vector is deflated where its share in the middle row's equation is no more than this, beside
/// the largest singular value.
const DEFLATED: f64 = 8.0 * f64::EPSILON / 2.0;

/// A share that is as near to [`DEFLATED`] as this, in powers of two, may be on its other side in
/// LAPACK: for its rounding, and because a block's largest singular value is smaller than that of
/// the whole.
const NEAR: f64 = 2.0;

/// Components smaller than this may have lost their sign to rounding; the form still tells it.
const ROUNDED: f64 = 1e-8;

/// A sign, and whether it is sure that LAPACK gives it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sign {
    /// What a vector has to be multiplied by, 1 or -1.
    pub(super) factor: f64,
    pub(super) is_certain: bool,
}

/// How the rows of a bidiagonal form of more than [`LAPACK_SMALL`] are divided.
pub(super) struct Division<'a> {
    form: &'a Bidiagonal,
    /// Column `middle` of `Q`, which gives that component of any vector at once.
    direction: DVector<f64>,
    middle: usize,
    largest: f64,
    levels: u32,
}

impl<'a> Division<'a> {
    /// Of a form with this largest singular value.
    pub(super) fn of(form: &'a Bidiagonal, largest: f64) -> Self {
        let rows = form.side();
        let middle = rows / 2;
        Self {
            form,
            direction: form.left_column(middle),
            middle,
            largest,
            levels: (rows / (LAPACK_SMALL + 1)).max(1).ilog2() + 1,
        }
    }

    /// The sign of the left singular vector `vector` of the decomposed matrix, with its singular
    /// value.
    pub(super) fn sign(&self, vector: &DVector<f64>, value: f64) -> Sign {
        let component = vector.dot(&self.direction);
        if component.abs() > ROUNDED {
            return Sign::making_negative(component, true);
        }
        let vector = self.form.left_vector(vector, value);
        let (mut first, mut end) = (0, self.form.side());
        let mut is_certain = true;
        for _ in 0..self.levels {
            if end - first <= LAPACK_SMALL {
                break;
            }
            let middle = usize::midpoint(first, end);
            let share = vector.share(middle) / self.largest;
            // Uncertain too where it is not a number.
            is_certain &= (share / DEFLATED).log2().abs() > NEAR;
            if share > DEFLATED {
                return Sign::making_negative(vector.component(middle), is_certain);
            }
            (first, end) = if vector.peak() < middle {
                (first, middle)
            } else {
                (middle + 1, end)
            };
        }
        Sign::making_negative(vector.component(self.middle), false)
    }
}

impl Sign {
    fn making_negative(component: f64, is_certain: bool) -> Self {
        Self {
            factor: if component > 0.0 { -1.0 } else { 1.0 },
            is_certain,
        }
    }
}
