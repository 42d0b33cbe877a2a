//! An analysis in Slurm's hands, as `worker serve --engine slurm` follows it.
//!
//! Its folders are those of `worker submit`, but for the merge, which is the server's. They lie in
//! `slurm/1`, `slurm/2` and so on, in the analysis' own folder. A server makes another one where
//! files of the run changed since, or the program did. What is known of an analysis stands there
//! and at Slurm, and nowhere else. So a server may end, and the next one goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use ckptscope_protocol::Cost;
use ckptscope_protocol::service::FinishedUnit;
use ckptscope_results::Results;
use jiff::Zoned;

use super::attempt::{Told, journals};
use super::folder::Folder;
use super::merge::Merged;
use super::plan_file::{PlanFile, Settings};
use super::status::{Looking, ShardStatus, what_is_left};
use super::submissions::{self, Submission};
use super::{again, engine, resources, slurm, submit};
use crate::analysis::{Analysis, counted};
use crate::arguments::{EngineArgument, SHARD_THREADS, ServeArguments, SlurmArguments};
use crate::console;
use crate::identity::Unit;
use crate::journal::Work;
use crate::progress::Reporter;

/// Where the folders of an analysis are, below its own.
const FOLDER: &str = "slurm";

/// How long nothing is at work before the server gives up shards that are known to have ended. What
/// Slurm queues again is nowhere for a moment.
const SETTLING: Duration = Duration::from_secs(5);

/// The same, where nobody says how: a shared disk may show the last lines later than Slurm shows
/// that their writer has ended.
const SILENCE: Duration = Duration::from_secs(60);

/// What a server asks Slurm for, whatever the analysis.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    /// Into how many shards; as many as take minutes where nobody says it.
    shards: Option<usize>,
    /// Threads of a shard.
    pub(crate) threads: usize,
    settings: Settings,
}

impl Order {
    /// What the arguments ask for.
    ///
    /// # Errors
    /// [`crate::Misuse`] where Slurm's commands are not here.
    pub(crate) fn of(arguments: &ServeArguments) -> Result<Self> {
        engine::check_slurm()?;
        let SlurmArguments {
            time,
            partition,
            account,
        } = arguments.slurm.clone();
        Ok(Self {
            shards: arguments.shards,
            threads: arguments.threads.unwrap_or(SHARD_THREADS).get(),
            settings: Settings {
                engine: EngineArgument::Slurm,
                partition,
                account,
                time,
                image: String::new(),
                volume: None,
                memory_limit: arguments.memory,
                is_followed: true,
            },
        })
    }

    /// Shards of an analysis, at most.
    pub(crate) fn most_shards(&self) -> usize {
        self.shards.unwrap_or(resources::MOST_SHARDS)
    }

    /// Threads of the shards of an analysis: fewer where more do not fit into a node's memory.
    ///
    /// # Errors
    /// [`crate::Misuse`] where not even one layer fits.
    pub(crate) fn threads_of(&self, analysis: &Analysis) -> Result<usize> {
        submit::threads(analysis, self.threads, self.settings.memory_limit)
    }
}

/// An analysis in Slurm's hands.
pub(crate) struct Handed {
    folder: Folder,
    plan: PlanFile,
    /// What each layer-step is made of.
    planned: BTreeMap<Unit, String>,
    /// Those that are finished.
    found: BTreeSet<Unit>,
    told: BTreeMap<PathBuf, Told<FinishedUnit>>,
    /// Whether somebody asks for what is missing now, and not only at an earlier server.
    is_asked: bool,
    /// Whether nothing was submitted yet, of what may be submitted now.
    may_submit: bool,
    /// Since when Slurm has nothing of it at work.
    at_rest: Option<Instant>,
    /// Whether Slurm answered last.
    is_heard: bool,
}

impl Handed {
    /// What was handed over last of an analysis, by this server or one before; none where nothing
    /// was. Whatever was never submitted will be; the rest only where somebody asks for it now.
    ///
    /// # Errors
    /// Where it cannot be gone on with: another version of the program wrote it, or it is damaged.
    pub(crate) fn last(own: &Path, order: &Order, is_asked: bool) -> Result<Option<Self>> {
        let Some((_, folder)) = folders(own)?.pop_last() else {
            return Ok(None);
        };
        let mut plan = PlanFile::read(&folder)?;
        // The server may have been started with another partition since.
        plan.settings = order.settings.clone();
        Ok(Some(Self::of(folder, plan, is_asked)))
    }

    /// Writes another folder of an analysis.
    ///
    /// # Errors
    /// Where it cannot be written; [`crate::Misuse`] where a layer fits into no node.
    pub(crate) fn make(own: &Path, order: &Order, analysis: &Analysis) -> Result<Self> {
        let threads = order.threads_of(analysis)?;
        let in_one = resources::seconds(&analysis.cost(), &resources::crew(threads));
        let shards = order.shards.unwrap_or_else(|| resources::shards(in_one));
        let number = folders(own)?
            .last_key_value()
            .map_or(1, |(last, _)| last + 1);
        let folder = Folder::make(&own.join(FOLDER).join(number.to_string()))?;
        let plan = submit::write(&folder, analysis, shards, threads, order.settings.clone())?;
        Ok(Self::of(folder, plan, true))
    }

    fn of(folder: Folder, plan: PlanFile, is_asked: bool) -> Self {
        let planned = plan.by_unit().into_iter();
        let planned = planned.map(|(unit, planned)| (unit, planned.made_of.clone()));
        Self {
            folder,
            planned: planned.collect(),
            plan,
            found: BTreeSet::new(),
            told: BTreeMap::new(),
            is_asked,
            may_submit: true,
            at_rest: None,
            is_heard: true,
        }
    }

    /// Whether it is what the analysis would be now.
    pub(crate) fn is_still(&self, analysis: &Analysis) -> bool {
        self.plan.made_of == analysis.made_of()
    }

    /// What a journal of it is of.
    pub(crate) fn work(&self) -> Work {
        Work {
            config: self.plan.config.clone(),
            place: self.plan.place.clone(),
        }
    }

    /// The layer-steps, with what each is made of.
    pub(crate) const fn units(&self) -> &BTreeMap<Unit, String> {
        &self.planned
    }

    /// What it costs on one machine.
    pub(crate) const fn cost(&self) -> Cost {
        self.plan.cost
    }

    /// When it was planned.
    pub(crate) fn planned_at(&self) -> Zoned {
        self.plan.submitted_at()
    }

    /// Into how many shards it was dealt, and where they are.
    pub(crate) fn in_words(&self) -> String {
        let shards = counted(self.plan.shards.len() as u64, "shard");
        format!("{shards} for Slurm: {}", self.folder.path().display())
    }

    /// Hands over every layer-step that journals tell of since they were read last.
    ///
    /// # Errors
    /// Where a journal cannot be read, or is of another config or program; those of `take`.
    pub(crate) fn hear(&mut self, mut take: impl FnMut(&FinishedUnit) -> Result<()>) -> Result<()> {
        let journals = journals(&self.folder)?.into_values();
        for path in journals.flat_map(BTreeMap::into_values) {
            let told = self.told.entry(path);
            let told = told.or_insert_with_key(|path| Told::unread(path));
            if told.ended.is_some() {
                continue;
            }
            told.read_on(&self.plan.config)?;
            for line in told.units.drain(..) {
                let unit = (line.progress.layer, line.progress.step);
                let holds = self.planned.get(&unit) == Some(&line.made_of);
                if holds && self.found.insert(unit) {
                    take(&line)?;
                }
            }
        }
        Ok(())
    }

    /// Whether every layer-step is finished.
    pub(crate) fn is_complete(&self) -> bool {
        self.found.len() == self.planned.len()
    }

    /// Asks Slurm what became of it. Submits what may be, once nothing is at work.
    ///
    /// # Errors
    /// Where nothing is at work any more and something is missing: what became of it, and what to
    /// do. Where Slurm takes no more.
    pub(crate) fn look_after(&mut self) -> Result<()> {
        let submissions = submissions::read(&self.folder)?;
        let Some(tasks) = slurm::queue(&submissions) else {
            self.say_unheard();
            return Ok(());
        };
        self.is_heard = true;
        if tasks.values().any(|said| said.is_at_work()) {
            self.at_rest = None;
            return Ok(());
        }
        let shards = Looking::at(&self.folder, &self.plan)?.shards()?;
        if shards.iter().any(|shard| shard.state.is_at_work()) {
            self.at_rest = None;
            return Ok(());
        }
        let left: Vec<&ShardStatus> = shards.iter().filter(|it| it.state.is_left()).collect();
        let since = *self.at_rest.get_or_insert_with(Instant::now);
        // A server that was killed in the middle may have a script that still submits.
        let may_submit = self.may_submit && (self.is_asked || since.elapsed() >= SETTLING);
        if may_submit {
            self.may_submit = false;
            let is_due = |it: &&&ShardStatus| self.is_asked || it.submission.is_none();
            let due: Vec<&ShardStatus> = left.iter().filter(is_due).copied().collect();
            if !due.is_empty() {
                return self.submit(&due);
            }
        }
        let is_vague = left.iter().any(|shard| shard.state.is_vague());
        let patience = if is_vague { SILENCE } else { SETTLING };
        if left.is_empty() || since.elapsed() < patience {
            return Ok(());
        }
        Err(anyhow!(
            "{}\nresume it, and what is missing is submitted to Slurm again, with twice the memory \
             for what ran out of it; what Slurm wrote is in {}",
            what_is_left(&shards),
            self.folder.logs().display()
        ))
    }

    fn submit(&self, due: &[&ShardStatus]) -> Result<()> {
        engine::check_slurm()?;
        let batches = again::batches(&self.plan, due, self.plan.settings.memory_limit)?;
        // With this server's partition and program, which may be others than at first.
        engine::write_scripts(&self.folder, &self.plan)?;
        engine::hand_over(&self.folder, &self.plan, &batches, false)
    }

    fn say_unheard(&mut self) {
        if std::mem::take(&mut self.is_heard) {
            console::say("Slurm does not answer to squeue; it is asked again");
        }
    }

    /// Writes the results, as `worker merge` does, but for their log.
    ///
    /// # Errors
    /// Where the folder cannot be written, or nothing could be read at all.
    pub(crate) fn merge(&self, into: &Path, reporter: &mut Reporter<'_>) -> Result<Results> {
        let mut merged = Merged::whole(&self.folder, &self.plan, reporter)?;
        let results = merged.results(&self.plan, reporter)?;
        merged.write(&self.plan, &results, into, reporter)?;
        Ok(results)
    }
}

/// Cancels what Slurm has of an analysis.
///
/// # Errors
/// Where Slurm does not answer, or refuses.
pub(crate) fn cancel(own: &Path) -> Result<()> {
    let folders = folders(own)?.into_values();
    let submissions = folders.map(|folder| submissions::read(&folder));
    let submissions: Vec<Vec<Submission>> = submissions.collect::<Result<_>>()?;
    let submissions = submissions.concat();
    if submissions.is_empty() || !engine::is_there(slurm::QUEUE) {
        return Ok(());
    }
    slurm::cancel(&submissions)
}

/// The folders of an analysis, by their numbers.
fn folders(own: &Path) -> Result<BTreeMap<u32, Folder>> {
    let entries = fs::read_dir(own.join(FOLDER)).into_iter().flatten();
    let numbered = entries.flatten().filter_map(|entry| {
        let number = entry.file_name().to_str()?.parse().ok()?;
        Some(Folder::at(&entry.path()).map(|folder| (number, folder)))
    });
    numbered.collect()
}
