//! Sorting of magnitudes.

use ckptscope_metrics::sort::{sort_lows, sort_magnitudes, sort_numbers};
use proptest::prelude::*;

use crate::matrices::Random;

/// From nothing to what is beyond the caches.
const SIZES: [usize; 6] = [0, 1, 2, 100, 5_000, 300_000];

fn assert_sorts(magnitudes: &[f64], what: &str) {
    let mut expected = magnitudes.to_vec();
    expected.sort_by(f64::total_cmp);
    for sort in [sort_magnitudes, sort_numbers] {
        let mut sorted = magnitudes.to_vec();
        sort(&mut sorted);
        assert!(sorted == expected, "{what}, {} of them", expected.len());
    }
    let turn = |(index, magnitude): (usize, &f64)| {
        if index % 3 == 1 {
            -magnitude
        } else {
            *magnitude
        }
    };
    let mut numbers: Vec<f64> = magnitudes.iter().enumerate().map(turn).collect();
    let mut expected = numbers.clone();
    expected.sort_by(f64::total_cmp);
    sort_numbers(&mut numbers);
    let bits = |numbers: &[f64]| {
        numbers
            .iter()
            .map(|number| number.to_bits())
            .collect::<Vec<_>>()
    };
    assert!(bits(&numbers) == bits(&expected), "{what}, with signs");
}

/// The number at an index of a list.
type Number<'a> = &'a mut dyn FnMut(&mut Random, usize) -> f64;

/// As float32 has it, so many of its last bits zero.
fn stored(magnitude: f64, zeros: u32) -> f64 {
    f64::from(f32::from_bits(
        (magnitude as f32).to_bits() >> zeros << zeros,
    ))
}

#[test]
fn distributions_of_every_kind() {
    let mut random = Random::new(1);
    let kinds: [(&str, Number<'_>); 14] = [
        ("gaussian", &mut |random, _| random.gaussian().abs()),
        ("uniform", &mut |random, _| random.uniform()),
        ("float32", &mut |random, _| {
            stored(random.gaussian().abs(), 0)
        }),
        ("bfloat16", &mut |random, _| {
            stored(random.gaussian().abs(), 16)
        }),
        ("float16", &mut |random, _| {
            stored(random.gaussian().abs(), 13)
        }),
        ("every float32", &mut |random, _| {
            let bits = random.bits() as u32 % f32::INFINITY.to_bits();
            f64::from(f32::from_bits(bits))
        }),
        ("float32 but for the last", &mut |random, i| {
            stored(random.gaussian().abs(), 0) + if i == 299_999 { 1e-20 } else { 0.0 }
        }),
        ("all equal", &mut |_, _| 0.7),
        ("all zero", &mut |_, _| 0.0),
        ("mostly zero", &mut |random, i| {
            if i % 10 == 0 { random.uniform() } else { 0.0 }
        }),
        ("heavy tails", &mut |random, _| {
            (20.0 * random.gaussian()).exp()
        }),
        ("every exponent", &mut |random, _| {
            f64::from_bits(random.bits() % f64::INFINITY.to_bits())
        }),
        ("one outlier", &mut |random, i| {
            if i == 0 { f64::MAX } else { random.uniform() }
        }),
        ("two values", &mut |random, _| {
            if random.bits() % 2 == 0 {
                1.0
            } else {
                1.0 + f64::EPSILON
            }
        }),
    ];
    for (what, number) in kinds {
        for size in SIZES {
            assert_sorts(
                &(0..size)
                    .map(|i| number(&mut random, i))
                    .collect::<Vec<_>>(),
                what,
            );
        }
    }
}

#[test]
#[allow(clippy::cast_precision_loss)] // indices
fn runs_ascending_and_descending() {
    for size in SIZES {
        assert_sorts(
            &(0..size).map(|i| i as f64).collect::<Vec<_>>(),
            "ascending",
        );
        assert_sorts(
            &(0..size).rev().map(|i| i as f64).collect::<Vec<_>>(),
            "descending",
        );
        let runs = (0..size).map(|i| (i % 1000) as f64 + 1.0 / (i + 1) as f64);
        assert_sorts(&runs.collect::<Vec<_>>(), "runs");
    }
}

proptest! {
    #[test]
    fn any_integers(lows in prop::collection::vec(any::<u16>(), 0..2000)) {
        let mut expected = lows.clone();
        expected.sort_unstable();
        prop_assert_eq!(sort_lows(lows), expected);
    }

    #[test]
    fn any_list(magnitudes in prop::collection::vec(0.0..f64::MAX, 0..2000)) {
        assert_sorts(&magnitudes, "any list");
    }
}
