//! The page of ckptscope and its web worker.
//!
//! The page ([`page`]) draws; web workers ([`compute`]) read and compute. They exchange
//! the messages of [`ckptscope_protocol::tab`], and nothing else: a [`request_worker`] answers
//! questions, a [`pool`] computes lanes.
//!
//! The page's part of the program names no metric. It shows menus, forms and costs that a worker
//! gives it, and sorts and writes results from what they hold. Only the web worker's part has the
//! registry, the YAML reader and the linear algebra.

#![expect(
    unreachable_pub,
    reason = "the component macro makes a component's properties `pub`"
)]

pub mod browser;
pub mod choices;
pub mod compute;
pub mod demo;
pub mod drop;
pub mod fetch;
pub mod files;
pub mod link;
pub mod native;
pub mod page;
pub mod panel;
pub mod part;
pub mod pool;
pub mod request_worker;
pub mod run_place;
pub mod save;
pub mod worker;

// Unit tests run where the page runs.
#[cfg(test)]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
