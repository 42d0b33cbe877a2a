//! The report as a reader meets it: its numbers, its words, and what it must not have.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod example;
mod figures;
mod page;
mod safety;
mod tables;
