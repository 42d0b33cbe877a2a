//! `shards/0007.lanes`: all that a process needs to compute a shard, so that it lists nothing.
//!
//! The first line is a [`Head`]; after it comes a lane a line, as lanes travel to a web worker.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;

use anyhow::{Context, Result, anyhow};
use ckptscope_analysis::plan::LaneMessage;
use ckptscope_analysis::{Lane, Registry};
use serde::{Deserialize, Serialize};

use super::folder::Folder;
use super::plan_file::{LAYOUT, PlanFile, PlannedUnit, refuse_others};
use super::tree::Source;
use crate::identity::{PROGRAM, Unit};
use crate::{Misuse, output};

/// The first line of a shard's file.
#[derive(Serialize, Deserialize)]
pub(super) struct Head {
    layout: u32,
    program: String,
    /// What the config asks of the program, as journals say it.
    pub(super) config: String,
    /// Threads that compute it.
    pub(super) threads: usize,
    /// Lanes that follow.
    lanes: usize,
    /// Its layer-steps.
    units: Vec<PlannedUnit>,
    /// Where its files are.
    pub(super) source: Source,
}

/// A shard.
pub(super) struct Shard {
    /// What is known of it.
    pub(super) head: Head,
    /// What each of its layer-steps is made of.
    pub(super) made_of: BTreeMap<Unit, String>,
    /// Its lanes.
    pub(super) lanes: Vec<Lane>,
}

/// Writes the shard of these lanes.
///
/// # Errors
/// Where the folder cannot be written.
pub(super) fn write(
    folder: &Folder,
    index: usize,
    lanes: &[Lane],
    source: Source,
    plan: &PlanFile,
) -> Result<()> {
    let units = plan.units.iter().filter(|unit| unit.shard == index);
    let head = Head {
        layout: LAYOUT,
        program: PROGRAM.to_owned(),
        config: plan.config.clone(),
        threads: plan.threads,
        lanes: lanes.len(),
        units: units.cloned().collect(),
        source,
    };
    let mut text = serde_json::to_vec(&head)?;
    text.push(b'\n');
    for lane in lanes {
        text.extend(serde_json::to_vec(&LaneMessage::from(lane))?);
        text.push(b'\n');
    }
    output::write(&folder.shard(index), &text)
}

/// Reads a shard.
///
/// # Errors
/// [`Misuse`] where there is no such shard, or another program wrote it.
pub(super) fn read(folder: &Folder, index: usize) -> Result<Shard> {
    let path = folder.shard(index);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(no_such(folder, index)?),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let damaged = || {
        format!(
            "{} is damaged: submit again into another folder",
            path.display()
        )
    };
    let mut lines = text.lines();
    let head: Head =
        serde_json::from_str(lines.next().unwrap_or_default()).with_context(damaged)?;
    refuse_others(
        &head.program,
        head.layout,
        &folder.path().display().to_string(),
    )?;
    let registry = Registry::default();
    let lanes = lines.map(|line| {
        let message: LaneMessage = serde_json::from_str(line)?;
        Ok(message.into_lane(&registry)?)
    });
    let lanes: Vec<Lane> = lanes.collect::<Result<_>>().with_context(damaged)?;
    let found: BTreeSet<Unit> = lanes.iter().flat_map(recorded).collect();
    let units = head.units.iter();
    let made_of: BTreeMap<Unit, String> = units
        .map(|unit| ((unit.layer, unit.step), unit.made_of.clone()))
        .collect();
    if lanes.len() != head.lanes || !found.iter().eq(made_of.keys()) {
        return Err(anyhow!("it has not all of its lanes")).with_context(damaged);
    }
    Ok(Shard {
        head,
        made_of,
        lanes,
    })
}

/// The layer-steps of a lane whose numbers are asked for.
pub(super) fn recorded(lane: &Lane) -> impl Iterator<Item = Unit> {
    let steps = lane.steps.iter().filter(|step| step.recorded);
    steps.map(|step| (lane.layer, step.step))
}

/// That there is no such shard, or no such folder.
fn no_such(folder: &Folder, index: usize) -> Result<anyhow::Error> {
    let count = PlanFile::read(folder)?.shards.len();
    let shown = folder.path().display();
    Ok(Misuse(match count {
        0 => format!("{shown} has no shards: nothing is to be computed; see `worker merge`"),
        _ => format!(
            "{shown} has no shard {index}: there are {count}, from 0 to {}",
            count - 1
        ),
    })
    .into())
}
