//! `worker inspect`: what a run or a checkpoint file holds.

use anyhow::Result;

use crate::Outcome;
use crate::arguments::InspectArguments;

/// Runs the command.
pub(crate) fn run(arguments: &InspectArguments) -> Result<Outcome> {
    let _ = arguments;
    Ok(Outcome::Done)
}
