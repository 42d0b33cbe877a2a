//! `plan.json`: what an analysis in shards computes, and everything of its results but the numbers.
//!
//! It is the last file that `worker submit` writes: a folder that has it is whole.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;

use anyhow::{Context, Result};
use ckptscope_protocol::Cost;
use ckptscope_results::Results;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};

use super::folder::Folder;
use super::kubernetes::Volume;
use crate::arguments::EngineArgument;
use crate::identity::{PROGRAM, Unit};
use crate::{Misuse, output};

/// The layout of the folder's files.
pub(super) const LAYOUT: u32 = 2;

/// An analysis in shards.
#[derive(Serialize, Deserialize)]
pub(super) struct PlanFile {
    /// [`LAYOUT`] of whoever wrote it.
    pub(super) layout: u32,
    /// The program that wrote it.
    pub(super) program: String,
    /// What the config asks of the program, as journals say it.
    pub(super) config: String,
    /// What messages call the config.
    pub(super) config_name: String,
    /// What the results are made of, as `run.json` says it.
    pub(super) made_of: String,
    /// The run, as it was given.
    pub(super) given: String,
    /// Where the run lies.
    pub(super) place: String,
    /// When it was submitted (RFC 3339).
    pub(super) submitted: String,
    /// Who starts the shards, and how.
    pub(super) settings: Settings,
    /// Threads of a shard.
    pub(super) threads: usize,
    /// What it costs on one machine.
    pub(super) cost: Cost,
    /// The shards, in their order.
    pub(super) shards: Vec<Outline>,
    /// Everything but the numbers.
    pub(super) results: Results,
    /// The layer-steps.
    pub(super) units: Vec<PlannedUnit>,
}

/// Who starts the shards, and what is asked of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Settings {
    /// Who.
    pub(super) engine: EngineArgument,
    /// Slurm's partition.
    pub(super) partition: Option<String>,
    /// Whom Slurm charges.
    pub(super) account: Option<String>,
    /// The limit of time, as Slurm takes it, instead of the one that is reckoned.
    pub(super) time: Option<String>,
    /// What pods are made of.
    pub(super) image: String,
    /// The volume that pods share.
    pub(super) volume: Option<Volume>,
    /// Memory of one machine, in bytes.
    pub(super) memory_limit: Option<u64>,
    /// Whether a server follows it and merges, so that no scheduler has to.
    #[serde(default)]
    pub(super) is_followed: bool,
}

/// A shard, as far as whoever submits it wants to know.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Outline {
    /// Layer-steps that give numbers.
    pub(super) units: u64,
    /// What it costs: targets of comparisons count in every shard that reads them.
    pub(super) cost: Cost,
    /// Memory that it needs, in bytes.
    pub(super) memory_bytes: u64,
    /// How long it may take, in seconds.
    pub(super) seconds: u64,
}

/// A layer at a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct PlannedUnit {
    /// The layer; none of tensors outside of layers.
    pub(super) layer: Option<u64>,
    /// The step.
    pub(super) step: u64,
    /// What its numbers are made of, as journals say it.
    pub(super) made_of: String,
    /// The shard that computes it.
    pub(super) shard: usize,
}

/// What is read before anything else of the file is believed.
#[derive(Deserialize)]
struct Origin {
    layout: u32,
    program: String,
}

impl PlanFile {
    /// The plan of a folder.
    ///
    /// # Errors
    /// [`Misuse`] where there is none, or another program wrote it.
    pub(super) fn read(folder: &Folder) -> Result<Self> {
        let path = folder.plan();
        let shown = folder.path().display();
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let advice = "make one with `worker submit CONFIG RUN --engine none --out DIR`";
                return Err(Misuse(format!(
                    "{shown} is no folder of `worker submit`, it has no plan.json: {advice}"
                ))
                .into());
            }
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        let damaged = || {
            format!(
                "{} is damaged: submit again into another folder",
                path.display()
            )
        };
        let origin: Origin = serde_json::from_slice(&text).with_context(damaged)?;
        refuse_others(&origin.program, origin.layout, &shown.to_string())?;
        serde_json::from_slice(&text).with_context(damaged)
    }

    /// When it was submitted; now, where that cannot be read.
    pub(super) fn submitted_at(&self) -> Zoned {
        let time: Result<Timestamp, _> = self.submitted.parse();
        time.map_or_else(|_| Zoned::now(), |time| time.to_zoned(TimeZone::system()))
    }

    /// Writes it.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub(super) fn write(&self, folder: &Folder) -> Result<()> {
        let mut text = serde_json::to_vec(self)?;
        text.push(b'\n');
        output::write(&folder.plan(), &text)
    }

    /// The layer-steps, by what they are.
    pub(super) fn by_unit(&self) -> BTreeMap<Unit, &PlannedUnit> {
        let units = self.units.iter();
        units.map(|unit| ((unit.layer, unit.step), unit)).collect()
    }
}

/// Refuses what another version of this program wrote: its numbers may be others.
///
/// # Errors
/// [`Misuse`].
pub(super) fn refuse_others(program: &str, layout: u32, shown: &str) -> Result<()> {
    if (program, layout) == (PROGRAM, LAYOUT) {
        return Ok(());
    }
    Err(Misuse(format!(
        "{shown} was submitted by {program}, whose numbers may be others than those of {PROGRAM}: \
         go on with that one, or submit again into another folder"
    ))
    .into())
}
