//! Condition numbers of matrices that were stored in less than float64, and edges of ranges.

use ckptscope_metrics::{
    Facts, Measurement, ParameterValue, Parameters, Precision, Single, Status,
    single::condition_number, single::gini::Gini, single::hoyer::Hoyer, single::per::Per,
};
use nalgebra::DMatrix;

use crate::ask::{measure, metric, parameters};

/// Numbers that look random, from -1 to 1.
fn noise(rows: usize, columns: usize, seed: u64) -> DMatrix<f64> {
    let mut state = seed;
    DMatrix::from_fn(rows, columns, |_, _| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    })
}

/// Each entry rounded to so many bits of fraction, as a float of that format stores it.
fn rounded(matrix: &DMatrix<f64>, bits: i32) -> DMatrix<f64> {
    matrix.map(|entry| {
        let unit = 2_f64.powi(entry.abs().log2().floor() as i32 - bits);
        if entry == 0.0 {
            0.0
        } else {
            (entry / unit).round_ties_even() * unit
        }
    })
}

fn condition(matrix: DMatrix<f64>, bits: Option<u32>) -> Measurement {
    let facts = Facts::dense(matrix);
    if let Some(bits) = bits {
        facts.set_precision(Precision::of_fraction_bits(bits));
    }
    condition_number::ConditionNumber
        .measure(&Parameters::default(), &facts)
        .remove(0)
}

#[test]
fn the_rank_of_what_rounding_filled_up_is_told() {
    for (bits, seed) in [(23, 1), (10, 2), (7, 3)] {
        for (rows, columns, rank) in [(64, 64, 4), (24, 64, 3), (80, 16, 2)] {
            let product = noise(rows, rank, seed) * noise(rank, columns, seed + 10);
            let stored = rounded(&product, bits as i32);
            let measured = condition(stored.clone(), Some(bits));
            let of = rows.min(columns);
            let status = Status::WithinRounding { rank, of };
            assert_eq!(
                measured.status,
                Some(status),
                "{bits} bits, {rows} x {columns}"
            );
            // Who stored float64 has the number as it is.
            let exact = condition(stored, None);
            assert_eq!((exact.status, exact.value), (None, measured.value));
        }
    }
}

#[test]
fn what_rounding_cannot_have_made_is_left_alone() {
    for bits in [23, 10, 7] {
        for (rows, columns) in [(8, 8), (16, 48), (96, 24)] {
            let tall = noise(rows, columns, 5) + DMatrix::identity(rows, columns) * 9.0;
            let measured = condition(rounded(&tall, bits as i32), Some(bits));
            assert_eq!(measured.status, None, "{bits} bits, {rows} x {columns}");
            assert!(measured.value.unwrap() > 1.0);
        }
    }
    let rank_one = DMatrix::from_element(4, 4, 0.1_f32.into());
    let measured = condition(rank_one, Some(23));
    assert_eq!(
        measured.status,
        Some(Status::RankDeficient { rank: 1, of: 4 })
    );
    assert_eq!(measured.value, None);
}

#[test]
fn the_coarser_precision_counts_and_the_first_word_stays() {
    let of = Precision::of_fraction_bits;
    assert_eq!(of(23).coarser(of(7)), of(7));
    assert_eq!(of(7).coarser(Precision::DOUBLE), of(7));
    assert_eq!(of(52), Precision::DOUBLE);
    let facts = Facts::dense(DMatrix::identity(2, 2));
    assert_eq!(facts.precision(), Precision::DOUBLE);
    facts.set_precision(of(7));
    facts.set_precision(of(23));
    assert_eq!(facts.precision(), of(7));
}

/// Equal magnitudes of either sign, of sizes and values whose sums round.
#[test]
fn even_magnitudes_are_exactly_not_sparse() {
    for (rows, columns) in [(1, 6), (2, 3), (7, 11), (33, 65)] {
        for value in [1.0, 0.1, 1.0 / 3.0, 1e-200, 3e150] {
            let sign = |row: usize, column: usize| {
                if (row + column).is_multiple_of(3) {
                    -1.0
                } else {
                    1.0
                }
            };
            let even = DMatrix::from_fn(rows, columns, |row, column| value * sign(row, column));
            let facts = Facts::dense(even);
            let hoyer = Hoyer
                .measure(&Parameters::default(), &facts)
                .remove(0)
                .value;
            assert_eq!(hoyer, Some(0.0), "{rows} x {columns} of {value}");
            let gini = Gini
                .measure(&Parameters::default(), &facts)
                .remove(0)
                .value
                .unwrap();
            assert!((0.0..1e-12).contains(&gini), "{gini}");
        }
    }
    let blocks = [0.1, -0.1].map(|value| Facts::dense(DMatrix::from_element(3, 2, value)).into());
    let side_by_side = Facts::side_by_side(blocks.into());
    let hoyer = Hoyer
        .measure(&Parameters::default(), &side_by_side)
        .remove(0)
        .value;
    assert_eq!(hoyer, Some(0.0));
}

#[test]
fn ratios_stay_in_their_ranges() {
    for value in [1.0, 0.1, 1.0 / 3.0, 1e-200, 7e180] {
        for entries in 2..40 {
            let mut one = DMatrix::zeros(1, entries);
            one[(0, entries - 1)] = value;
            let hoyer = Hoyer
                .measure(&Parameters::default(), &Facts::dense(one))
                .remove(0);
            let hoyer = hoyer.value.unwrap();
            assert!((1.0 - 1e-12..=1.0).contains(&hoyer), "{hoyer}");
            let square = Facts::dense(DMatrix::identity(entries, entries) * value);
            let per = Per
                .measure(&Parameters::default(), &square)
                .remove(0)
                .value
                .unwrap();
            assert!((1.0 - 1e-12..=1.0).contains(&per), "{per}");
        }
    }
    // Nearly even is not even.
    let mut nearly = DMatrix::from_element(4, 4, 1.0);
    nearly[(0, 0)] = 1.0 + 1e-4;
    let hoyer = Hoyer
        .measure(&Parameters::default(), &Facts::dense(nearly))
        .remove(0)
        .value
        .unwrap();
    assert!(hoyer > 0.0 && hoyer < 1e-8, "{hoyer}");
}

#[test]
fn a_power_law_of_what_rounding_filled_up_says_so() {
    let product = noise(64, 4, 1) * noise(4, 64, 11);
    let law = |bits: Option<u32>| {
        let facts = Facts::dense(rounded(&product, 23));
        if let Some(bits) = bits {
            facts.set_precision(Precision::of_fraction_bits(bits));
        }
        let given = [("fit", ParameterValue::Choice("median"))];
        let parameters = parameters("power_law", &given);
        measure(metric("power_law"), &parameters, &facts, &facts)
    };
    for measured in law(Some(23)) {
        let status = Status::WithinRounding { rank: 4, of: 64 };
        assert_eq!(measured.status, Some(status));
    }
    assert!(law(None).iter().all(|measured| measured.status.is_none()));
}
