//! Golden values, in a browser.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "golden/mod.rs"]
mod golden;

use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
async fn every_value_of_the_bundled_run() {
    golden::check_bundled_run().await;
}

#[wasm_bindgen_test]
async fn every_value_of_single_matrices() {
    golden::more::check_single_matrices().await;
}

#[wasm_bindgen_test]
fn every_value_of_pairs() {
    golden::more::check_pairs();
}
