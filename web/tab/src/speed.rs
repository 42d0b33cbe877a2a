//! How fast this machine computes, and reads.

use ckptscope_analysis::look::piece_of_work;
use ckptscope_checkpoint::Tree;

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

/// Small reads that are timed.
const READS: u32 = 8;
const READ_BYTES: u64 = 512;

/// How long a small read takes, in seconds; 0 of files that are far away, where it would say little
/// and cost requests.
pub(super) async fn of_reads(tree: &dyn Tree) -> f64 {
    let Some(largest) = tree.files().iter().max_by_key(|file| file.bytes) else {
        return 0.0;
    };
    let Ok(source) = tree.open(&largest.path).await else {
        return 0.0;
    };
    if source.is_far() {
        return 0.0;
    }
    let length = READ_BYTES.min(source.bytes());
    let stride = (source.bytes() - length) / u64::from(READS);
    let began = now();
    for read in 0..READS {
        // What cannot be read is told when it is asked for.
        let _ = source.read_at(u64::from(read) * stride, length).await;
    }
    (now() - began) / 1000.0 / f64::from(READS)
}

fn timed_piece_of_work() -> f64 {
    let began = now();
    let done = piece_of_work();
    done / (now() - began).max(TICK_MILLISECONDS) * 1000.0
}
