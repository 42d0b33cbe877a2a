//! How much memory there is.

/// What a web worker can have: WebAssembly counts memory in 32 bits, and some is taken already.
pub(super) const LIMIT_BYTES: u64 = 3_600_000_000;

/// As people read it.
#[allow(clippy::cast_precision_loss)] // a number for people
pub(super) fn in_words(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}
