//! The command line as a person meets it: files, words and exit codes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod analyze;
mod hub;
mod inspect;
mod reference;
mod refusals;
#[cfg(unix)]
mod resume;
mod support;
mod wandb;
