//! `worker serve` as a program, over HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod client;
mod jobs;
mod matches;
mod page;
mod restarts;
#[path = "../command_line/support.rs"]
#[allow(dead_code, reason = "the command line's tests need more of it")]
mod runs;
mod safety;
mod server;
#[cfg(unix)]
mod slurm;
mod spectra;
mod uploads;
