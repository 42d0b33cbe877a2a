//! Whole analyses, as a person runs them: `cargo bench -p ckptscope-worker`.
//!
//! A synthetic run of pico-decoder-small's shape is written to `target/synthetic` once, in the
//! files that pico-train writes. Each analysis is run as a process of its own, once to warm up and
//! [`RUNS`] times to count; what is printed is the time by the clock.

#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

mod synthetic;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Counted runs of each analysis.
const RUNS: usize = 5;

const ANALYSES: [&str; 2] = ["seven-metrics", "ov-circuits"];

fn main() {
    // `cargo test --benches` runs benchmarks with --test; there is nothing to test here.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = here.join("../../target/synthetic");
    let run = target.join("pico-decoder-small-shape");
    synthetic::write_run(&run);
    println!(
        "{:<16} {:>8} {:>8} {:>8}   of {RUNS} runs",
        "analysis", "fastest", "median", "slowest"
    );
    for analysis in ANALYSES {
        let config = here
            .join("benches/whole_analysis")
            .join(analysis)
            .with_extension("yaml");
        analyse(&config, &run, &target);
        let mut times: Vec<Duration> = (0..RUNS).map(|_| analyse(&config, &run, &target)).collect();
        times.sort();
        let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f64());
        println!(
            "{analysis:<16} {:>8} {:>8} {:>8}",
            seconds(times[0]),
            seconds(times[RUNS / 2]),
            seconds(times[RUNS - 1])
        );
    }
}

fn analyse(config: &Path, run: &Path, output: &Path) -> Duration {
    let started = Instant::now();
    let status = Command::new(PathBuf::from(env!("CARGO_BIN_EXE_worker")))
        .args(["analyze", "--config"])
        .arg(config)
        .arg("--run-path")
        .arg(run)
        .arg("--output-dir")
        .arg(output.join("results"))
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(
        status.success(),
        "the analysis of {} failed",
        config.display()
    );
    started.elapsed()
}
