//! A Hugging Face Hub on loopback, for tests: no test may need the internet.
//!
//! Two origins on two free ports: the hub itself, and the file host that large files are
//! redirected to by signed addresses that expire. Pages, ranges, entity tags, error codes, CORS
//! headers and rate limits are those of the real one, as far as a client can tell; `cargo
//! xtask test hub-python` drives it with Python's own `huggingface_hub` to keep it so. [`FakeHub::inject`] makes it fail.
//!
//! It answers from memory on threads of its own for as long as the process lives.

mod address;
mod api;
pub mod example;
mod fault;
mod file_host;
mod files;
mod object;
mod repository;
mod server;
mod signature;
mod state;
pub mod suite;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use ckptscope_loopback::Port;

pub use fault::{Fault, Rule};
pub use repository::{Access, Repository};
pub use state::{Logged, Origin};

use state::State;

/// Where the two origins listen, and how much a page holds.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The hub's port; 0 takes a free one.
    pub hub_port: u16,
    /// The file host's port; 0 takes a free one.
    pub file_host_port: u16,
    /// Commits or files per page. The real hub has 1000.
    pub page_entries: usize,
    /// How long a signed address is good for.
    pub signature_seconds: u64,
    /// The origin that links to next pages name, as behind a mirror: another one, or none at all
    /// where it is empty. The hub's own where there is none.
    pub linked_origin: Option<&'static str>,
    /// How long every answer is held back, as if the hub were far away.
    pub delay: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            hub_port: 0,
            file_host_port: 0,
            page_entries: 1000,
            signature_seconds: 3600,
            linked_origin: None,
            delay: Duration::ZERO,
        }
    }
}

/// A running fake hub.
pub struct FakeHub {
    state: Arc<State>,
}

impl FakeHub {
    /// Starts a hub with these repositories on free ports.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start(repositories: Vec<Repository>) -> io::Result<Self> {
        Self::start_with(repositories, Options::default())
    }

    /// Starts a hub with these repositories.
    ///
    /// # Errors
    /// When a port is taken.
    pub fn start_with(repositories: Vec<Repository>, options: Options) -> io::Result<Self> {
        let hub = Port::take(options.hub_port)?;
        let file_host = Port::take(options.file_host_port)?;
        let state = Arc::new(State::new(
            repositories,
            options,
            format!("http://{}", hub.address()),
            format!("http://{}", file_host.address()),
        ));
        server::serve(hub, Origin::Hub, Arc::clone(&state));
        server::serve(file_host, Origin::FileHost, Arc::clone(&state));
        Ok(Self { state })
    }

    /// The address for `HF_ENDPOINT`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.state.endpoint
    }

    /// The file host's origin.
    #[must_use]
    pub fn file_host(&self) -> &str {
        &self.state.file_host
    }

    /// Makes the requests that a rule fits fail as it says.
    pub fn inject(&self, rule: Rule) {
        self.state.rules().push(rule);
    }

    /// Makes every address signed so far invalid, as time does.
    pub fn expire_signatures(&self) {
        self.state.expire_signatures();
    }

    /// Every request that was answered so far, and the log is empty again.
    pub fn take_log(&self) -> Vec<Logged> {
        std::mem::take(&mut *self.state.log())
    }

    /// Whether the file host was ever sent a token.
    #[must_use]
    pub fn file_host_saw_a_token(&self) -> bool {
        self.state.file_host_saw_a_token()
    }
}
