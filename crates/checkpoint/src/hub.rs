//! The Hugging Face Hub: runs by the names of their repositories, read by ranges.
//!
//! [`Hub::look_up`] finds where a repository has its steps: in the titles of a branch's commits,
//! in the names of branches and tags, or in folders; [`Listing::tree`] makes a
//! [`Tree`](crate::Tree) of them, with the paths of a run on disk. A revision is pinned to its
//! commit at once, so that what is read is of one moment.

mod address;
mod assumed;
#[cfg_attr(target_arch = "wasm32", path = "hub/no_cache.rs")]
#[cfg_attr(not(target_arch = "wasm32"), path = "hub/disk_cache.rs")]
mod cache;
pub mod client;
pub mod error;
mod layout;
pub mod listing;
pub mod manifest;
pub mod place;
mod revision;
mod saving;
pub mod suite;
pub mod tree;

pub use address::{HubAddress, PUBLIC_ENDPOINT};
pub use assumed::AssumedTree;
pub use cache::Cache;
pub use client::Hub;
pub use error::HubError;
pub use listing::Listing;
pub use manifest::Manifest;
pub use place::Place;
pub use suite::RevisionOfStep;
pub use tree::HubTree;
