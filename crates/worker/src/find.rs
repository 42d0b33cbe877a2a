//! The run at a path, as every command finds it.

use std::path::Path;

use anyhow::Result;
use trainscope_checkpoint::local::LocalTree;
use trainscope_checkpoint::{Run, RunError};

use crate::Misuse;

/// Lists the files below a path and recognises the run in them. A path that is none, or holds no
/// run, is wrong usage; files that cannot be read are a failure.
pub(crate) fn find_run(path: &Path) -> Result<(Run, LocalTree)> {
    let tree = LocalTree::scan(path).map_err(|error| judged(&error))?;
    let run = pollster::block_on(Run::find(&tree)).map_err(|error| judged(&error))?;
    Ok((run, tree))
}

fn judged(error: &RunError) -> anyhow::Error {
    match error {
        RunError::Missing { .. }
        | RunError::TooManyFiles { .. }
        | RunError::Empty { .. }
        | RunError::NoCheckpoint { .. }
        | RunError::Ambiguous { .. }
        | RunError::SeveralRuns { .. } => Misuse(error.to_string()).into(),
        // The error's own words have its source in them already.
        _ => anyhow::Error::msg(error.to_string()),
    }
}
