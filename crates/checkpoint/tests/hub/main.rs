//! Files over HTTP and the Hub, against a hub on loopback that can be made to fail.
#![allow(clippy::unwrap_used, clippy::panic)] // a test fails by panicking

mod access;
mod ahead;
mod cache;
mod distributed;
mod faults;
mod frugality;
mod places;
mod redirects;
mod steps;
mod suites;
#[path = "../support/mod.rs"]
mod support;
mod world;
