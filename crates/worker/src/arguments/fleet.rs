//! Arguments of `worker submit`, `shard`, `status` and `merge`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};
use serde::{Deserialize, Serialize};

use super::{SourceArguments, parse_bytes};
use crate::fleet::{Numbers, Volume, parse_shards};

/// Threads of a shard unless somebody says otherwise.
pub(crate) const SHARD_THREADS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(3);

/// Arguments of `worker submit`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("from").args(["run", "run_path", "repo_id", "again"]).required(true))]
pub(crate) struct SubmitArguments {
    /// The config file (YAML); `-` is the standard input.
    #[arg(value_name = "CONFIG", required_unless_present = "again")]
    pub(crate) config: Option<PathBuf>,
    /// A run's folder, a folder of checkpoints, one checkpoint file, or OWNER/NAME or
    /// OWNER/NAME@REVISION of the Hugging Face Hub (what exists here as a path is one).
    #[arg(value_name = "RUN")]
    run: Option<PathBuf>,
    /// The run's folder, a folder of checkpoints, or one checkpoint file.
    #[arg(long, value_name = "DIR", alias = "run_path")]
    run_path: Option<PathBuf>,
    /// A model repository of the Hugging Face Hub, read as far as needed.
    #[arg(long, value_name = "OWNER/NAME", alias = "repo_id")]
    repo_id: Option<String>,
    /// Its branch, tag or commit, or a pattern of revisions, as `worker analyze` takes it.
    #[arg(long, value_name = "REVISION", requires = "repo_id")]
    branch: Option<String>,
    /// Who starts the shards.
    #[arg(long, value_enum, required_unless_present = "again")]
    pub(crate) engine: Option<EngineArgument>,
    /// Into how many shards it is dealt. A shard should take minutes: starting one takes about a
    /// second.
    #[arg(long, value_name = "N", value_parser = parse_shards, required_unless_present = "again")]
    pub(crate) shards: Option<usize>,
    /// The folder to write, which every machine must see under the same path.
    #[arg(long, value_name = "DIR", required_unless_present = "again")]
    pub(crate) out: Option<PathBuf>,
    /// Submit what is missing in this folder of `submit` again: with twice the memory, what ran out
    /// of it.
    #[arg(long, value_name = "DIR")]
    #[arg(conflicts_with_all = ["config", "branch", "engine", "shards", "out"])]
    pub(crate) again: Option<PathBuf>,
    /// Fetch what shards read of a repository to `fetched` in that folder first, for machines without
    /// a network; with --again, too.
    #[arg(long, conflicts_with = "run_path")]
    pub(crate) fetch: bool,
    /// Write everything, and submit nothing.
    #[arg(long)]
    pub(crate) no_submit: bool,
    /// Threads of a shard.
    #[arg(long, value_name = "N", default_value_t = SHARD_THREADS)]
    pub(crate) threads: NonZeroUsize,
    /// Memory of one machine, as in 64G: shards get fewer threads where their layers would not fit.
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub(crate) memory_limit: Option<u64>,
    #[command(flatten)]
    pub(crate) slurm: SlurmArguments,
    /// Kubernetes' image: any with glibc, because the program lies on the volume.
    #[arg(long, value_name = "IMAGE", default_value = "debian:stable-slim")]
    pub(crate) image: String,
    /// The claim of the volume that Kubernetes' pods share, and where it is mounted here.
    #[arg(long, value_name = "CLAIM:/FOLDER", value_parser = Volume::parse)]
    pub(crate) volume: Option<Volume>,
}

impl SubmitArguments {
    /// The run.
    pub(crate) fn source(&self) -> SourceArguments {
        SourceArguments {
            run: self.run.clone(),
            run_path: self.run_path.clone(),
            repo_id: self.repo_id.clone(),
            branch: self.branch.clone(),
        }
    }
}

/// What Slurm is asked for beside memory and processors.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub(crate) struct SlurmArguments {
    /// Slurm's limit of time, as sbatch takes it, instead of three times what is reckoned.
    #[arg(long, value_name = "TIME", value_parser = one_line)]
    pub(crate) time: Option<String>,
    /// Slurm's partition.
    #[arg(long, value_name = "NAME", value_parser = one_line)]
    pub(crate) partition: Option<String>,
    /// Whom Slurm charges.
    #[arg(long, value_name = "NAME", value_parser = one_line)]
    pub(crate) account: Option<String>,
}

/// What is written into a script as it is.
fn one_line(text: &str) -> Result<String, String> {
    match text.chars().any(|it| it.is_control() || it.is_whitespace()) || text.is_empty() {
        true => Err(format!("{text:?} has a blank in it, or is empty")),
        false => Ok(text.to_owned()),
    }
}

/// Who starts the shards of an analysis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EngineArgument {
    /// You: with a loop, or with any scheduler that numbers its processes.
    None,
    /// Slurm: an array of jobs, and a merge after it.
    Slurm,
    /// Kubernetes: an Indexed Job, as YAML.
    Kubernetes,
}

/// Who computes what a page asks `worker serve` for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ServeEngineArgument {
    /// This process.
    #[default]
    None,
    /// Slurm: every analysis is an array of jobs, which this process follows and merges.
    Slurm,
}

/// Arguments of `worker shard`.
#[derive(Debug, Args)]
pub(crate) struct ShardArguments {
    /// A folder of `worker submit`.
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Which shard, counted from 0. Unless given, the scheduler says it: HQ_TASK_ID,
    /// SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX, PBS_ARRAY_INDEX, or LSB_JOBINDEX, which counts
    /// from 1.
    #[arg(long, value_name = "I")]
    pub(crate) index: Option<usize>,
    /// Count among these shards only, as in 3,5-7: with them the first process computes shard 3.
    #[arg(long, value_name = "SHARDS", value_parser = Numbers::parse)]
    pub(crate) among: Option<Numbers>,
    /// Threads, instead of those that were submitted.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
}

/// Arguments of `worker status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// A folder of `worker submit`.
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `worker merge`.
#[derive(Debug, Args)]
pub(crate) struct MergeArguments {
    /// A folder of `worker submit`.
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Where results go, instead of `results` in that folder.
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output_dir: Option<PathBuf>,
    /// Replace the results of another analysis that are there.
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Say nothing but warnings and errors.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}
