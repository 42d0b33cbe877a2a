//! How fast this machine computes.

use trainscope_analysis::look::piece_of_work;

use super::post::now;

/// How long the measurement takes at least: the browser's clock ticks in steps.
const MILLISECONDS: f64 = 10.0;

/// Floating-point operations per second, counted as plans count them.
pub(super) fn measure() -> f64 {
    // Once unmeasured: the browser compiles what is used for real only then.
    let _ = piece_of_work();
    let (began, mut done) = (now(), 0.0);
    loop {
        done += piece_of_work();
        let milliseconds = now() - began;
        if milliseconds >= MILLISECONDS {
            return done / milliseconds * 1000.0;
        }
    }
}
