//! `worker serve` under load and killed: `cargo bench -p ckptscope-worker --bench serve`.
//!
//! One analysis of some 25 seconds is run alone and with listeners and requests, in turns, then with
//! the server killed again and again. What is printed is what docs/measurements.md says of it; what must
//! hold is asserted. It takes about four minutes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark fails by panicking"
)]

mod load;

#[path = "../../tests/serve/client.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod client;
#[path = "../../tests/command_line/support.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod runs;
#[path = "../../tests/serve/server.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod server;

use std::collections::BTreeMap;
use std::fs;
use std::thread::{self, available_parallelism};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::runs::{Scratch, Sizes, files};
use crate::server::{Server, results_folder, units};

const LISTENERS: usize = 200;
const REQUESTS_PER_SECOND: u32 = 1000;
const LOAD: Duration = Duration::from_secs(20);
const KILLS: u32 = 20;

/// Times that it is run each way. The fastest count: what else the machine does makes the others
/// slower.
const TURNS: usize = 3;

/// How long the analysis should take alone.
const SECONDS: f64 = 27.0;

const WIDTH: usize = 256;

const CONFIG: &str = "
analysis_name: load
metrics:
  - metric_name: condition_number
    data_split: val
    components: &weights
      - {component_name: simple, data_type: weights, layer_suffixes: attention.v_proj, layers: all}
  - metric_name: gini
    data_split: val
    components: *weights
  - metric_name: pwcca
    data_split: val
    target_checkpoint: last
    components: &activations
      - {component_name: simple, data_type: activations, layer_suffixes: attention.v_proj, layers: all}
  - metric_name: cka
    data_split: val
    target_checkpoint: last
    components: *activations
steps: all
";

fn main() {
    // `cargo test --benches` runs benchmarks with --test; there is nothing to test here.
    let mut arguments = std::env::args().skip(1);
    if arguments.any(|argument| argument == "--test" || !is_meant(&argument)) {
        return;
    }
    let steps = steps_for(SECONDS);
    let scratch = Scratch::with_run(sizes(steps));
    // Whoever asks computes too: one core is left to both of them.
    let threads = available_parallelism()
        .map_or(1, |cores| cores.get() - 1)
        .max(1)
        .to_string();
    let start = || Server::start(&scratch, &["--threads", &threads]);
    let server = start();
    println!("idle: {}", memory(&server));
    println!("{steps} steps on {threads} threads");
    let (mut fastest, mut fastest_loaded) = (f64::INFINITY, f64::INFINITY);
    let mut expected = BTreeMap::new();
    for _ in 0..TURNS {
        let (seconds, files) = alone(&server, &scratch);
        println!("alone: {seconds:.2} s; {}", memory(&server));
        let loaded = under_load(&server);
        println!("under load: {loaded:.2} s");
        fastest = fastest.min(seconds);
        fastest_loaded = fastest_loaded.min(loaded);
        expected = files;
    }
    let slower = (fastest_loaded / fastest - 1.0) * 100.0;
    println!("{slower:+.1} % under load");
    server.kill();
    killed(start, &scratch, &expected);
    assert!(slower < 10.0, "the analysis was {slower:.1} % slower");
}

/// Whether a filter of benchmarks' names lets this one through.
fn is_meant(argument: &str) -> bool {
    argument.starts_with("--") || "serve".contains(argument)
}

const fn sizes(steps: u64) -> Sizes {
    Sizes {
        layers: 2,
        steps,
        width: WIDTH,
    }
}

/// How many steps take so long here.
fn steps_for(seconds: f64) -> u64 {
    const FEW: u64 = 12;
    let scratch = Scratch::with_run(sizes(FEW));
    let server = Server::start(&scratch, &["--threads", "1"]);
    // The fastest counts: what else the machine does makes the others slower.
    let few = (0..3)
        .map(|_| alone(&server, &scratch).0)
        .fold(f64::INFINITY, f64::min);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss
    )]
    let steps = (seconds / few * FEW as f64) as u64;
    steps.clamp(FEW, 4000)
}

/// Seconds of an analysis that nothing disturbs, and its results.
fn alone(server: &Server, scratch: &Scratch) -> (f64, BTreeMap<String, Vec<u8>>) {
    let id = server.analyze(CONFIG);
    let mut info = server.info(&id);
    while info["phase"] != "done" {
        assert_ne!(info["phase"], "failed", "{info}");
        thread::sleep(Duration::from_millis(100));
        info = server.info(&id);
    }
    (seconds(&info), files(&results_folder(scratch, &id, "load")))
}

/// Seconds of one while others listen and ask.
fn under_load(server: &Server) -> f64 {
    let id = server.analyze(CONFIG);
    let listeners = load::listen(server.address, &id, LISTENERS);
    let load = load::requests(server.address, &id, REQUESTS_PER_SECOND, LOAD);
    println!("with {LISTENERS} listeners: {}", memory(server));
    println!("{load}");
    let heard: Vec<u64> = listeners
        .into_iter()
        .map(|listener| listener.join().unwrap())
        .collect();
    let info = server.info(&id);
    assert_eq!(info["phase"], "done", "{info}");
    for heard in heard {
        assert_eq!(heard, info["of_units"].as_u64().unwrap());
    }
    let began = |name: &str| info[name].as_u64().unwrap();
    assert!(
        began("ended") - began("began") > 20_000,
        "the load outlasted the analysis"
    );
    seconds(&info)
}

/// Kills the server at moments of no pattern until the analysis is done all the same.
fn killed(start: impl Fn() -> Server, scratch: &Scratch, expected: &BTreeMap<String, Vec<u8>>) {
    let began = Instant::now();
    let mut server = start();
    let id = server.analyze(CONFIG);
    let mut state = 0x9e37_79b9_u64;
    for _ in 0..KILLS {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        thread::sleep(Duration::from_millis((state >> 33) % 1000));
        server.kill();
        server = start();
        let phase = server.info(&id)["phase"].clone();
        assert_ne!(phase, "failed");
    }
    let info = server.wait_for_phase(&id, "done");
    let found = files(&results_folder(scratch, &id, "load"));
    assert!(found == *expected, "results differ");
    assert_eq!(
        units(&server.events(&id)).len() as u64,
        info["of_units"].as_u64().unwrap()
    );
    println!(
        "killed {KILLS} times in {:.1} s: the same {} files",
        began.elapsed().as_secs_f64(),
        found.len()
    );
}

#[allow(clippy::cast_precision_loss)]
fn seconds(info: &Value) -> f64 {
    (info["ended"].as_u64().unwrap() - info["began"].as_u64().unwrap()) as f64 / 1000.0
}

/// What the server has in memory, and had at most, where the system says so.
fn memory(server: &Server) -> String {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap_or_default();
    let lines = status
        .lines()
        .filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"));
    lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>()
        .join(", ")
}
