//! How fast whoever runs this is: short pieces of every kind of work, timed.
//!
//! Whoever asks brings the clock. What grows with the square of a matrix's side and what with its
//! cube are told apart by a decomposition that has little of the latter.

use std::hint::black_box;

use ckptscope_checkpoint::{Dtype, Packing, Placement, TensorEntry, widen};
use ckptscope_metrics::linalg::{self, work};
use ckptscope_metrics::sort::sort_magnitudes;
use ckptscope_metrics::{Facts, MatrixExtent, Needs, Rates, Work};
use nalgebra::DMatrix;

/// Times that each piece runs: the fastest counts, for whatever else the machine does makes others
/// slower. The first is not timed: a browser compiles what is used for real only then.
const RUNS: usize = 5;

/// Rows and columns of what is multiplied, and of what is looked at.
const SIDE: usize = 224;

/// Rows and columns of a symmetric matrix and another that are decomposed.
const SMALL: usize = 128;
const LARGE: usize = 192;

/// How many numbers are sorted, and widened.
const NUMBERS: usize = 1 << 15;

/// Measures a machine's rates by a clock that tells seconds. Takes 20 to 60 milliseconds.
pub fn measure(now: &dyn Fn() -> f64) -> Rates {
    let square =
        |side: usize| DMatrix::from_fn(side, side, |row, column| entry(row * side + column));
    let (small, large, side) = (square(SMALL), square(LARGE), square(SIDE));
    let product = seconds(now, || linalg::product(&side, &side).len());
    let products = work::product(SIDE, SIDE, SIDE).products / product;
    let decomposed = |matrix: &DMatrix<f64>| {
        let took = seconds(now, || {
            linalg::singular_values(matrix).map_or(0, |it| it.len())
        });
        (work::singular_values(matrix.nrows(), matrix.ncols()), took)
    };
    let (turns, vectors) = turns_and_vectors(decomposed(&small), decomposed(&large), products);
    let numbers: Vec<f64> = (0..NUMBERS).map(|index| entry(index).abs()).collect();
    let sorted = seconds(now, || {
        let mut numbers = numbers.clone();
        sort_magnitudes(&mut numbers);
        numbers.len()
    });
    Rates {
        products,
        vectors,
        turns,
        comparisons: as_float(NUMBERS) * as_float(NUMBERS).log2() / sorted,
        entries: looked_at(now, side),
        widened: widened(now),
    }
}

/// Entries that are looked at in a second.
fn looked_at(now: &dyn Fn() -> f64, matrix: DMatrix<f64>) -> f64 {
    let needs = Needs {
        magnitude_sums: true,
        ..Needs::default()
    };
    let extent = MatrixExtent::dense(matrix.nrows(), matrix.ncols());
    let matrix = std::rc::Rc::new(matrix);
    let took = seconds(now, || {
        let facts = Facts::dense(std::rc::Rc::clone(&matrix));
        facts.magnitude_sums().map_or(0, |sums| sums.entries)
    });
    extent.work(needs).entries / took
}

/// Entries that are widened in a second.
fn widened(now: &dyn Fn() -> f64) -> f64 {
    let (rows, columns) = (128, NUMBERS / 128);
    let entries = TensorEntry {
        name: String::new(),
        dtype: Dtype::F32,
        shape: vec![rows as u64, columns as u64],
        placement: Placement {
            storage_offset_bytes: 0,
            packing: Packing::Plain,
            offset: 0,
            strides: vec![columns as u64, 1],
            big_endian: false,
            negated: false,
            crc32: None,
        },
    };
    let bytes: Vec<u8> = (0..NUMBERS)
        .flat_map(|index| (entry(index) as f32).to_le_bytes())
        .collect();
    let took = seconds(now, || widen(&entries, &bytes).map_or(0, |it| it.len()));
    as_float(NUMBERS) / took
}

/// What two decompositions say of the rates of both kinds. The small one has few matrices times
/// vectors, which are taken to be a few times slower than products; what turns leave of the large
/// one is theirs.
fn turns_and_vectors(small: (Work, f64), large: (Work, f64), products: f64) -> (f64, f64) {
    let ((few, short), (many, long)) = (small, large);
    let assumed = products / VECTOR_SLOWNESS;
    let of_turns = (short - few.vectors / assumed).max(0.5 * short);
    let turns = few.turns / of_turns;
    let of_vectors = long - many.turns / turns;
    // A coarse clock leaves anything, even nothing.
    let vectors = many.vectors / of_vectors.max(0.05 * long);
    (turns, vectors.clamp(products / 20.0, products))
}

/// Times that products are faster than matrices times vectors: 6 natively, 3 in a browser.
const VECTOR_SLOWNESS: f64 = 5.0;

/// The least time that a piece takes, in seconds.
fn seconds(now: &dyn Fn() -> f64, mut piece: impl FnMut() -> usize) -> f64 {
    let mut least = f64::INFINITY;
    black_box(piece());
    for _ in 1..RUNS {
        let began = now();
        black_box(piece());
        least = least.min(now() - began);
    }
    least.max(TICK_SECONDS)
}

/// Shorter times are the clock's ticks.
const TICK_SECONDS: f64 = 1e-5;

/// Far from any pattern: the fractional parts of multiples of the golden ratio.
fn entry(index: usize) -> f64 {
    let index = as_float(index + 1);
    (index * 0.618_033_988_749_894_9 * index).fract() - 0.5
}

#[allow(clippy::cast_precision_loss)] // far below 2^53
const fn as_float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use ckptscope_metrics::Work;

    use super::{measure, turns_and_vectors};

    #[test]
    fn two_decompositions_tell_two_rates() {
        let work = |turns, vectors| Work {
            turns,
            vectors,
            ..Work::default()
        };
        let (small, large) = (work(10.0, 2.0), work(90.0, 540.0));
        let seconds = |work: &Work| work.turns / 4.0 + work.vectors / 20.0;
        let (of_small, of_large) = (seconds(&small), seconds(&large));
        let (turns, vectors) = turns_and_vectors((small, of_small), (large, of_large), 100.0);
        assert!((turns - 4.0).abs() < 1e-9 && (vectors - 20.0).abs() < 1e-9);
    }

    #[test]
    fn a_coarse_clock_gives_rates_all_the_same() {
        let stopped = measure(&|| 0.0);
        assert!(stopped.are_known(), "{stopped:?}");
        let ticks = Cell::new(0.0);
        let coarse = measure(&|| {
            ticks.set(ticks.get() + 1e-3);
            ticks.get()
        });
        assert!(coarse.are_known(), "{coarse:?}");
    }
}
