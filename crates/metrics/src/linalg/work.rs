//! What products and decompositions cost.
//!
//! Factors were fitted to times of matrices from 32 to 4096 rows, natively and in a browser. What
//! grows with the square of a side are steps that wait for each other; at small sizes they are
//! most of it.

use ckptscope_vocabulary::Work;

use super::band;
use super::singular::GRAM_ASPECT;

/// Operations of matrices times vectors, per entry, while panels of a QR decomposition are made.
const PANEL: f64 = 115.0;

/// `[m, k]` times `[k, n]`.
#[must_use]
pub fn product(m: usize, k: usize, n: usize) -> Work {
    let (m, k, n) = (float(m), float(k), float(n));
    Work {
        products: 2.0 * m * k * n,
        // Memory that nobody used before.
        entries: 2.0 * m * n,
        ..Work::default()
    }
}

/// The Gram matrix `[n, n]` of what has another side of `k`.
#[must_use]
pub fn gram(n: usize, k: usize) -> Work {
    let (n, k) = (float(n), float(k));
    Work {
        products: 1.7 * n * n * k,
        entries: 2.0 * n * n,
        ..Work::default()
    }
}

/// The triangular factor of `[m, n]`.
#[must_use]
pub fn triangular_factor(m: usize, n: usize) -> Work {
    let (long, short) = (float(m.max(n)), float(m.min(n)));
    Work {
        products: 2.0 * short * short * (long - short / 3.0),
        vectors: PANEL * long * short,
        // Copies beside it, transposed.
        entries: 8.0 * long * short,
        ..Work::default()
    }
}

/// An orthonormal basis of the columns of `[m, n]`.
#[must_use]
pub fn orthonormal_columns(m: usize, n: usize) -> Work {
    let (rows, columns) = (float(m), float(n));
    let solve = Work {
        products: 2.0 * rows * columns * columns,
        ..Work::default()
    };
    triangular_factor(m, n) + solve
}

/// The singular values of `[m, n]`; of a Gram matrix where that is tried, and trusted.
#[must_use]
pub fn singular_values(m: usize, n: usize) -> Work {
    let (long, short) = (m.max(n), m.min(n));
    if float(long) >= GRAM_ASPECT * float(short) {
        return gram(short, long) + symmetric_eigenvalues(short);
    }
    let (r, l) = (float(short), float(long));
    if short < band::SMALLEST {
        return Work {
            turns: 73.0 * r * r,
            vectors: 4.0 * r * r * (l - r / 3.0),
            ..Work::default()
        };
    }
    let square = Work {
        turns: 120.0 * r * r,
        products: 3.5 * r * r * r,
        ..Work::default()
    };
    if short == long {
        square
    } else {
        square + triangular_factor(m, n)
    }
}

/// The eigenvalues of a symmetric matrix `[n, n]`.
#[must_use]
pub fn symmetric_eigenvalues(n: usize) -> Work {
    let r = float(n);
    if n < band::SMALLEST {
        return Work {
            turns: 50.0 * r * r,
            vectors: 0.4 * r * r * r,
            ..Work::default()
        };
    }
    Work {
        turns: 62.0 * r * r,
        products: 2.3 * r * r * r,
        ..Work::default()
    }
}

/// The eigenvalues and eigenvectors of a symmetric matrix `[n, n]`.
#[must_use]
pub fn symmetric_eigen(n: usize) -> Work {
    let r = float(n);
    Work {
        turns: 50.0 * r * r,
        vectors: (180.0 + 1.65 * r) * r * r,
        ..Work::default()
    }
}

/// The left singular vectors and the singular values of `[m, n]`.
#[must_use]
pub fn left_singular(m: usize, n: usize) -> Work {
    let short = m.min(n);
    let r = float(short);
    let square = Work {
        turns: 46.0 * r * r,
        vectors: (540.0 + 3.6 * r) * r * r,
        ..Work::default()
    };
    if m == n {
        square
    } else {
        square + triangular_factor(m, n) + product(m, short, short)
    }
}

/// The same of `[n, n]`, with LAPACK's signs.
#[must_use]
pub fn reference_left_singular(n: usize) -> Work {
    let r = float(n);
    let signs = Work {
        turns: 12.0 * r * r,
        vectors: 2.4 * r * r * r,
        ..Work::default()
    };
    left_singular(n, n) + signs
}

/// The eigenvalues of any matrix `[n, n]`.
#[must_use]
pub fn eigenvalues(n: usize) -> Work {
    let r = float(n);
    Work {
        turns: 245.0 * r * r,
        vectors: 3.7 * r * r * r,
        ..Work::default()
    }
}

#[allow(clippy::cast_precision_loss)] // an estimate
const fn float(size: usize) -> f64 {
    size as f64
}
