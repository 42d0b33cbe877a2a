//! Householder reflections of short vectors, and the loops that apply them.
//!
//! All are inlined into functions that are compiled for the instructions of the machine at hand.

/// Entries that a sum takes at once, so that it can be of vectors.
const LANES: usize = 8;

/// Makes `x` a multiple of the first unit vector by `I - tau v v^T`, with `v[0] = 1`: writes `v`,
/// returns `tau`, and leaves what is left of `x` in it. `tau` is zero where nothing is to be done.
#[inline(always)]
pub(super) fn reflect(x: &mut [f64], v: &mut [f64]) -> f64 {
    let Some((&head, tail)) = x.split_first() else {
        return 0.0;
    };
    let squares = dot(tail, tail);
    if squares == 0.0 {
        return 0.0;
    }
    let length = (head * head + squares).sqrt();
    let left = -length.copysign(head);
    let scale = 1.0 / (head - left);
    v[0] = 1.0;
    for (v, x) in v[1..].iter_mut().zip(tail) {
        *v = x * scale;
    }
    x.fill(0.0);
    x[0] = left;
    (left - head) / left
}

/// The sum of the products of entries.
#[inline(always)]
pub(in super::super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let length = a.len().min(b.len());
    let (a, b) = (&a[..length], &b[..length]);
    let mut sums = [0.0; LANES];
    let (mut of_a, mut of_b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    for (a, b) in of_a.by_ref().zip(of_b.by_ref()) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let rest = of_a.remainder().iter().zip(of_b.remainder());
    let rest: f64 = rest.map(|(a, b)| a * b).sum();
    let halves = [0, 1, 2, 3].map(|i| sums[i] + sums[i + 4]);
    (halves[0] + halves[2]) + (halves[1] + halves[3]) + rest
}

/// Adds `factor` times `x` to `y`.
#[inline(always)]
pub(in super::super) fn add(y: &mut [f64], factor: f64, x: &[f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += factor * x;
    }
}
