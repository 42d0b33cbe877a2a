//! Slurm: an array of shards, and a merge that depends on it.
//!
//! `submit.sh` is all that is needed: `worker submit` starts it, and so can a person. The directives
//! in `shard.sh` hold for every submission; what differs stands in `submit.sh`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::folder::Folder;
use super::index::in_words;
use super::plan_file::{PlanFile, Settings};
use super::shell::{quoted, write_script};
use super::submissions::{self, Batch, JOB, Submission};
use crate::arguments::EngineArgument;
use crate::place::as_file_name;

/// What whoever follows jobs needs of it.
pub(super) const COMMANDS: &[&str] = &["sbatch", QUEUE, CANCEL];

/// Says what there is of jobs.
pub(super) const QUEUE: &str = "squeue";

/// Cancels jobs.
const CANCEL: &str = "scancel";

/// The script of one shard.
const SHARD: &str = "shard.sh";

/// The script of the merge.
const MERGE: &str = "merge.sh";

/// Before its time is up a shard is asked to end, so many seconds.
const NOTICE_SECONDS: u64 = 60;

/// Numbers of an array end below this, unless Slurm says otherwise.
const ARRAY_SIZE: usize = 1001;

/// Memory of a merge, in bytes: the program's, and of every number.
const MERGE_BYTES: u64 = 500_000_000;
const NUMBER_BYTES: u64 = 500;

/// What Slurm's logs say where a process was killed for its memory, in lower case: with cgroups,
/// without them, and by the system.
const OUT_OF_MEMORY: &[&str] = &[
    "oom-kill",
    "oom_kill",
    "out of memory",
    "exceeded memory limit",
    "exceeded job memory limit",
    "memory allocation of",
];

/// What its queue says of a job that ended long ago.
const FORGOTTEN: &str = "Invalid job id";

/// So much of the end of a log is looked at, in bytes.
const LOG_BYTES: usize = 16 * 1024;

/// Writes the scripts of a shard and of the merge, where Slurm is to merge.
///
/// # Errors
/// Where the folder cannot be written.
pub(super) fn write_scripts(folder: &Folder, worker: &Path, plan: &PlanFile) -> Result<()> {
    let Settings {
        partition, account, ..
    } = &plan.settings;
    let worker = quoted(&worker.display().to_string());
    let own = quoted(&folder.path().display().to_string());
    let name = as_file_name(&plan.results.analysis_name);
    let mut common = String::new();
    for (option, value) in [("partition", partition), ("account", account)] {
        if let Some(value) = value {
            common += &format!("#SBATCH --{option}={value}\n");
        }
    }
    let threads = plan.threads;
    let shard = format!(
        "#!/bin/sh\n\
         # Computes one shard; `submit.sh` says which ones, and with how much memory and time.\n\
         #SBATCH --job-name={name}\n\
         #SBATCH --cpus-per-task={threads}\n\
         #SBATCH --output=logs/%A_%a.log\n\
         #SBATCH --open-mode=append\n\
         #SBATCH --requeue\n\
         #SBATCH --signal=B:TERM@{NOTICE_SECONDS}\n\
         {common}\
         exec {worker} shard {own} ${{1:+--among \"$1\"}}\n"
    );
    write_script(&folder.file(SHARD), &shard)?;
    if plan.settings.is_followed {
        return Ok(());
    }
    let memory = MERGE_BYTES + NUMBER_BYTES * plan.cost.numbers;
    let merge = format!(
        "#!/bin/sh\n\
         # Merges what the shards computed, or says what is missing.\n\
         #SBATCH --job-name={name}-merge\n\
         #SBATCH --cpus-per-task=1\n\
         #SBATCH --mem={}\n\
         #SBATCH --time=60\n\
         #SBATCH --output=logs/merge-%j.log\n\
         {common}\
         exec {worker} merge {own}\n",
        megabytes(memory)
    );
    write_script(&folder.file(MERGE), &merge)
}

/// The script that submits batches and, unless a server merges, a merge that begins once they have
/// ended.
pub(super) fn submit_script(folder: &Folder, plan: &PlanFile, batches: &[Batch]) -> Result<String> {
    let size = array_size();
    let own = quoted(&folder.path().display().to_string());
    let merges = !plan.settings.is_followed;
    let what = match merges {
        true => "shards and, after them, the merge",
        false => "shards; the server that follows them merges",
    };
    let mut text = format!("#!/bin/sh\n# Submits {what}.\nset -eu\ncd {own}\njobs=\n");
    for batch in batches.iter().flat_map(|batch| in_arrays(batch, size)) {
        let by_number = batch.shards.iter().all(|number| *number < size);
        let numbers = in_words(&batch.shards);
        let (array, among) = match by_number {
            true => (numbers, String::new()),
            false => (
                format!("0-{}", batch.shards.len().saturating_sub(1)),
                format!(" {numbers}"),
            ),
        };
        let submission = Submission::of(&batch, EngineArgument::Slurm, by_number);
        let line = serde_json::to_string(&submission)?;
        let line = quoted(&line.replacen(&format!("\"{JOB}\""), "\"%s\"", 1));
        let time = match &plan.settings.time {
            Some(time) => quoted(time),
            None => batch.minutes.to_string(),
        };
        text += &format!(
            "job=$(sbatch --parsable --array={array} --mem={} --time={time} {SHARD}{among})\n\
             job=${{job%%;*}}\n\
             printf {line}'\\n' \"$job\" >> {}\n\
             jobs=$jobs:$job\n\
             echo \"submitted: job $job\"\n",
            megabytes(batch.memory_bytes),
            submissions::FILE_NAME,
        );
    }
    if !merges {
        return Ok(text);
    }
    let after = if batches.is_empty() {
        ""
    } else {
        " --dependency=\"afterany$jobs\""
    };
    text += &format!(
        "merge=$(sbatch --parsable{after} {MERGE})\n\
         echo \"merge: job ${{merge%%;*}}, once they have ended\"\n"
    );
    Ok(text)
}

/// A batch in arrays of at most so many: numbers that are too large for an array go by place.
fn in_arrays(batch: &Batch, size: usize) -> Vec<Batch> {
    let (by_number, others): (Vec<usize>, Vec<usize>) =
        batch.shards.iter().partition(|number| **number < size);
    let arrays = std::iter::once(by_number.as_slice()).chain(others.chunks(size));
    let arrays = arrays.filter(|shards| !shards.is_empty());
    arrays
        .map(|shards| Batch {
            shards: shards.to_vec(),
            ..batch.clone()
        })
        .collect()
}

/// Memory as Slurm takes it, rounded up.
fn megabytes(bytes: u64) -> String {
    format!("{}M", bytes.div_ceil(1 << 20))
}

/// Numbers that an array may have, from 0 to one less.
fn array_size() -> usize {
    let config = said("scontrol", &["show", "config"]).unwrap_or_default();
    let mut lines = config.lines().filter_map(|line| line.split_once('='));
    let size = lines.find(|(name, _)| name.trim() == "MaxArraySize");
    let size = size.and_then(|(_, size)| size.trim().parse().ok());
    size.filter(|size| *size > 0).unwrap_or(ARRAY_SIZE)
}

/// What Slurm says of a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It is being computed.
    UnderWay,
    /// It waits for its turn.
    Waiting,
    /// It was killed for its memory.
    OutOfMemory,
    /// Its time was up.
    OutOfTime,
    /// Its machine failed.
    NodeFailed,
    /// Somebody cancelled it.
    Cancelled,
    /// It ended.
    Ended,
}

impl Said {
    /// Whether it is still Slurm's turn.
    pub(super) const fn is_at_work(self) -> bool {
        matches!(self, Self::UnderWay | Self::Waiting)
    }
}

/// What is known of the tasks of jobs, by job and number; nothing where nobody can be asked.
pub(super) type Tasks = BTreeMap<(String, usize), Said>;

/// Asks Slurm for the tasks of jobs: its queue, which forgets after minutes, and its accounting,
/// which many clusters do not have.
pub(super) fn tasks(submissions: &[Submission]) -> Tasks {
    if submissions.is_empty() {
        return Tasks::new();
    }
    let jobs = listed(submissions);
    let accounting = ["-n", "-P", "-X", "-o", "JobID,State", "-j", &jobs];
    let accounting = said("sacct", &accounting).unwrap_or_default();
    let mut tasks: Tasks = accounting.lines().filter_map(of_accounting).collect();
    tasks.extend(queue(submissions).unwrap_or_default());
    tasks
}

/// Asks Slurm's queue for the tasks of jobs; none where it does not answer.
pub(super) fn queue(submissions: &[Submission]) -> Option<Tasks> {
    if submissions.is_empty() {
        return Some(Tasks::new());
    }
    let jobs = listed(submissions);
    let arguments = ["-h", "-r", "-t", "all", "-o", "%F %K %T", "-j", &jobs];
    let output = Command::new(QUEUE).args(arguments).output().ok()?;
    let is_forgotten = String::from_utf8_lossy(&output.stderr).contains(FORGOTTEN);
    let text = String::from_utf8_lossy(&output.stdout);
    let answered = output.status.success() || is_forgotten;
    answered.then(|| text.lines().filter_map(of_queue).collect())
}

/// Cancels those of the jobs that wait or are under way.
///
/// # Errors
/// Where Slurm does not answer, or refuses.
pub(super) fn cancel(submissions: &[Submission]) -> Result<()> {
    let Some(tasks) = queue(submissions) else {
        let jobs = listed(submissions).replace(',', " ");
        bail!("Slurm does not answer, so its jobs go on; cancel them later: {CANCEL} {jobs}");
    };
    let at_work = tasks.iter().filter(|(_, said)| said.is_at_work());
    let jobs: BTreeSet<&str> = at_work.map(|((job, _), _)| job.as_str()).collect();
    if jobs.is_empty() {
        return Ok(());
    }
    // Quiet about what ended meanwhile.
    let output = Command::new(CANCEL).arg("--quiet").args(&jobs).output();
    let output = output.with_context(|| format!("cannot start {CANCEL}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{CANCEL} failed ({}): {}", output.status, said.trim_end());
    }
    Ok(())
}

/// Jobs as Slurm takes a list of them.
fn listed(submissions: &[Submission]) -> String {
    let jobs: Vec<&str> = submissions.iter().map(|it| it.job.as_str()).collect();
    jobs.join(",")
}

fn of_queue(line: &str) -> Option<((String, usize), Said)> {
    let mut words = line.split_whitespace();
    let (job, number, state) = (words.next()?, words.next()?, words.next()?);
    Some(((job.to_owned(), number.parse().ok()?), state_of(state)))
}

fn of_accounting(line: &str) -> Option<((String, usize), Said)> {
    let (task, state) = line.split_once('|')?;
    let (job, number) = task.split_once('_')?;
    Some(((job.to_owned(), number.parse().ok()?), state_of(state)))
}

fn state_of(word: &str) -> Said {
    // As in `CANCELLED by 1000`.
    match word.split_whitespace().next().unwrap_or_default() {
        "RUNNING" | "COMPLETING" | "CONFIGURING" | "STAGE_OUT" | "SIGNALING" => Said::UnderWay,
        "PENDING" | "REQUEUED" | "REQUEUE_HOLD" | "REQUEUE_FED" | "SUSPENDED" | "RESIZING" => {
            Said::Waiting
        }
        "OUT_OF_MEMORY" => Said::OutOfMemory,
        "TIMEOUT" | "DEADLINE" => Said::OutOfTime,
        "NODE_FAIL" | "BOOT_FAIL" => Said::NodeFailed,
        "CANCELLED" | "REVOKED" => Said::Cancelled,
        _ => Said::Ended,
    }
}

/// Whether a task's log says that it was killed for its memory: without cgroups the queue says
/// only that it failed.
pub(super) fn ran_out_of_memory(folder: &Folder, job: &str, task: usize) -> bool {
    let path = folder.logs().join(format!("{job}_{task}.log"));
    let text = fs::read(path).unwrap_or_default();
    let end = text
        .get(text.len().saturating_sub(LOG_BYTES)..)
        .unwrap_or_default();
    let end = String::from_utf8_lossy(end).to_lowercase();
    OUT_OF_MEMORY.iter().any(|words| end.contains(words))
}

/// What a program of Slurm's prints; none where there is no such program, or it fails.
fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(shards: &[usize]) -> Batch {
        Batch {
            shards: shards.to_vec(),
            memory_bytes: 1 << 30,
            minutes: 10,
        }
    }

    #[test]
    fn numbers_of_arrays_are_small() {
        let all: Vec<usize> = (0..2500).collect();
        let arrays = in_arrays(&batch(&all), 1001);
        let lengths: Vec<usize> = arrays.iter().map(|array| array.shards.len()).collect();
        assert_eq!(lengths, [1001, 1001, 498]);
        assert_eq!(arrays[1].shards[0], 1001);
        let some = in_arrays(&batch(&[3, 2000]), 1001);
        assert_eq!(some, [batch(&[3]), batch(&[2000])]);
    }

    #[test]
    fn what_queue_and_accounting_say() {
        let task = |number| ("7".to_owned(), number);
        assert_eq!(of_queue("7 3 RUNNING"), Some((task(3), Said::UnderWay)));
        assert_eq!(of_queue("7 N/A PENDING"), None, "no array");
        assert_eq!(
            of_accounting("7_4|CANCELLED by 0"),
            Some((task(4), Said::Cancelled))
        );
        assert_eq!(
            of_accounting("7_5|OUT_OF_MEMORY"),
            Some((task(5), Said::OutOfMemory))
        );
        assert_eq!(of_accounting("7_[0-9]|PENDING"), None);
    }

    #[test]
    fn memory_is_rounded_up() {
        assert_eq!(megabytes(1), "1M");
        assert_eq!(megabytes(1 << 20), "1M");
        assert_eq!(megabytes((1 << 20) + 1), "2M");
    }
}
