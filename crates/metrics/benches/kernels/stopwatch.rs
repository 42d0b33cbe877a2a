//! Timing of one kernel.

use std::hint::black_box;
use std::time::Duration;
#[cfg(not(target_arch = "wasm32"))]
use std::time::Instant;

// std's clock does not tick in a browser.
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::Instant;

/// A kernel is run for this long at least,
const AT_LEAST: Duration = Duration::from_millis(600);

/// and this often.
const RUNS: usize = 5;

/// Once for a kernel that takes as long as this: it is long enough to be sure of.
const LONG: Duration = Duration::from_secs(4);

/// What a kernel took.
pub(crate) struct Times {
    pub(crate) best: f64,
    pub(crate) median: f64,
}

/// Runs a kernel several times, the first of which does not count.
pub(crate) fn milliseconds(mut kernel: Box<dyn FnMut() -> f64>) -> Times {
    let mut time = || {
        let start = Instant::now();
        black_box(kernel());
        start.elapsed()
    };
    let first = time();
    let mut times = vec![first];
    if first < LONG {
        times.clear();
        while times.len() < RUNS || times.iter().sum::<Duration>() < AT_LEAST {
            times.push(time());
        }
    }
    times.sort();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    Times {
        best: milliseconds(times[0]),
        median: milliseconds(times[times.len() / 2]),
    }
}
