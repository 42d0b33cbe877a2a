//! Times every kernel at the sizes of real models, on this machine and in a browser alike.
//!
//!     cargo bench -p ckptscope-metrics -- FILTER
//!     cargo xtask bench --browser FILTER
//!     cargo xtask bench --table
//!
//! FILTER is a part of a line, as in `pwcca` or `384x1536`. Machines are noisy: compare ratios.
//! `CKPTSCOPE_BENCH_SIZES` says other widths of models, `CKPTSCOPE_BENCH_CORES` how many cores help.
#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

mod cases;
mod stopwatch;

use cases::CASES;
use ckptscope_metrics::linalg::SpareCores;

/// The middle projection of models of these widths.
const WIDTHS: &str = "384,768,1536";

/// What a caller or a compilation says.
struct Wishes {
    filter: String,
    widths: String,
    cores: usize,
}

/// Times the cases whose line contains the filter, and tells `print` each line.
fn run(wishes: &Wishes, print: impl Fn(&str)) {
    let _helping = SpareCores::lend(wishes.cores.saturating_sub(1));
    print(&format!(
        "{:48} {:>9} {:>9}",
        "milliseconds", "best", "median"
    ));
    for case in CASES {
        for width in wishes.widths.split(',').map(|width| width.parse().unwrap()) {
            // A kernel is made, with its matrices, only where it is asked for.
            let shape = (case.shape)(width);
            let line = format!("{}, {}x{}", case.name, shape.0, shape.1);
            if line.contains(&wishes.filter) && width <= case.widest {
                let times = stopwatch::milliseconds((case.kernel)(width));
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
    let said = |name: &str| std::env::var(name).ok();
    let wishes = Wishes {
        filter: own.unwrap_or_default(),
        widths: said("CKPTSCOPE_BENCH_SIZES").unwrap_or_else(|| WIDTHS.to_owned()),
        cores: said("CKPTSCOPE_BENCH_CORES").map_or(1, |cores| cores.parse().unwrap()),
    };
    run(&wishes, |line| println!("{line}"));
}

#[cfg(target_arch = "wasm32")]
fn main() {}

#[cfg(target_arch = "wasm32")]
mod browser {
    use wasm_bindgen_test::{console_log, wasm_bindgen_test, wasm_bindgen_test_configure};

    use super::{WIDTHS, Wishes};

    // As the page computes. A main thread that is busy for half a minute is given up.
    wasm_bindgen_test_configure!(run_in_dedicated_worker);

    #[wasm_bindgen_test]
    fn kernels() {
        let wishes = Wishes {
            filter: option_env!("CKPTSCOPE_BENCH_FILTER")
                .unwrap_or_default()
                .to_owned(),
            widths: option_env!("CKPTSCOPE_BENCH_SIZES")
                .unwrap_or(WIDTHS)
                .to_owned(),
            cores: 1,
        };
        super::run(&wishes, |line| console_log!("{line}"));
    }
}
