//! Entries of float32, counted by their bits: the same numbers as of the entries one by one.

use std::rc::Rc;

use ckptscope_metrics::float32::SUITABLE;
use ckptscope_metrics::{Ascending, Facts, Float32Entries, Metric, Parameters};
use nalgebra::DMatrix;
use proptest::prelude::*;

use crate::ask::measure;
use crate::matrices::Random;
use crate::registry::every_question;

const ROWS: usize = 363;
const COLUMNS: usize = 367;

/// As a file has them.
fn elements(numbers: &[f32]) -> Vec<[u8; 4]> {
    numbers.iter().map(|number| number.to_le_bytes()).collect()
}

/// As the engine counts them, some at a time.
fn counted(numbers: &[f32], ordered: bool) -> Facts {
    let elements = elements(numbers);
    let mut entries = Float32Entries::default();
    elements.chunks(1000).for_each(|part| entries.count(part));
    if ordered {
        entries.begin_order().unwrap();
        elements.chunks(777).for_each(|part| entries.place(part));
    }
    assert_eq!(entries.is_ordered(), ordered);
    Facts::float32(ROWS, numbers.len() / ROWS, Rc::new(entries))
}

fn widened(numbers: &[f32]) -> DMatrix<f64> {
    let numbers = numbers.iter().copied().map(f64::from);
    DMatrix::from_row_iterator(ROWS, COLUMNS, numbers)
}

/// The same in another place each, so that sums and order are taken another way.
fn shuffled(mut numbers: Vec<f32>) -> Vec<f32> {
    let mut random = Random::new(5);
    for last in (1..numbers.len()).rev() {
        numbers.swap(last, random.bits() as usize % (last + 1));
    }
    numbers
}

fn questions() -> impl Iterator<Item = (&'static dyn Metric, Parameters)> {
    let all = every_question();
    all.filter(|(metric, parameters)| metric.ignores_places(parameters))
}

/// The number at an index of a list.
type Number<'a> = &'a mut dyn FnMut(&mut Random, usize) -> f32;

fn distributions() -> Vec<(&'static str, Vec<f32>)> {
    let kinds: [(&str, Number<'_>); 12] = [
        ("gaussian", &mut |random, _| random.gaussian() as f32),
        ("uniform", &mut |random, _| random.uniform() as f32),
        ("every float32", &mut |random, _| {
            let bits = random.bits() as u32;
            f32::from_bits(bits & !(1 << 29))
        }),
        ("subnormal", &mut |random, _| {
            f32::from_bits(random.bits() as u32 & 0x807f_ffff)
        }),
        ("huge", &mut |random, _| random.gaussian() as f32 * 1e37),
        ("tiny", &mut |random, _| random.gaussian() as f32 * 1e-33),
        ("all equal", &mut |_, _| -0.7),
        ("equal magnitudes", &mut |random, _| {
            if random.bits() % 2 == 0 { 0.3 } else { -0.3 }
        }),
        ("all zero", &mut |_, index| {
            if index % 2 == 0 { 0.0 } else { -0.0 }
        }),
        ("one outlier", &mut |_, index| {
            if index == 7 { 3e8 } else { 0.0 }
        }),
        ("far from zero", &mut |random, _| {
            1000.0 + random.uniform() as f32 * 0.01
        }),
        ("bfloat16", &mut |random, _| {
            f32::from_bits((random.gaussian() as f32).to_bits() & 0xffff_0000)
        }),
    ];
    let mut random = Random::new(9);
    let list = |number: Number<'_>, random: &mut Random| {
        let numbers = (0..ROWS * COLUMNS).map(|index| number(random, index));
        numbers.collect()
    };
    kinds
        .into_iter()
        .map(|(what, number)| (what, list(number, &mut random)))
        .collect()
}

#[test]
fn counted_numbers_are_those_of_the_matrix_bit_for_bit() {
    assert!(SUITABLE.contains(&((ROWS * COLUMNS) as u64)));
    for (what, numbers) in distributions() {
        let dense = Facts::dense(widened(&numbers));
        let others = [
            counted(&numbers, true),
            Facts::dense(widened(&shuffled(numbers.clone()))),
        ];
        for (metric, parameters) in questions() {
            let of = |facts: &Facts| measure(metric, &parameters, facts, facts);
            for other in &others {
                let context = format!("{} of {what}", metric.name());
                assert_eq!(of(other), of(&dense), "{context}");
            }
        }
    }
}

#[test]
fn sums_need_no_order() {
    for (what, numbers) in distributions() {
        let (sums, all) = (counted(&numbers, false), counted(&numbers, true));
        for (metric, parameters) in questions() {
            if !metric.needs(&parameters).wants_order() {
                let of = |facts: &Facts| measure(metric, &parameters, facts, facts);
                assert_eq!(of(&sums), of(&all), "{} of {what}", metric.name());
            }
        }
    }
}

#[test]
fn the_order_is_that_of_a_sort() {
    for (what, numbers) in distributions() {
        let facts = counted(&numbers, true);
        let mut entries: Vec<f64> = numbers.into_iter().map(f64::from).collect();
        entries.sort_by(f64::total_cmp);
        assert_order(facts.sorted_entries().unwrap(), &entries, what);
        entries.iter_mut().for_each(|entry| *entry = entry.abs());
        entries.sort_by(f64::total_cmp);
        assert_order(facts.sorted_magnitudes().unwrap(), &entries, what);
    }
}

/// Up to the power of two that huge and tiny ones are divided by.
fn assert_order(found: Ascending<'_>, expected: &[f64], what: &str) {
    let all = found.each();
    let largest = |numbers: &[f64]| numbers.iter().fold(0.0_f64, |one, it| one.max(it.abs()));
    let (of_all, of_expected) = (largest(&all), largest(expected));
    let factor = if of_all == 0.0 {
        1.0
    } else {
        of_expected / of_all
    };
    assert_eq!(factor.log2().fract(), 0.0, "{what}");
    let bits = |number: f64| (number * factor).to_bits();
    let same = all
        .iter()
        .zip(expected)
        .all(|(one, it)| bits(*one) == it.to_bits());
    assert!(same && all.len() == expected.len(), "{what}");
    assert_eq!(found.len(), all.len());
    for place in (0..all.len()).step_by(997) {
        assert_eq!(found.get(place), Some(all[place]), "{what}: {place}");
    }
    assert_eq!(
        (found.get(all.len()), found.last()),
        (None, all.last().copied())
    );
    let from_above: Vec<f64> = all.into_iter().rev().take(300).collect();
    assert_eq!(found.largest(300), from_above, "{what}");
}

#[test]
fn not_finite_entries_are_told() {
    let mut numbers = distributions().swap_remove(0).1;
    (numbers[3], numbers[9], numbers[77]) = (f32::NAN, f32::NEG_INFINITY, f32::INFINITY);
    let (counted, dense) = (counted(&numbers, true), Facts::dense(widened(&numbers)));
    for (metric, parameters) in questions() {
        let of = |facts: &Facts| measure(metric, &parameters, facts, facts);
        assert_eq!(of(&counted), of(&dense), "{}", metric.name());
        assert!(of(&counted)[0].value.is_none());
    }
}

#[test]
fn what_was_not_placed_is_noticed() {
    let elements = elements(&[1.0, 2.0, 3.0, 4.0]);
    let mut entries = Float32Entries::default();
    entries.count(&elements);
    entries.begin_order().unwrap();
    entries.place(&elements[..3]);
    assert!(!entries.is_ordered());
    entries.place(&elements[..2]);
    assert!(!entries.is_ordered());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn sums_are_those_of_their_definitions(seed in any::<u64>(), exponents in 0_u32..40) {
        let mut random = Random::new(seed);
        let numbers: Vec<f32> = (0..ROWS * COLUMNS)
            .map(|_| {
                let exponent = (random.bits() % u64::from(exponents + 1)) as i32;
                (random.gaussian() * 2_f64.powi(-exponent)) as f32
            })
            .collect();
        let mut magnitudes: Vec<f64> = numbers.iter().map(|it| f64::from(it.abs())).collect();
        magnitudes.sort_by(f64::total_cmp);
        let count = magnitudes.len() as f64;
        let weighted = magnitudes.iter().zip(1_u32..);
        let weighted: f64 = weighted.map(|(it, rank)| (2.0 * f64::from(rank) - count - 1.0) * it).sum();
        let expected = weighted / count / magnitudes.iter().sum::<f64>();
        let gini = &ckptscope_metrics::single::gini::Gini;
        let facts = counted(&numbers, true);
        let found = measure(gini, &Parameters::default(), &facts, &facts);
        let found = found[0].value.unwrap();
        prop_assert!((found - expected).abs() <= 1e-12 * expected, "{found} {expected}");
        let sums = facts.magnitude_sums().unwrap();
        let squares: f64 = magnitudes.iter().map(|it| it * it).sum();
        for (found, expected) in [(sums.sum, magnitudes.iter().sum()), (sums.sum_of_squares, squares)] {
            prop_assert!((found - expected).abs() <= 1e-13 * expected, "{found} {expected}");
        }
        prop_assert_eq!(sums.largest, magnitudes[magnitudes.len() - 1]);
    }
}
