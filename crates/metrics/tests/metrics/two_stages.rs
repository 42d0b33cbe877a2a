//! Singular values and eigenvalues of matrices that are large enough to go by way of a band.

use ckptscope_metrics::linalg::{
    SpareCores, gram_of_rows, product, singular_values_by_decomposition, symmetric_eigenvalues,
};
use nalgebra::DMatrix;

use crate::matrices::{gaussian, orthogonal, with_singular_values};

/// Far more than the rounding of a few thousand additions, and far less than a wrong digit.
const EXACT: f64 = 1e-13;

/// Sizes at which the last blocks of both stages are whole, short, or a single row.
const SIZES: [usize; 4] = [256, 288, 289, 337];

/// Which value a matrix has at a share of their count.
type Value = fn(f64) -> f64;

/// Singular values that are hard to find: their share of the count gives each.
const HARD: &[(&str, Value)] = &[
    ("all equal", |_| 1.0),
    ("from 1 to 2", |share| 1.0 + share),
    ("condition number 1e6", |share| 1e-6_f64.powf(share)),
    ("condition number 1e14", |share| 1e-14_f64.powf(share)),
    ("three clusters", |share| {
        10_f64.powf(-4.0 * (3.0 * share).floor())
    }),
    ("clusters that rounding blurs", |share| 1.0 + 1e-15 * share),
    ("half of the rank", |share| {
        if share < 0.5 { 1.0 + share } else { 0.0 }
    }),
    ("rank one", |share| if share == 0.0 { 1.0 } else { 0.0 }),
    (
        "one that is large",
        |share| if share == 0.0 { 1.0 } else { 1e-9 },
    ),
    (
        "one that is small",
        |share| if share > 0.99 { 1e-9 } else { 1.0 },
    ),
    ("zero", |_| 0.0),
];

fn assert_near(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    assert!(found.is_sorted_by(|a, b| a >= b), "{what}: in order");
    let largest = expected.first().map_or(0.0, |value| value.abs());
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let difference = (found - expected).abs();
        assert!(
            difference <= EXACT * largest,
            "{what}, {index}: {found:e} for {expected:e}"
        );
    }
}

/// The values, largest first.
#[allow(clippy::cast_precision_loss)] // a number of values
fn values(value: Value, count: usize) -> Vec<f64> {
    let of = |index: usize| value(index as f64 / count as f64);
    let mut values: Vec<f64> = (0..count).map(of).collect();
    values.sort_by(|a, b| b.total_cmp(a));
    values
}

#[test]
fn hard_singular_values() {
    for (index, (what, value)) in HARD.iter().enumerate() {
        let size = SIZES[index % SIZES.len()];
        let expected = values(*value, size);
        for (rows, columns) in [(size, size), (size + 40, size), (size, size + 300)] {
            let matrix = with_singular_values(rows, columns, 3, value);
            let found = singular_values_by_decomposition(&matrix).unwrap();
            assert_near(&found, &expected, &format!("{what}, {rows} x {columns}"));
        }
    }
}

#[test]
fn hard_eigenvalues() {
    for (index, (what, value)) in HARD.iter().enumerate() {
        let size = SIZES[(index + 1) % SIZES.len()];
        // Of both signs, which a Gram matrix never has.
        let signed: Vec<f64> = values(*value, size)
            .into_iter()
            .enumerate()
            .map(|(index, value)| if index % 3 == 1 { -value } else { value })
            .collect();
        let basis = orthogonal(size, 4);
        let mut scaled = basis.clone();
        for (mut column, value) in scaled.column_iter_mut().zip(&signed) {
            column *= *value;
        }
        let mut matrix = scaled * basis.transpose();
        // Nobody reads what is above the diagonal.
        matrix.fill_upper_triangle(f64::NAN, 1);
        let mut expected = signed;
        expected.sort_by(|a, b| b.total_cmp(a));
        assert_near(&symmetric_eigenvalues(matrix).unwrap(), &expected, what);
    }
}

/// Matrices with zeros where reflections find nothing to do.
fn sparse(size: usize) -> Vec<(&'static str, DMatrix<f64>)> {
    let full = gaussian(size, size, 5);
    let banded = |below: usize, above: usize| {
        full.map_with_location(|row, column, entry| {
            let is_inside = row <= column + below && column <= row + above;
            if is_inside { entry } else { 0.0 }
        })
    };
    let mut gaps = full.clone();
    for index in (0..size).step_by(7) {
        gaps.column_mut(index).fill(0.0);
        gaps.row_mut(size - 1 - index).fill(0.0);
    }
    let mut blocks = full.clone();
    blocks
        .view_mut((0, size / 2), (size / 2, size - size / 2))
        .fill(0.0);
    blocks
        .view_mut((size / 2, 0), (size - size / 2, size / 2))
        .fill(0.0);
    vec![
        ("diagonal", banded(0, 0)),
        ("two diagonals", banded(0, 1)),
        ("as wide as the band", banded(0, 48)),
        ("one diagonal wider", banded(2, 49)),
        ("lower triangle", banded(size, 0)),
        ("rows and columns of zeros", gaps),
        ("two blocks", blocks),
        ("constant", DMatrix::from_element(size, size, 0.25)),
        (
            "exchange",
            DMatrix::from_fn(size, size, |row, column| {
                f64::from(row + column + 1 == size)
            }),
        ),
        (
            "a column",
            full.map_with_location(|_, column, entry| if column == 3 { entry } else { 0.0 }),
        ),
        ("very small", full.clone() * 1e-30),
        ("very large", full * 1e30),
    ]
}

#[test]
fn sparse_matrices_as_another_library_has_them() {
    for size in [256, 300] {
        for (what, matrix) in sparse(size) {
            let mut expected: Vec<f64> = matrix.clone().singular_values().iter().copied().collect();
            expected.sort_by(|a, b| b.total_cmp(a));
            let found = singular_values_by_decomposition(&matrix).unwrap();
            assert_near(&found, &expected, what);
            let symmetric = &matrix + matrix.transpose();
            let mut expected: Vec<f64> =
                symmetric.symmetric_eigenvalues().iter().copied().collect();
            expected.sort_by(|a, b| b.total_cmp(a));
            let largest = symmetric.norm();
            let found = symmetric_eigenvalues(symmetric).unwrap();
            for (found, expected) in found.iter().zip(&expected) {
                assert!(
                    (found - expected).abs() <= EXACT * largest,
                    "{what}: eigenvalues"
                );
            }
        }
    }
}

#[test]
fn eigenvalues_of_a_gram_matrix_are_squares_of_singular_values() {
    let matrix = gaussian(300, 500, 6);
    let squares: Vec<f64> = singular_values_by_decomposition(&matrix)
        .unwrap()
        .into_iter()
        .map(|value| value * value)
        .collect();
    let found = symmetric_eigenvalues(gram_of_rows(&matrix)).unwrap();
    assert_near(&found, &squares, "squares");
}

#[test]
fn sizes_around_the_smallest_agree() {
    for size in 250..=262 {
        let expected = values(|share| 2.0 - share, size);
        let matrix = with_singular_values(size, size, 7, |share| 2.0 - share);
        let found = singular_values_by_decomposition(&matrix).unwrap();
        assert_near(&found, &expected, &size.to_string());
    }
}

#[test]
fn helping_cores_change_no_bit() {
    let (square, wide) = (gaussian(600, 600, 8), gaussian(300, 700, 9));
    let all = || {
        let mut found = singular_values_by_decomposition(&square).unwrap();
        found.extend(singular_values_by_decomposition(&wide).unwrap());
        let gram = gram_of_rows(&wide);
        found.extend(symmetric_eigenvalues(gram.clone()).unwrap());
        found.extend(gram.as_slice());
        found.extend(product(&wide, &gaussian(700, 900, 10)).as_slice());
        found
    };
    let alone = all();
    for cores in [1, 3] {
        let _spare = SpareCores::lend(cores);
        assert!(all() == alone, "{cores} more");
    }
}
