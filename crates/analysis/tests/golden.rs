//! Golden values, natively.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "golden/mod.rs"]
mod golden;

#[test]
fn every_value_of_the_bundled_run() {
    futures_lite::future::block_on(golden::check_bundled_run());
}

#[test]
fn every_value_of_single_matrices() {
    futures_lite::future::block_on(golden::more::check_single_matrices());
}

#[test]
fn every_value_of_pairs() {
    golden::more::check_pairs();
}
