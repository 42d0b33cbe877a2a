//! The page of trainscope and its web worker.
//!
//! The page ([`page`]) draws; the web worker ([`compute`]) reads and computes. They exchange the
//! [`message`]s, and nothing else.

#![expect(
    unreachable_pub,
    reason = "the component macro makes a component's properties `pub`"
)]

pub mod compute;
pub mod demo;
pub mod fetch;
pub mod message;
pub mod page;
pub mod panel;
pub mod worker;
