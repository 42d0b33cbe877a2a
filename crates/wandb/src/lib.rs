//! Writes [Weights & Biases](https://wandb.ai) runs without Python.
//!
//! A run is a name, a config and rows of numbers by step. It goes to two places:
//!
//! - [`OfflineRun`] writes the folder that `wandb sync` uploads. It needs no network and no
//!   account, and is the copy that nothing can take away.
//! - [`OnlineRun`] sends the same rows to a server, as W&B's own client does. Requests are few, and
//!   repeated where a server is busy; where it gives up, [`UploadError`] says how to upload the
//!   offline run.
//!
//! [`Settings`] reads the environment variables and the netrc file that W&B's own tools read.
//!
//! ```
//! use std::time::SystemTime;
//! use ckptscope_wandb::{OfflineRun, Row, Run};
//!
//! let folder = tempfile::tempdir()?;
//! let mut run = Run::new("my-project", "first look");
//! run.config.insert("learning_rate".to_owned(), 1e-3.into());
//!
//! let mut offline = OfflineRun::create(folder.path(), &run)?;
//! for (step, loss) in [(0, 10.8), (100, 7.2), (200, f64::NAN)] {
//!     let mut row = Row::new(step, SystemTime::now());
//!     row.set("loss", loss);
//!     offline.log(&row)?;
//! }
//! let finished = offline.finish(0)?;
//! assert!(finished.starts_with(folder.path().join("wandb")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The file of an offline run
//!
//! `wandb/offline-run-YYYYMMDD_HHMMSS-{id}/run-{id}.wandb` begins with seven bytes: `:W&B`, the
//! number `0xBEE1` and the version 0. A log of records follows, in blocks of 32768 bytes counted
//! from the beginning of the file, as `LevelDB` writes its logs:
//!
//! | bytes of a chunk | what |
//! |---|---|
//! | 4 | CRC-32 (zlib's, not `LevelDB`'s CRC-32C) of the type and the data |
//! | 2 | length of the data |
//! | 1 | type: 1 a whole record, 2 its first part, 3 a middle one, 4 the last |
//! | length | data |
//!
//! Numbers are little-endian. Fewer than seven bytes at the end of a block are zeros. A record is
//! a protobuf (proto3) message of W&B's `wandb_internal.proto`. We write, in this order:
//!
//! 1. a header, the run with its config, and the config;
//! 2. for each row its history (with `_step`, `_runtime` and `_timestamp`) and what it changes of
//!    the summary, which has the last value of each name;
//! 3. the summary's own `_wandb.runtime`, the exit code, and two empty records that say that this
//!    is the end. A file without an exit code is that of a run that crashed.
//!
//! `wandb sync` needs nothing beside that file; the folder `files`, where a run's own files would
//! be, is made because other tools of W&B expect it.
//!
//! # Numbers that do not exist
//!
//! JSON has no NaN and no infinity. [`Row::set`] leaves such values out and says so: a chart has a
//! gap there.
//!
//! # What W&B itself says of it
//!
//! The file's format is documented by W&B's code only. So `cargo xtask test wandb-python` has two
//! versions of the real package judge it. The last version with a reader in Python reads it record
//! by record. A current one syncs it, and logs the same numbers itself to the same fake server,
//! which must have received the same.

mod block_log;
mod clock;
mod error;
mod key;
mod offline;
mod online;
mod patience;
mod protobuf;
mod record;
mod run;
mod service;
mod settings;
mod sockets;
mod transport;

pub use clock::Clock;
pub use error::{OfflineError, Problem, UploadError, sync_command};
pub use key::{Key, KeyError};
pub use offline::OfflineRun;
pub use online::OnlineRun;
pub use patience::Patience;
pub use run::{Row, Run, RunId, RunIdError};
pub use service::Service;
pub use settings::{Mode, NetrcError, NumberError, PUBLIC_ADDRESS, Settings, SettingsError};
pub use sockets::Sockets;
pub use transport::{Answer, Failure, Outgoing, Transport};
