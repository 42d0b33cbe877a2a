//! Configs: what is read, what is refused and how, and the way back to text.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says why"
)]

mod files;
mod refusals;
