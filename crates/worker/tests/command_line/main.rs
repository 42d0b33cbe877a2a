//! The command line as a person meets it: files, words and exit codes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod analyze;
mod audit;
mod compare;
mod dimensions;
mod environment;
mod experts;
mod fetch;
mod field;
mod fleet;
mod hub;
mod inspect;
mod keeping;
mod meaning;
mod one_folder;
mod parquet;
mod pico_labs;
mod plot;
mod proposed;
mod reference;
mod refusals;
mod report;
#[cfg(unix)]
mod resume;
mod schema;
mod stacks;
mod support;
mod wandb;
