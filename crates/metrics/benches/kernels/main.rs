//! Times every kernel at the sizes of real models, on this machine and in a browser alike.
//!
//!     cargo bench -p ckptscope-metrics -- FILTER
//!     cargo xtask bench --browser FILTER
//!
//! FILTER is a part of a line, as in `pwcca` or `384x1536`. Machines are noisy: compare ratios.
#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

mod cases;
mod stopwatch;

use cases::CASES;

/// What the three sizes stand for: the middle projection of models of this width.
const D_MODEL: [usize; 3] = [384, 768, 1536];

/// Times the cases whose line contains `filter`, and tells `print` each line.
fn run(filter: &str, print: impl Fn(&str)) {
    print(&format!(
        "{:48} {:>9} {:>9}",
        "milliseconds", "best", "median"
    ));
    for case in CASES {
        for d_model in D_MODEL {
            let (shape, kernel) = (case.kernel)(d_model);
            let line = format!("{}, {}x{}", case.name, shape.0, shape.1);
            if line.contains(filter) {
                let times = stopwatch::milliseconds(kernel);
                print(&format!(
                    "{line:48} {:9.3} {:9.3}",
                    times.best, times.median
                ));
            }
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    let own = std::env::args()
        .skip(1)
        .find(|word| !word.starts_with("--"));
    run(&own.unwrap_or_default(), |line| println!("{line}"));
}

#[cfg(target_arch = "wasm32")]
fn main() {}

#[cfg(target_arch = "wasm32")]
mod browser {
    use wasm_bindgen_test::{console_log, wasm_bindgen_test, wasm_bindgen_test_configure};

    wasm_bindgen_test_configure!(run_in_browser);

    #[wasm_bindgen_test]
    fn kernels() {
        let filter = option_env!("CKPTSCOPE_BENCH_FILTER").unwrap_or_default();
        super::run(filter, |line| console_log!("{line}"));
    }
}
