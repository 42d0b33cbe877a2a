//! Files over HTTP, natively and in a browser: ranges, redirects to signed addresses, retries.
//!
//! [`HttpClient`] sends requests, at most [`REQUESTS_AT_ONCE`](client::REQUESTS_AT_ONCE) at a
//! time, and counts them. It knows neither an executor nor a timer nor how a request is sent in a
//! browser: whoever does hands it a [`Clock`], a [`Transport`](transport::Transport) and, where
//! reads shall go on while others compute, a [`Spawn`]. [`HttpSource`] is a file that is read by
//! ranges.
//!
//! There is one client for both targets. Natively its transport is reqwest (`native.rs`), in a
//! browser `fetch`. A transport passes bodies on in pieces: so the client notices a stall soon, and
//! stops reading a body that is too long.
//!
//! Whoever drops a read ends its request. That is how Ctrl-C ends a wait of minutes for a rate
//! limit.

#[cfg_attr(target_arch = "wasm32", path = "http/advice_in_browser.rs")]
pub(crate) mod advice;
pub mod client;
pub mod clock;
pub mod error;
mod file;
pub mod folder;
pub(crate) mod header;
mod kept;
#[cfg(not(target_arch = "wasm32"))]
mod native;
pub mod source;
pub mod spawn;
mod token;
pub mod transport;
pub mod tree;
pub mod url;

pub use client::{HttpClient, Patience, Traffic};
pub use clock::{Clock, Waiting};
pub use error::HttpError;
pub(crate) use file::{RemoteFile, Whereabouts};
pub use folder::FolderTree;
pub use header::Headers;
pub use source::HttpSource;
pub use spawn::{Spawn, Task};
pub use token::Token;
pub use tree::HttpTree;
pub use url::Url;
