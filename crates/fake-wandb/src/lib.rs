//! A Weights & Biases server on loopback, for tests: no test may need the internet.
//!
//! It knows what W&B's own client asks while it makes, fills and ends a run, keeps what it is sent
//! ([`ReceivedRun`], or `GET /received` for who is not written in Rust), and refuses what the real
//! one would: a wrong key, rows that do not begin where the last ones ended, requests of more than
//! 10 MB. `cargo xtask test wandb-python` drives it with the `wandb` package of PyPI, so that it
//! stays faithful. [`FakeWandb::inject`] makes it fail.
//!
//! It answers from memory on threads of its own for as long as the process lives.

mod api;
mod received;
mod server;
mod state;

use std::io;
use std::sync::Arc;

use ckptscope_loopback::Port;

pub use received::ReceivedRun;
pub use state::{WandbFault, WandbRequest, WandbRule};

use state::State;

/// The key that is accepted: forty characters, as W&B's own client wants it.
pub const KEY: &str = "0123456789abcdef0123456789abcdef01234567";

/// The entity that the key belongs to.
pub const ENTITY: &str = "fake-entity";

/// A running fake server.
pub struct FakeWandb {
    base_url: String,
    state: Arc<State>,
}

impl FakeWandb {
    /// Starts a server on a free port.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start() -> io::Result<Self> {
        let port = Port::take(0)?;
        let base_url = format!("http://{}", port.address());
        let state = Arc::new(State::new(base_url.clone()));
        server::serve(port, Arc::clone(&state));
        Ok(Self { base_url, state })
    }

    /// The address for `WANDB_BASE_URL`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// What was received of a run.
    #[must_use]
    pub fn run(&self, id: &str) -> Option<ReceivedRun> {
        self.state.runs().get(id).cloned()
    }

    /// The ids of all runs.
    #[must_use]
    pub fn run_ids(&self) -> Vec<String> {
        self.state.runs().keys().cloned().collect()
    }

    /// Makes the requests that a rule fits fail as it says.
    pub fn inject(&self, rule: WandbRule) {
        self.state.rules().push(rule);
    }

    /// Every request so far, and the log is empty again.
    #[must_use]
    pub fn take_log(&self) -> Vec<WandbRequest> {
        std::mem::take(&mut *self.state.log())
    }
}
