//! `worker inspect`: what a run or a checkpoint file holds.

mod groups;
mod inspection;
mod ranges;
mod suggestion;
mod text;

use std::sync::Arc;

use anyhow::{Result, bail};

use crate::arguments::InspectArguments;
use crate::executor::Executor;
use crate::find::find_run;
use crate::place::Address;
use crate::{Outcome, console};
use inspection::Inspection;

/// Runs the command.
pub(crate) fn run(arguments: &InspectArguments) -> Result<Outcome> {
    let address = Address::of_argument(&arguments.path);
    let executor = Executor::start(Arc::default())?;
    let read = async {
        let (run, place) = find_run(&address, &executor, |_, _| true).await?;
        let inspection = Inspection::read(&address, &run, &place).await;
        anyhow::Ok((inspection, run))
    };
    let Some(read) = executor.block_on(read) else {
        return Ok(Outcome::Interrupted);
    };
    let (inspection, run) = read?;
    let answer = if arguments.json {
        serde_json::to_string_pretty(&inspection)? + "\n"
    } else {
        text::text(&inspection, &run)
    };
    console::print(&answer)?;
    let advice = match address {
        Address::Path(_) | Address::Within(..) => "; copy or download it again",
        Address::Hub(_) => "",
    };
    match inspection.broken_files() {
        0 => Ok(Outcome::Done),
        1 => bail!("one file cannot be read, as said above{advice}"),
        count => bail!(
            "{count} files cannot be read, as said above{}",
            advice.replace(" it ", " them ")
        ),
    }
}
