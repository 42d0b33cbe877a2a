//! Analyses that this browser keeps: whatever this tab computes, while it computes it.
//!
//! What lanes tell is appended as it comes, as a worker's journal is. A reload, a crash or another
//! run costs nothing then: an analysis that is over can be opened again, and one that was left goes
//! on behind its last finished layer step. The oldest go first where there are too many.

mod aside;
mod info;
mod keep;
mod keeper;
mod runs;
mod session;
mod shelf;

pub(crate) use aside::Aside;
pub(crate) use info::{KeptInfo, Record, RememberedRun, RunIdentity};
pub(crate) use keep::{Keep, Keeping};
pub(crate) use keeper::begin_keeping;
pub(crate) use session::{config_of, keep_config};
pub(crate) use shelf::{Kept, KeptPart};
