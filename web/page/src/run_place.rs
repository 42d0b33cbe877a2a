//! Where a run is read from: files at hand, or a place on the network.
//!
//! A link carries the place as the page's field takes it, with the commit that was listed. It has
//! no query, which may be a signature.

use ckptscope_protocol::Sealed;
use ckptscope_protocol::tab::{Message, Remote};
use js_sys::Array;

use crate::files::FileHandles;
use crate::worker::ComputeWorker;

/// So many requests are under way at once, over all workers.
const REQUESTS_AT_ONCE: usize = 8;

/// Where a run is read from.
#[derive(Clone, Debug)]
pub enum RunPlace {
    /// Handles of files.
    Files(FileHandles),
    /// A repository or an address.
    Remote(Box<Remote>),
}

impl RunPlace {
    /// What messages call it until it is open.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Files(files) => &files.name,
            // A query may be a signature.
            Self::Remote(remote) => remote.place.split('?').next().unwrap_or_default(),
        }
    }

    /// Tells a worker, one of so many, where to read.
    ///
    /// # Errors
    /// What the browser says when it cannot post the message.
    pub(crate) fn tell(&self, worker: &ComputeWorker, of_workers: usize) -> Result<(), String> {
        let (message, handles): (Message, Option<Array>) = match self {
            Self::Files(files) => {
                let message = Message::Files {
                    name: files.name.clone(),
                    paths: files.paths(),
                };
                (message, Some(files.handles()))
            }
            Self::Remote(remote) => {
                let remote = Remote {
                    requests_at_once: (REQUESTS_AT_ONCE / of_workers.max(1)).max(1),
                    ..(**remote).clone()
                };
                (Message::Remote(Box::new(remote)), None)
            }
        };
        worker.post(&message, handles.as_ref())
    }

    /// Takes what one worker listed, so that no other lists it again.
    pub fn learn(&mut self, listed: &Sealed) {
        if let Self::Remote(remote) = self {
            remote.listed = Some(listed.clone());
        }
    }
}
