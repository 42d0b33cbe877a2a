//! Bidiagonal form by Householder reflections, and its singular vectors by implicit QR iteration
//! (Demmel and Kahan 1990, "Accurate singular values of bidiagonal matrices"), with the sign
//! conventions and the order of operations of LAPACK 3.10 and later, so that the vectors come out
//! with LAPACK's signs.
//!
//! LAPACK's `gesdd` runs QR iteration on the bidiagonal form up to 25 columns; this module repeats
//! it step by step. Beyond, it divides and conquers: see `division.rs`.

use std::cmp::Ordering;

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::svd::bidiag::{bidiag_in_place, bidiag_in_place_scratch};
use faer::{Mat, Par, Spec};
use nalgebra::{DMatrix, DVector};

use super::singular::{LeftSingular, ReferenceSingular};
use super::view_mut;
use crate::measurement::Status;
use crate::sort::sort_magnitudes;

/// `A = Q B P^T`: `B` upper bidiagonal, `Q` kept as its reflections.
pub(super) struct Bidiagonal {
    diagonal: Vec<f64>,
    above: Vec<f64>,
    reflections: Vec<Reflection>,
}

/// `I - tau v v^T`, `v` acting on the rows from `first` on.
struct Reflection {
    first: usize,
    tau: f64,
    vector: DVector<f64>,
}

impl Bidiagonal {
    /// Reduces a square matrix. faer's reflections have LAPACK's signs: each leading component
    /// is taken to one of the opposite sign.
    pub(super) fn of(mut a: DMatrix<f64>) -> Self {
        let n = a.nrows();
        reduce(&mut a);
        let above = (1..n).map(|i| a[(i - 1, i)]).collect();
        let reflections = (0..n).map(|i| Reflection::below_diagonal(&a, i)).collect();
        Self {
            diagonal: a.diagonal().as_slice().to_vec(),
            above,
            reflections,
        }
    }

    /// The form with its entries changed by that much, relatively and by turns up and down.
    fn perturbed(&self, by: f64) -> Self {
        let change =
            |(i, value): (usize, &f64)| value * (1.0 + if i.is_multiple_of(2) { by } else { -by });
        Self {
            diagonal: self.diagonal.iter().enumerate().map(change).collect(),
            above: self.above.iter().enumerate().map(change).collect(),
            reflections: Vec::new(),
        }
    }

    /// Column `index` of `Q`.
    pub(super) fn left_column(&self, index: usize) -> DVector<f64> {
        let mut column = DVector::zeros(self.diagonal.len());
        column[index] = 1.0;
        self.apply_left(&mut column);
        column
    }

    /// Rows, and columns.
    pub(super) const fn side(&self) -> usize {
        self.diagonal.len()
    }

    /// The left singular vector `Q^T u` of `B`, for a `u` and its singular value.
    pub(super) fn left_vector(&self, u: &DVector<f64>, value: f64) -> LeftVector<'_> {
        let mut components = u.clone();
        self.apply_left_transposed(&mut components);
        LeftVector {
            form: self,
            value,
            peak: components.iamax(),
            components,
        }
    }

    fn apply_left_transposed(&self, vector: &mut DVector<f64>) {
        for reflection in &self.reflections {
            reflection.apply_to_vector(vector);
        }
    }

    fn apply_left(&self, vector: &mut DVector<f64>) {
        for reflection in self.reflections.iter().rev() {
            reflection.apply_to_vector(vector);
        }
    }
}

/// A left singular vector of `B`.
pub(super) struct LeftVector<'a> {
    form: &'a Bidiagonal,
    value: f64,
    components: DVector<f64>,
    /// Which component is the largest.
    peak: usize,
}

impl LeftVector<'_> {
    pub(super) const fn peak(&self) -> usize {
        self.peak
    }

    /// Component `index`, also where it is too small to have been computed with the vector.
    ///
    /// From the vector's largest component the others follow by the recurrence of the twisted
    /// factorisation of `B B^T - value^2` (Dhillon and Parlett 2004).
    pub(super) fn component(&self, index: usize) -> f64 {
        let (d, e, n) = (&self.form.diagonal, &self.form.above, self.form.side());
        let above = |i: usize| e.get(i).copied().unwrap_or(0.0);
        let on = |i: usize| d[i] * d[i] + above(i) * above(i) - self.value * self.value;
        let off = |i: usize| above(i) * d[i + 1];
        let mut component = self.components[self.peak];
        if index < self.peak {
            let mut pivot = on(0);
            for i in 0..self.peak {
                if i >= index {
                    component *= -off(i) / pivot;
                }
                pivot = on(i + 1) - off(i) * off(i) / pivot;
            }
        } else {
            let mut pivot = on(n - 1);
            for i in (self.peak..n - 1).rev() {
                if i < index {
                    component *= -off(i) / pivot;
                }
                pivot = on(i) - off(i) * off(i) / pivot;
            }
        }
        component
    }

    /// What row `middle` multiplies the end of the vector's right partner by, where the vector
    /// belongs to the rows before it or to those after.
    pub(super) fn share(&self, middle: usize) -> f64 {
        let (d, e) = (&self.form.diagonal, &self.form.above);
        let product = match self.peak.cmp(&middle) {
            Ordering::Less => d[middle] * e[middle - 1] * self.component(middle - 1),
            Ordering::Equal => return f64::INFINITY,
            Ordering::Greater => e[middle] * d[middle + 1] * self.component(middle + 1),
        };
        (product / self.value).abs()
    }
}

/// Leaves `B` on the diagonal and above it, and the left reflections' vectors below.
fn reduce(a: &mut DMatrix<f64>) {
    let (n, parallelism) = (a.nrows(), Par::Seq);
    let (mut left, mut right) = (Mat::zeros(1, n), Mat::zeros(1, n.saturating_sub(1)));
    let scratch = bidiag_in_place_scratch::<f64>(n, n, parallelism, Spec::default());
    let mut memory = MemBuffer::new(scratch);
    bidiag_in_place(
        view_mut(a),
        left.as_mut(),
        right.as_mut(),
        parallelism,
        MemStack::new(&mut memory),
        Spec::default(),
    );
}

impl Reflection {
    /// The reflection whose vector is 1 at `first` and stands below the diagonal from there.
    fn below_diagonal(reduced: &DMatrix<f64>, first: usize) -> Self {
        let mut vector = reduced.column(first).rows_range(first..).into_owned();
        vector[0] = 1.0;
        let squared_length = vector.norm_squared();
        // Nothing below the diagonal means that there was nothing to reflect.
        let tau = if squared_length == 1.0 {
            0.0
        } else {
            2.0 / squared_length
        };
        Self { first, tau, vector }
    }

    fn apply_to_vector(&self, vector: &mut DVector<f64>) {
        let mut rows = vector.rows_range_mut(self.first..);
        let scale = self.tau * rows.dot(&self.vector);
        rows.axpy(-scale, &self.vector, 1.0);
    }
}

/// Singular values and left singular vectors of `Q B P^T` by QR iteration.
pub(super) fn left_singular(form: &Bidiagonal) -> Result<ReferenceSingular, Status> {
    let (values, mut vectors) = iterate(form)?;
    let mut in_doubt = vec![false; values.len()];
    for perturbation in PERTURBATIONS {
        let (_, perturbed) = iterate(&form.perturbed(perturbation))?;
        let columns = vectors.column_iter().zip(perturbed.column_iter());
        for (doubt, (vector, other)) in in_doubt.iter_mut().zip(columns) {
            *doubt |= vector.dot(&other) < 0.0;
        }
    }
    for mut vector in vectors.column_iter_mut() {
        let mut column = vector.clone_owned();
        form.apply_left(&mut column);
        vector.copy_from(&column);
    }
    let signs_in_doubt = in_doubt.into_iter().filter(|doubt| *doubt).count();
    Ok(ReferenceSingular {
        svd: LeftSingular { values, vectors },
        signs_in_doubt,
    })
}

/// Relative changes of `B`, as small as LAPACK's own rounding, under which a sign that can be
/// relied on does not change.
const PERTURBATIONS: [f64; 8] = [
    4e-16, -4e-16, 8e-16, -8e-16, 1.6e-15, -1.6e-15, 3.2e-15, -3.2e-15,
];

/// Singular values, descending, and left singular vectors of `B`.
fn iterate(form: &Bidiagonal) -> Result<(Vec<f64>, DMatrix<f64>), Status> {
    let n = form.diagonal.len();
    let (diagonal, above) = (form.diagonal.clone(), form.above.clone());
    let mut iteration = Iteration::new(diagonal, above, DMatrix::identity(n, n));
    iteration.run()?;
    if let [only] = form.diagonal.as_slice() {
        // Alone, a negative entry gives its sign to the left vector; among others, to the right.
        iteration.u[(0, 0)] = 1f64.copysign(*only);
    }
    let values: Vec<f64> = iteration.d.iter().map(|d| d.abs()).collect();
    let mut order: Vec<usize> = Vec::with_capacity(n);
    for (column, value) in values.iter().enumerate() {
        let place = order.partition_point(|&other| values[other] >= *value);
        order.insert(place, column);
    }
    let descending = order.iter().map(|&i| values[i]).collect();
    Ok((descending, iteration.u.select_columns(&order)))
}

/// The singular values alone, descending, of a square matrix with this diagonal and this one above.
///
/// # Errors
/// [`Status::NoConvergence`].
pub(super) fn singular_values(diagonal: Vec<f64>, above: Vec<f64>) -> Result<Vec<f64>, Status> {
    let nothing = DMatrix::zeros(0, diagonal.len());
    let mut iteration = Iteration::new(diagonal, above, nothing);
    iteration.run()?;
    let mut values: Vec<f64> = iteration.d.iter().map(|d| d.abs()).collect();
    sort_magnitudes(&mut values);
    values.reverse();
    Ok(values)
}

/// Unit roundoff, LAPACK's `eps`.
const ROUNDOFF: f64 = f64::EPSILON / 2.0;

/// QR steps allowed per singular value, as in LAPACK.
const MAX_STEPS: usize = 6;

/// The state of the iteration: `B` with diagonal `d` and superdiagonal `e`, and the product `u`
/// of the left rotations, without rows where only values are wanted. The right rotations are not
/// needed.
struct Iteration {
    d: Vec<f64>,
    e: Vec<f64>,
    u: DMatrix<f64>,
    tolerance: f64,
    negligible: f64,
}

/// Which end of the active block the bulge is chased from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Down,
    Up,
}

impl Iteration {
    fn new(d: Vec<f64>, e: Vec<f64>, u: DMatrix<f64>) -> Self {
        let n = d.len();
        let tolerance = ROUNDOFF.powf(-0.125).clamp(10.0, 100.0) * ROUNDOFF;
        let mut smallest = d.first().map_or(0.0, |d| d.abs());
        let mut mu = smallest;
        for i in 1..n {
            mu = d[i].abs() * (mu / (mu + e[i - 1].abs()));
            smallest = smallest.min(mu);
        }
        #[allow(clippy::cast_precision_loss)] // a number of rows
        let size = n as f64;
        let negligible =
            (tolerance * smallest / size.sqrt()).max(6.0 * size * size * f64::MIN_POSITIVE);
        Self {
            d,
            e,
            u,
            tolerance,
            negligible,
        }
    }

    /// Iterates until `e` is zero.
    fn run(&mut self) -> Result<(), Status> {
        let n = self.d.len();
        let mut bottom = n.saturating_sub(1);
        let mut previous: Option<(usize, usize, Direction)> = None;
        let mut steps = MAX_STEPS * n * n;
        while bottom > 0 {
            let Some((top, largest)) = self.active_block(bottom) else {
                bottom -= 1;
                continue;
            };
            if top + 1 == bottom {
                self.solve_two_by_two(top);
                bottom = bottom.saturating_sub(2);
                continue;
            }
            let direction = match previous {
                Some((old_top, old_bottom, direction))
                    if top <= old_bottom && bottom >= old_top =>
                {
                    direction
                }
                _ if self.d[top].abs() >= self.d[bottom].abs() => Direction::Down,
                _ => Direction::Up,
            };
            let Some(smallest) = self.deflate(top, bottom, direction) else {
                continue;
            };
            previous = Some((top, bottom, direction));
            steps = steps
                .checked_sub(bottom - top)
                .ok_or(Status::NoConvergence)?;
            let shift = self.shift(top, bottom, direction, smallest / largest);
            match (direction, shift == 0.0) {
                (Direction::Down, true) => self.sweep_down_without_shift(top, bottom),
                (Direction::Up, true) => self.sweep_up_without_shift(top, bottom),
                (Direction::Down, false) => self.sweep_down(top, bottom, shift),
                (Direction::Up, false) => self.sweep_up(top, bottom, shift),
            }
        }
        Ok(())
    }

    /// The first row of the unreduced block that ends at `bottom`, and the largest magnitude in
    /// it; `None` where `bottom` stands alone.
    fn active_block(&mut self, bottom: usize) -> Option<(usize, f64)> {
        let mut largest = self.d[bottom].abs();
        for l in (0..bottom).rev() {
            if self.e[l].abs() <= self.negligible {
                self.e[l] = 0.0;
                return (l + 1 != bottom).then_some((l + 1, largest));
            }
            largest = largest.max(self.d[l].abs()).max(self.e[l].abs());
        }
        Some((0, largest))
    }

    /// Sets a negligible `e` to zero and gives `None`, or gives a lower bound of the block's
    /// smallest singular value.
    fn deflate(&mut self, top: usize, bottom: usize, direction: Direction) -> Option<f64> {
        let at_end = match direction {
            Direction::Down => (bottom - 1, bottom),
            Direction::Up => (top, top),
        };
        if self.e[at_end.0].abs() <= self.tolerance * self.d[at_end.1].abs() {
            self.e[at_end.0] = 0.0;
            return None;
        }
        let pairs: Vec<(usize, usize)> = match direction {
            Direction::Down => (top..bottom).map(|l| (l, l + 1)).collect(),
            Direction::Up => (top..bottom).rev().map(|l| (l, l)).collect(),
        };
        let start = if direction == Direction::Down {
            top
        } else {
            bottom
        };
        let mut mu = self.d[start].abs();
        let mut smallest = mu;
        for (off, next) in pairs {
            if self.e[off].abs() <= self.tolerance * mu {
                self.e[off] = 0.0;
                return None;
            }
            mu = self.d[next].abs() * (mu / (mu + self.e[off].abs()));
            smallest = smallest.min(mu);
        }
        Some(smallest)
    }

    /// The shift, or zero where a shift would cost relative accuracy.
    fn shift(&self, top: usize, bottom: usize, direction: Direction, ratio: f64) -> f64 {
        #[allow(clippy::cast_precision_loss)] // a number of rows
        let size = self.d.len() as f64;
        if size * self.tolerance * ratio <= ROUNDOFF.max(0.01 * self.tolerance) {
            return 0.0;
        }
        let (scale, shift) = match direction {
            Direction::Down => (
                self.d[top].abs(),
                smaller_singular_value(self.d[bottom - 1], self.e[bottom - 1], self.d[bottom]),
            ),
            Direction::Up => (
                self.d[bottom].abs(),
                smaller_singular_value(self.d[top], self.e[top], self.d[top + 1]),
            ),
        };
        if scale > 0.0 && (shift / scale).powi(2) < ROUNDOFF {
            0.0
        } else {
            shift
        }
    }

    fn sweep_down_without_shift(&mut self, top: usize, bottom: usize) {
        let (mut c, mut old) = (1.0, Rotation { c: 1.0, s: 0.0 });
        for i in top..bottom {
            let (right, r) = Rotation::zeroing(self.d[i] * c, self.e[i]);
            if i > top {
                self.e[i - 1] = old.s * r;
            }
            let (left, d) = Rotation::zeroing(old.c * r, self.d[i + 1] * right.s);
            self.d[i] = d;
            self.rotate(i, left);
            (c, old) = (right.c, left);
        }
        let h = self.d[bottom] * c;
        self.d[bottom] = h * old.c;
        self.set_end(bottom - 1, h * old.s);
    }

    fn sweep_up_without_shift(&mut self, top: usize, bottom: usize) {
        let (mut c, mut old) = (1.0, Rotation { c: 1.0, s: 0.0 });
        for i in (top + 1..=bottom).rev() {
            let (left, r) = Rotation::zeroing(self.d[i] * c, self.e[i - 1]);
            if i < bottom {
                self.e[i] = old.s * r;
            }
            let (right, d) = Rotation::zeroing(old.c * r, self.d[i - 1] * left.s);
            self.d[i] = d;
            self.rotate(i - 1, left.inverse());
            (c, old) = (left.c, right);
        }
        let h = self.d[top] * c;
        self.d[top] = h * old.c;
        self.set_end(top, h * old.s);
    }

    fn sweep_down(&mut self, top: usize, bottom: usize, shift: f64) {
        let (mut f, mut g) = (shifted(self.d[top], shift), self.e[top]);
        for i in top..bottom {
            let (right, r) = Rotation::zeroing(f, g);
            if i > top {
                self.e[i - 1] = r;
            }
            (f, self.e[i]) = right.of(self.d[i], self.e[i]);
            (g, self.d[i + 1]) = (right.s * self.d[i + 1], right.c * self.d[i + 1]);
            let (left, d) = Rotation::zeroing(f, g);
            self.d[i] = d;
            (f, self.d[i + 1]) = left.of(self.e[i], self.d[i + 1]);
            if i + 1 < bottom {
                (g, self.e[i + 1]) = (left.s * self.e[i + 1], left.c * self.e[i + 1]);
            }
            self.rotate(i, left);
        }
        self.set_end(bottom - 1, f);
    }

    fn sweep_up(&mut self, top: usize, bottom: usize, shift: f64) {
        let (mut f, mut g) = (shifted(self.d[bottom], shift), self.e[bottom - 1]);
        for i in (top + 1..=bottom).rev() {
            let (left, r) = Rotation::zeroing(f, g);
            if i < bottom {
                self.e[i] = r;
            }
            (f, self.e[i - 1]) = left.of(self.d[i], self.e[i - 1]);
            (g, self.d[i - 1]) = (left.s * self.d[i - 1], left.c * self.d[i - 1]);
            let (right, d) = Rotation::zeroing(f, g);
            self.d[i] = d;
            (f, self.d[i - 1]) = right.of(self.e[i - 1], self.d[i - 1]);
            if i > top + 1 {
                (g, self.e[i - 2]) = (right.s * self.e[i - 2], right.c * self.e[i - 2]);
            }
            self.rotate(i - 1, left.inverse());
        }
        self.set_end(top, f);
    }

    fn set_end(&mut self, index: usize, value: f64) {
        self.e[index] = if value.abs() <= self.negligible {
            0.0
        } else {
            value
        };
    }

    /// Diagonalises the block of rows `top` and `top + 1`.
    fn solve_two_by_two(&mut self, top: usize) {
        let (left, larger, smaller) = two_by_two(self.d[top], self.e[top], self.d[top + 1]);
        (self.d[top], self.e[top], self.d[top + 1]) = (larger, 0.0, smaller);
        self.rotate(top, left);
    }

    fn rotate(&mut self, column: usize, rotation: Rotation) {
        for mut row in self.u.row_iter_mut() {
            (row[column], row[column + 1]) = rotation.of(row[column], row[column + 1]);
        }
    }
}

/// A plane rotation `[c s; -s c]`.
#[derive(Clone, Copy)]
struct Rotation {
    c: f64,
    s: f64,
}

impl Rotation {
    /// The rotation that takes `(f, g)` to `(r, 0)`, with `c >= 0`, and `r`.
    fn zeroing(f: f64, g: f64) -> (Self, f64) {
        if g == 0.0 {
            return (Self { c: 1.0, s: 0.0 }, f);
        }
        if f == 0.0 {
            return (
                Self {
                    c: 0.0,
                    s: 1f64.copysign(g),
                },
                g.abs(),
            );
        }
        let length = f.hypot(g);
        let r = length.copysign(f);
        (
            Self {
                c: f.abs() / length,
                s: g / r,
            },
            r,
        )
    }

    fn of(self, x: f64, y: f64) -> (f64, f64) {
        (self.c * x + self.s * y, self.c * y - self.s * x)
    }

    const fn inverse(self) -> Self {
        Self {
            c: self.c,
            s: -self.s,
        }
    }
}

fn shifted(d: f64, shift: f64) -> f64 {
    (d.abs() - shift) * (1f64.copysign(d) + shift / d)
}

/// The smaller singular value of `[f g; 0 h]`.
fn smaller_singular_value(f: f64, g: f64, h: f64) -> f64 {
    let (small, large, g) = (f.abs().min(h.abs()), f.abs().max(h.abs()), g.abs());
    if small == 0.0 {
        return 0.0;
    }
    let sum = 1.0 + small / large;
    let difference = (large - small) / large;
    if g < large {
        let u = (g / large).powi(2);
        return small * (2.0 / ((sum * sum + u).sqrt() + (difference * difference + u).sqrt()));
    }
    let u = large / g;
    if u == 0.0 {
        return small * large / g;
    }
    let c = 1.0 / ((sum * u).hypot(1.0) + (difference * u).hypot(1.0));
    2.0 * (small * c * u)
}

/// The left rotation and the signed singular values, larger first, of `[f g; 0 h]`.
fn two_by_two(f: f64, g: f64, h: f64) -> (Rotation, f64, f64) {
    let swapped = h.abs() > f.abs();
    let (top, bottom) = if swapped { (h, f) } else { (f, h) };
    let parts = TwoByTwo::of(top, g, bottom);
    let (left, right) = if swapped {
        (
            Rotation {
                c: parts.right.s,
                s: parts.right.c,
            },
            Rotation {
                c: parts.left.s,
                s: parts.left.c,
            },
        )
    } else {
        (parts.left, parts.right)
    };
    let sign = |x: f64| 1f64.copysign(x);
    let largest_sign = if g.abs() > top.abs() {
        sign(right.s) * sign(left.c) * sign(g)
    } else if swapped {
        sign(right.s) * sign(left.s) * sign(h)
    } else {
        sign(right.c) * sign(left.c) * sign(f)
    };
    let smallest_sign = largest_sign * sign(f) * sign(h);
    (
        left,
        parts.larger.copysign(largest_sign),
        parts.smaller.copysign(smallest_sign),
    )
}

/// The decomposition of `[f g; 0 h]` with `|f| >= |h|`, magnitudes and rotations.
struct TwoByTwo {
    left: Rotation,
    right: Rotation,
    larger: f64,
    smaller: f64,
}

impl TwoByTwo {
    fn of(f: f64, g: f64, h: f64) -> Self {
        let (fa, ga, ha) = (f.abs(), g.abs(), h.abs());
        if ga == 0.0 {
            let identity = Rotation { c: 1.0, s: 0.0 };
            return Self {
                left: identity,
                right: identity,
                larger: fa,
                smaller: ha,
            };
        }
        if ga > fa && fa / ga < ROUNDOFF {
            return Self {
                left: Rotation { c: 1.0, s: h / g },
                right: Rotation { c: f / g, s: 1.0 },
                larger: ga,
                smaller: if ha > 1.0 {
                    fa / (ga / ha)
                } else {
                    (fa / ga) * ha
                },
            };
        }
        Self::regular(f, g, h)
    }

    fn regular(f: f64, g: f64, h: f64) -> Self {
        let (fa, ha) = (f.abs(), h.abs());
        let d = fa - ha;
        let l = if d == fa { 1.0 } else { d / fa };
        let m = g / f;
        let t = 2.0 - l;
        let mm = m * m;
        let s = (t * t + mm).sqrt();
        let r = if l == 0.0 {
            m.abs()
        } else {
            (l * l + mm).sqrt()
        };
        let a = 0.5 * (s + r);
        let tangent = if mm != 0.0 {
            (m / (s + t) + m / (r + l)) * (1.0 + a)
        } else if l == 0.0 {
            2f64.copysign(f) * 1f64.copysign(g)
        } else {
            g / d.copysign(f) + m / t
        };
        let length = (tangent * tangent + 4.0).sqrt();
        let right = Rotation {
            c: 2.0 / length,
            s: tangent / length,
        };
        let left = Rotation {
            c: (right.c + right.s * m) / a,
            s: (h / f) * right.s / a,
        };
        Self {
            left,
            right,
            larger: fa * a,
            smaller: ha / a,
        }
    }
}
