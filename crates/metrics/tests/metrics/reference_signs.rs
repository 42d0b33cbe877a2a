//! Left singular vectors with LAPACK's signs.

use ckptscope_metrics::linalg::{ReferenceSingular, reference_left_singular};
use nalgebra::{DMatrix, dmatrix};

use crate::ask::assert_all_near;
use crate::matrices::{gaussian, orthogonal, with_singular_values};

/// LAPACK decomposes up to 25 rows by QR iteration, more by divide and conquer.
const SIDES: [usize; 8] = [1, 2, 3, 12, 25, 26, 27, 60];

/// What LAPACK answered; `lapack_signs.py` beside it made it.
const LAPACK: &str = include_str!("lapack_signs.txt");

fn decomposed(matrix: &DMatrix<f64>) -> ReferenceSingular {
    reference_left_singular(matrix).unwrap()
}

/// That the vectors are orthonormal and diagonalise `A A^T` to the squares of the values.
#[track_caller]
fn assert_decomposes(matrix: &DMatrix<f64>) {
    let svd = decomposed(matrix).svd;
    let side = matrix.nrows();
    let identity = DMatrix::<f64>::identity(side, side);
    let products = svd.vectors.transpose() * &svd.vectors;
    assert_all_near(products.as_slice(), identity.as_slice(), 1e-13);
    assert!(svd.values.is_sorted_by(|a, b| a >= b));
    let squares = DMatrix::from_fn(
        side,
        side,
        |i, j| {
            if i == j { svd.values[i].powi(2) } else { 0.0 }
        },
    );
    let rebuilt = &svd.vectors * squares * svd.vectors.transpose();
    assert_all_near(
        rebuilt.as_slice(),
        (matrix * matrix.transpose()).as_slice(),
        1e-13,
    );
}

#[test]
fn they_are_left_singular_vectors() {
    for side in SIDES {
        assert_decomposes(&gaussian(side, side, 1));
        assert_decomposes(&with_singular_values(side, side, 2, |share| {
            1e-6_f64.powf(share)
        }));
        assert_decomposes(&orthogonal(side, 3));
        assert_decomposes(&DMatrix::identity(side, side));
        let rank = side.div_ceil(2);
        assert_decomposes(&(gaussian(side, rank, 4) * gaussian(rank, side, 5)));
    }
}

#[test]
fn no_vectors_of_no_rows() {
    let svd = decomposed(&DMatrix::zeros(0, 0)).svd;
    assert_eq!((svd.values.len(), svd.vectors.shape()), (0, (0, 0)));
}

#[test]
fn zeros_and_ones_decompose() {
    for side in SIDES {
        assert_decomposes(&DMatrix::from_element(side, side, 1.0));
        let svd = decomposed(&DMatrix::zeros(side, side)).svd;
        assert_eq!(svd.values, vec![0.0; side]);
    }
}

#[test]
fn signs_feel_neither_rounding_nor_scale() {
    for side in SIDES {
        let matrix = gaussian(side, side, 6);
        let noise = gaussian(side, side, 7) * 1e-13;
        let expected = decomposed(&matrix);
        assert_eq!(expected.signs_in_doubt, 0);
        for other in [matrix.clone(), &matrix * 4.0, matrix + noise] {
            let found = decomposed(&other).svd.vectors;
            for (found, expected) in found.column_iter().zip(expected.svd.vectors.column_iter()) {
                assert!(
                    found.dot(&expected) > 0.99,
                    "a vector of {side} was reversed"
                );
            }
        }
    }
}

#[test]
fn a_diagonal_keeps_its_axes() {
    let svd = decomposed(&dmatrix![1.0, 0.0; 0.0, -2.0]).svd;
    assert_eq!(svd.values, [2.0, 1.0]);
    assert_eq!(svd.vectors, dmatrix![0.0, 1.0; 1.0, 0.0]);
}

/// A bidiagonal matrix is its own bidiagonal form, so the rule shows in the vectors themselves.
#[test]
fn divide_and_conquer_makes_the_middle_component_negative() {
    for side in [26, 27, 60] {
        let matrix = DMatrix::from_fn(side, side, |i, j| match j.wrapping_sub(i) {
            0 => gaussian(side, 1, 8)[i],
            1 => gaussian(side, 1, 9)[i],
            _ => 0.0,
        });
        let ReferenceSingular {
            svd,
            signs_in_doubt,
        } = decomposed(&matrix);
        let certain = svd
            .vectors
            .row(side / 2)
            .iter()
            .filter(|middle| middle.abs() > 1e-8)
            .copied()
            .collect::<Vec<_>>();
        assert!(certain.iter().all(|middle| *middle < 0.0), "{certain:?}");
        assert!(certain.len() + signs_in_doubt <= side);
    }
}

/// Entries that other programs can make exactly: quotients of small numbers.
fn exact(side: usize) -> DMatrix<f64> {
    let mut state: u32 = u32::try_from(side).unwrap();
    let entries = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 16) / 32_768.0 - 1.0
    });
    DMatrix::from_row_iterator(side, side, entries.take(side * side))
}

#[test]
fn signs_are_those_of_lapack() {
    for line in LAPACK.lines() {
        let (side, expected) = line.split_once(' ').unwrap();
        let side: usize = side.parse().unwrap();
        let ReferenceSingular {
            svd,
            signs_in_doubt,
        } = decomposed(&exact(side));
        assert!(signs_in_doubt * 50 <= side, "{signs_in_doubt} of {side}");
        let sign = |vector: nalgebra::DVectorView<'_, f64>| {
            if vector[vector.iamax()] > 0.0 {
                '+'
            } else {
                '-'
            }
        };
        let found: String = svd.vectors.column_iter().map(sign).collect();
        assert_eq!(found, expected, "the signs of {side} vectors");
    }
}
