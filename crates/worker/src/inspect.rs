//! `worker inspect`: what a run or a checkpoint file holds.

mod groups;
mod inspection;
mod ranges;
mod suggestion;
mod text;

use anyhow::{Result, bail};

use crate::arguments::InspectArguments;
use crate::find::find_run;
use crate::{Outcome, console};
use inspection::Inspection;

/// Runs the command.
pub(crate) fn run(arguments: &InspectArguments) -> Result<Outcome> {
    let (run, tree) = find_run(&arguments.path)?;
    let inspection = pollster::block_on(Inspection::read(&arguments.path, &run, &tree));
    let answer = if arguments.json {
        serde_json::to_string_pretty(&inspection)? + "\n"
    } else {
        text::text(&inspection)
    };
    console::print(&answer)?;
    match inspection.broken_files() {
        0 => Ok(Outcome::Done),
        1 => bail!("one file cannot be read, as said above; copy or download it again"),
        count => bail!("{count} files cannot be read, as said above; copy or download them again"),
    }
}
