//! The command line as a person meets it: files, words and exit codes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod analyze;
mod audit;
mod compare;
mod environment;
mod hub;
mod inspect;
mod parquet;
mod plot;
mod reference;
mod refusals;
mod report;
#[cfg(unix)]
mod resume;
mod schema;
mod support;
mod wandb;
