//! Parts of the program that are fetched when they are first needed.
//!
//! The page opens with a small program. What it does with a run is the part `workbench`, and what
//! its web workers do is the part `compute`. What speaks to a network is the part `network`, which
//! web workers fetch when a run is opened that lies somewhere else. A function that begins a part is marked with
//! `wasm_split`; what only it calls goes along. `cargo xtask build` cuts the program at these
//! places (feature `split`); any other build has all of it in one piece, and the same functions
//! are called at once.
//!
//! The page fetches the workbench as soon as it is drawn, then what workers will ask for; a person
//! who clicks earlier waits. The page tells of a part that cannot be fetched, and asks for it again
//! next time.
//!
//! Metrics' kernels are no part of their own: whoever names a metric can reach its numbers through
//! the same table of functions.

use std::fmt;

/// A part that could not be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissingPart;

impl fmt::Display for MissingPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a part of this page could not be fetched: the connection was lost, or the page has \
             been replaced by a newer one; reload it",
        )
    }
}

#[cfg(feature = "split")]
impl From<wasm_split_helpers::SplitLoaderError> for MissingPart {
    fn from(_: wasm_split_helpers::SplitLoaderError) -> Self {
        Self
    }
}

/// Calls a function that begins a part, once the part is there. Whoever uses it has the feature
/// `split` itself.
#[macro_export]
macro_rules! begin {
    ($call:expr) => {{
        #[cfg(feature = "split")]
        let begun = $call.await;
        #[cfg(not(feature = "split"))]
        let begun = $call;
        begun
    }};
}
pub use begin;
