//! How fast this machine computes, and reads.

use ckptscope_analysis::speed;
use ckptscope_checkpoint::Tree;
use ckptscope_protocol::Rates;

use super::post::now;

/// How fast this web worker computes.
pub(super) fn measure() -> Rates {
    speed::measure(&|| now() / 1000.0)
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
