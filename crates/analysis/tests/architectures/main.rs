//! Circuits by role, of models of many architectures.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod activations;
mod models;
mod parts;
mod probe;
mod refusals;
mod relatives;
mod steps;
mod support;
