//! Files over HTTP, natively and in a browser: ranges, redirects to signed addresses, retries.
//!
//! [`HttpClient`] sends requests, at most [`REQUESTS_AT_ONCE`](client::REQUESTS_AT_ONCE) at a
//! time, and counts them. It knows neither an executor nor a timer: whoever owns those hands it a
//! [`Clock`]. [`HttpSource`] is a file that is read by ranges.

pub mod client;
pub mod clock;
pub mod error;
mod file;
pub(crate) mod header;
pub mod source;
mod token;
#[cfg_attr(target_arch = "wasm32", path = "http/browser.rs")]
#[cfg_attr(not(target_arch = "wasm32"), path = "http/native.rs")]
mod transport;

pub use client::{HttpClient, Patience, Traffic};
pub use clock::{Clock, Waiting};
pub use error::HttpError;
pub(crate) use file::{RemoteFile, Whereabouts};
pub use source::HttpSource;
pub use token::Token;
