//! `worker inspect`: what a run or a checkpoint file holds.

mod anatomy;
mod groups;
mod inspection;
mod ranges;
mod suggestion;
mod text;

use std::sync::Arc;

use anyhow::{Result, bail};
use ckptscope_analysis::plan::Catalogs;
use ckptscope_analysis::proposal::proposals;
use ckptscope_analysis::{Anatomy, Registry, Survey};

use crate::arguments::InspectArguments;
use crate::executor::Executor;
use crate::find::overview;
use crate::place::Address;
use crate::{Outcome, console};
use inspection::Inspection;

/// Runs the command.
pub(crate) fn run(arguments: &InspectArguments) -> Result<Outcome> {
    let address = Address::of_argument(&arguments.path);
    let executor = Executor::start(Arc::default())?;
    let read = async {
        let (run, place) = overview(&address, &executor).await?;
        let mut inspection = Inspection::read(&address, &run, &place).await;
        // What was read of a directory over the network is not fetched again.
        let survey = Survey::of(&run, place.tree(), &Catalogs::default()).await;
        inspection.name_stacks(&survey);
        inspection.tell_missing_layers(&survey);
        inspection.name_parts(&Anatomy::of(&run, &survey));
        anyhow::Ok((inspection, proposals(&run, &survey, &Registry::default())))
    };
    let Some(read) = executor.block_on(read) else {
        return Ok(Outcome::Interrupted);
    };
    let (inspection, proposals) = read?;
    let answer = if arguments.json {
        serde_json::to_string_pretty(&inspection)? + "\n"
    } else {
        text::text(&inspection, &proposals)
    };
    console::print(&answer)?;
    match inspection.broken_files() {
        0 => Ok(Outcome::Done),
        1 => bail!("one file cannot be read, as said above"),
        count => bail!("{count} files cannot be read, as said above"),
    }
}
