//! The page of ckptscope.
//!
//! Screens show what the store knows; the store asks web workers and native workers. A
//! [`request_worker`] answers questions, a [`pool`] computes lanes, a [`native`] worker does both
//! over HTTP. What is said is in `ckptscope_protocol`.
//!
//! The page names no metric. It shows menus, forms and costs that a worker gives it, and sorts and
//! writes results from what they hold. It does not depend on what has the registry, the YAML reader
//! and the linear algebra.

#![expect(
    unreachable_pub,
    reason = "the component macro makes a component's properties `pub`"
)]

pub mod browser;
pub mod choices;
pub mod database;
pub mod demo;
pub mod drop;
pub mod fetch;
pub mod files;
pub mod handles;
pub mod link;
pub mod native;
pub mod panel;
pub mod pool;
pub mod request_worker;
pub mod run_place;
pub mod save;
mod screens;
mod store;
pub mod worker;

pub use screens::mount;

// Unit tests run where the page runs.
#[cfg(test)]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
