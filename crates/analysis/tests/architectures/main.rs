//! Circuits by role, of models of many architectures.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod models;
mod parts;
mod refusals;
mod relatives;
mod support;
