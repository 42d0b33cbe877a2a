//! What is done with whole runs: proposals, lanes as messages, results.

#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod ahead;
mod catalogs;
mod changes;
mod counted;
mod fractions;
mod lanes;
mod missing_layers;
mod outside;
mod plans;
mod precision;
mod proposals;
mod results;
mod stacks;
mod stored;
mod suffix_lists;
mod support;
mod unmerged;
mod zeros;
