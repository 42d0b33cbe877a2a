//! How fast this machine computes.

use ckptscope_analysis::look::piece_of_work;

use super::post::now;

/// How long the measurement takes at least.
const MILLISECONDS: f64 = 15.0;

/// Shorter times are the clock's ticks.
const TICK_MILLISECONDS: f64 = 0.1;

/// Floating-point operations per second, counted as plans count them. The fastest piece of work
/// counts: whatever else the machine does makes the others slower.
pub(super) fn measure() -> f64 {
    // Once unmeasured: the browser compiles what is used for real only then.
    let mut fastest = timed_piece_of_work();
    let began = now();
    while now() - began < MILLISECONDS {
        fastest = fastest.max(timed_piece_of_work());
    }
    fastest
}

fn timed_piece_of_work() -> f64 {
    let began = now();
    let done = piece_of_work();
    done / (now() - began).max(TICK_MILLISECONDS) * 1000.0
}
