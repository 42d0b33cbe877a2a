//! `worker status`: what became of each shard, by the journals first and by the scheduler second.
//!
//! Journals are there long after a scheduler has forgotten a job, and where accounting is off. What
//! they cannot tell is who killed a process that did not say how it ended.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use anyhow::Result;
use serde_json::json;

use super::attempt::{End, Journals, Told, attempts, journals};
use super::folder::Folder;
use super::index::{in_words, shards_in_words};
use super::plan_file::PlanFile;
use super::shard::UnitOutline;
use super::slurm::{self, Said, Tasks};
use super::submissions::{self, Submission};
use crate::analysis::counted;
use crate::arguments::{EngineArgument, StatusArguments};
use crate::identity::Unit;
use crate::progress::duration;
use crate::{Outcome, console, hardware};

/// Runs the command.
pub(crate) fn run(arguments: &StatusArguments) -> Result<Outcome> {
    let folder = Folder::at(&arguments.folder)?;
    let plan = PlanFile::read(&folder)?;
    let shards = Looking::at(&folder, &plan)?.shards()?;
    let text = if arguments.json {
        as_json(&plan, &shards)?
    } else {
        as_text(&folder, &plan, &shards)
    };
    console::print(&text)?;
    Ok(Outcome::Done)
}

/// What became of a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// All of it is computed.
    Done,
    /// It is being computed.
    UnderWay,
    /// It waits for its turn at the scheduler.
    Waiting,
    /// Nobody has begun it.
    NotBegun,
    /// Somebody asked it to end: a preemption, a limit of time, a person.
    Stopped,
    /// It was killed for its memory.
    OutOfMemory,
    /// It was killed because its time was up.
    OutOfTime,
    /// Its machine failed.
    NodeFailed,
    /// It was killed, and nobody says why.
    Killed,
    /// It could not go on, and says why.
    Failed,
}

impl State {
    /// In words for people; programs get the same.
    const fn words(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::UnderWay => "under way",
            Self::Waiting => "waiting",
            Self::NotBegun => "not begun",
            Self::Stopped => "stopped",
            Self::OutOfMemory => "out of memory",
            Self::OutOfTime => "out of time",
            Self::NodeFailed => "node failed",
            Self::Killed => "killed",
            Self::Failed => "failed",
        }
    }

    /// Whether nobody will go on with it unless it is submitted again.
    pub(super) const fn is_left(self) -> bool {
        !self.is_at_work() && !matches!(self, Self::Done)
    }

    /// Whether somebody is about to go on with it.
    pub(super) const fn is_at_work(self) -> bool {
        matches!(self, Self::UnderWay | Self::Waiting)
    }

    /// Whether nobody says how it came to that, so that more may become known.
    pub(super) const fn is_vague(self) -> bool {
        matches!(self, Self::NotBegun | Self::Killed)
    }
}

/// A shard, and what became of it.
pub(super) struct ShardStatus {
    pub(super) index: usize,
    pub(super) state: State,
    /// Layer-steps that are finished.
    done: u64,
    /// Layer-steps that there are.
    of: u64,
    /// Why it failed, where it says so, and where its journal is.
    message: String,
    /// The last submission that it was in.
    pub(super) submission: Option<Submission>,
}

/// What is looked at.
pub(super) struct Looking<'a> {
    folder: &'a Folder,
    plan: &'a PlanFile,
    journals: Journals,
    submissions: Vec<Submission>,
    tasks: Tasks,
}

impl<'a> Looking<'a> {
    /// Reads what there is, and asks the scheduler.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(super) fn at(folder: &'a Folder, plan: &'a PlanFile) -> Result<Self> {
        let submissions = submissions::read(folder)?;
        let is_slurm = |it: &&Submission| it.engine == EngineArgument::Slurm;
        let of_slurm: Vec<Submission> = submissions.iter().filter(is_slurm).cloned().collect();
        Ok(Self {
            folder,
            plan,
            journals: journals(folder)?,
            tasks: slurm::tasks(&of_slurm),
            submissions,
        })
    }

    /// What became of every shard.
    ///
    /// # Errors
    /// When a journal cannot be read, or is of another config or program.
    pub(super) fn shards(&self) -> Result<Vec<ShardStatus>> {
        let mut planned: Vec<BTreeMap<Unit, &str>> = vec![BTreeMap::new(); self.plan.shards.len()];
        for unit in &self.plan.units {
            if let Some(shard) = planned.get_mut(unit.shard) {
                shard.insert((unit.layer, unit.step), &unit.made_of);
            }
        }
        let shards = planned.iter().enumerate();
        shards
            .map(|(index, planned)| self.shard(index, planned))
            .collect()
    }

    fn shard(&self, index: usize, planned: &BTreeMap<Unit, &str>) -> Result<ShardStatus> {
        let attempts: Vec<Told<UnitOutline>> = attempts(&self.journals, index, &self.plan.config)?;
        let units = attempts.iter().flat_map(|told| &told.units);
        let done: BTreeSet<Unit> = units
            .filter(|it| {
                let unit = (it.progress.layer, it.progress.step);
                planned.get(&unit) == Some(&it.made_of.as_str())
            })
            .map(|it| (it.progress.layer, it.progress.step))
            .collect();
        let mut submissions = self.submissions.iter().rev();
        let submission = submissions.find(|it| it.task_of(index).is_some());
        let is_done = done.len() == planned.len();
        let (state, message) = match is_done {
            true => (State::Done, String::new()),
            false => self.state(index, attempts.last(), submission),
        };
        Ok(ShardStatus {
            index,
            state,
            done: done.len() as u64,
            of: planned.len() as u64,
            message,
            submission: submission.cloned(),
        })
    }

    /// What became of a shard that is not done, and why.
    fn state(
        &self,
        index: usize,
        last: Option<&Told<UnitOutline>>,
        submission: Option<&Submission>,
    ) -> (State, String) {
        let task = submission.and_then(|it| Some((it.job.clone(), it.task_of(index)?)));
        let said = task.as_ref().and_then(|task| self.tasks.get(task)).copied();
        let ended = last.and_then(|told| told.ended.as_ref());
        let out_of_memory = || {
            task.as_ref()
                .is_some_and(|(job, task)| slurm::ran_out_of_memory(self.folder, job, *task))
        };
        match (said, ended) {
            (Some(Said::UnderWay), _) => (State::UnderWay, String::new()),
            (Some(Said::Waiting), _) => (State::Waiting, String::new()),
            (Some(Said::OutOfMemory), _) => (State::OutOfMemory, String::new()),
            (_, Some(ended)) if ended.how == End::Failed => (State::Failed, ended.message.clone()),
            (_, Some(_)) => (State::Stopped, String::new()),
            (_, None) if out_of_memory() => (State::OutOfMemory, String::new()),
            (Some(Said::OutOfTime), None) => (State::OutOfTime, String::new()),
            (Some(Said::NodeFailed), None) => (State::NodeFailed, String::new()),
            (Some(Said::Cancelled), None) => (State::Stopped, String::new()),
            (Some(Said::Ended), None) => (State::Killed, String::new()),
            (None, None) => last.map_or((State::NotBegun, String::new()), unheard_of),
        }
    }
}

/// An attempt that did not say how it ended, and that no scheduler knows.
fn unheard_of(told: &Told<UnitOutline>) -> (State, String) {
    let place = told.head.as_ref().map(|head| &head.at);
    let (host, process) = place.map_or(("", 0), |at| (at.host.as_str(), at.process));
    if hardware::is_here(host) {
        return match hardware::has_ended(host, process) {
            true => (State::Killed, String::new()),
            false => (State::UnderWay, String::new()),
        };
    }
    let changed = told
        .changed
        .and_then(|time| SystemTime::now().duration_since(time).ok());
    let quiet = duration(changed.unwrap_or(Duration::ZERO));
    (
        State::Killed,
        format!("or still under way on {host}: it told something {quiet} ago"),
    )
}

/// What is missing, and what became of the shards that have it.
pub(super) fn what_is_left(shards: &[ShardStatus]) -> String {
    let count = |of: fn(&ShardStatus) -> u64| shards.iter().map(of).sum::<u64>();
    let (done, all) = (count(|it| it.done), count(|it| it.of));
    let missing = shards.iter().filter(|it| it.state != State::Done);
    let groups: Vec<String> = by_state(missing).iter().map(Group::sentence).collect();
    format!(
        "{} of {} are missing: {}",
        all - done,
        counted(all, "layer-step"),
        groups.join("; ")
    )
}

/// Shards of which the same is to be said.
struct Group<'a> {
    state: State,
    /// Their numbers.
    numbers: Vec<usize>,
    /// Why they failed, each once.
    messages: Vec<&'a str>,
}

impl Group<'_> {
    fn sentence(&self) -> String {
        let why: String = self.messages.iter().map(|it| format!(" ({it})")).collect();
        let (state, shards) = (self.state.words(), shards_in_words(&self.numbers));
        console::printable(&format!("{state}: {shards}{why}"))
    }
}

fn by_state<'a>(shards: impl Iterator<Item = &'a ShardStatus>) -> Vec<Group<'a>> {
    let mut by_state: BTreeMap<State, Vec<&ShardStatus>> = BTreeMap::new();
    for shard in shards {
        by_state.entry(shard.state).or_default().push(shard);
    }
    let groups = by_state.into_iter().map(|(state, shards)| {
        let numbers: Vec<usize> = shards.iter().map(|shard| shard.index).collect();
        let messages = shards.iter().map(|shard| shard.message.as_str());
        let mut messages: Vec<&str> = messages.filter(|message| !message.is_empty()).collect();
        messages.dedup();
        Group {
            state,
            numbers,
            messages,
        }
    });
    groups.collect()
}

fn as_text(folder: &Folder, plan: &PlanFile, shards: &[ShardStatus]) -> String {
    let done: u64 = shards.iter().map(|shard| shard.done).sum();
    let mut text = format!(
        "{} of {}: {done} of {} are done\n",
        counted(shards.len() as u64, "shard"),
        console::printable(&plan.results.analysis_name),
        counted(plan.units.len() as u64, "layer-step")
    );
    for group in by_state(shards.iter()) {
        let numbers = in_words(&group.numbers);
        text += &format!("  {:<14}{numbers}\n", group.state.words());
        for message in group.messages {
            text += &format!("    {}\n", console::printable(message));
        }
    }
    let shown = folder.path().display();
    if shards.iter().all(|shard| shard.state == State::Done) {
        text += &format!("write the results: worker merge {shown}\n");
    } else if shards.iter().any(|shard| shard.state.is_left()) {
        text += &format!("submit what is missing: worker submit --again {shown}\n");
    }
    text
}

fn as_json(plan: &PlanFile, shards: &[ShardStatus]) -> Result<String> {
    let told = shards.iter().map(|shard| {
        json!({
            "shard": shard.index,
            "state": shard.state.words(),
            "layer_steps": shard.of,
            "done": shard.done,
            "message": shard.message,
            "job": shard.submission.as_ref().map(|it| &it.job),
            "memory_bytes": shard.submission.as_ref().map(|it| it.memory_bytes),
        })
    });
    let told = json!({
        "analysis_name": plan.results.analysis_name,
        "layer_steps": plan.units.len(),
        "done": shards.iter().map(|shard| shard.done).sum::<u64>(),
        "shards": told.collect::<Vec<_>>(),
    });
    Ok(format!("{}\n", serde_json::to_string_pretty(&told)?))
}
