//! What can go wrong while a run is written or sent.

use std::io;
use std::path::{Path, PathBuf};

/// An offline run that could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OfflineError {
    /// The file or its folder.
    #[error("cannot write the offline run {path}: {source}", path = path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Steps must ascend: the server drops a row whose step it has passed.
    #[error("step {step} does not come after step {last}, the last one of the run")]
    StepNotAfter {
        /// The row's.
        step: u64,
        /// The row's before.
        last: u64,
    },
}

/// An upload that was given up. The offline run has everything.
#[derive(Debug, thiserror::Error)]
#[error(
    "{problem}; nothing is lost: `{}` uploads the run",
    sync_command(folder)
)]
pub struct UploadError {
    /// What is wrong.
    pub problem: Problem,
    /// The offline run.
    pub folder: PathBuf,
}

/// Why an upload was given up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Nobody answered, or nobody had time, as often as patience allows.
    #[error("{server} could not be reached in {}: {last}", counted(*attempts))]
    GaveUp {
        /// The server's address.
        server: String,
        /// Requests that were made.
        attempts: u32,
        /// What the last of them came to.
        last: String,
    },
    /// The server asks for more time than patience allows.
    #[error("{server} takes no requests for the next {seconds} seconds")]
    Busy {
        /// The server's address.
        server: String,
        /// How long.
        seconds: u64,
    },
    /// The key is not known there, or may not write there.
    #[error(
        "{server} does not accept the API key (status {status}): see WANDB_API_KEY, or `wandb login`"
    )]
    KeyRefused {
        /// The server's address.
        server: String,
        /// 401 or 403.
        status: u16,
    },
    /// Any other status that asking again does not change.
    #[error("{server} refused the run with status {status}: {said}")]
    Refused {
        /// The server's address.
        server: String,
        /// The status.
        status: u16,
        /// The beginning of the answer.
        said: String,
    },
    /// The run could not be made: no such entity, say, or no permission.
    #[error("{server} did not make the run: {said}")]
    NotMade {
        /// The server's address.
        server: String,
        /// The server's words.
        said: String,
    },
    /// An answer of another form than is known.
    #[error("{server} answered in a form that is not understood: {said}")]
    NotUnderstood {
        /// The server's address.
        server: String,
        /// The beginning of the answer.
        said: String,
    },
    /// The address is none, or nothing can be sent at all.
    #[error("{server} cannot be asked: {reason}")]
    NoRequest {
        /// The server's address.
        server: String,
        /// Why.
        reason: String,
    },
}

fn counted(attempts: u32) -> String {
    let plural = if attempts == 1 { "" } else { "s" };
    format!("{attempts} attempt{plural}")
}

/// What to type into a shell to upload an offline run.
///
/// ```
/// use std::path::Path;
/// use ckptscope_wandb::sync_command;
///
/// assert_eq!(sync_command(Path::new("wandb/run-1")), "wandb sync wandb/run-1");
/// assert_eq!(sync_command(Path::new("it's here")), r"wandb sync 'it'\''s here'");
/// ```
#[must_use]
pub fn sync_command(folder: &Path) -> String {
    let shown = folder.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+~:\\".contains(c);
    if shown.chars().all(is_plain) {
        format!("wandb sync {shown}")
    } else {
        format!("wandb sync '{}'", shown.replace('\'', r"'\''"))
    }
}
