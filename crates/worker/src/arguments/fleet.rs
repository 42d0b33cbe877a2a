//! Arguments of `worker submit`, `worker shard` and `worker merge`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use super::{SourceArguments, parse_bytes};
use crate::fleet::{Numbers, parse_shards};

/// Arguments of `worker submit`.
#[derive(Debug, Args)]
pub(crate) struct SubmitArguments {
    /// The config file (YAML); `-` is the standard input.
    #[arg(value_name = "CONFIG")]
    pub(crate) config: PathBuf,
    #[command(flatten)]
    pub(crate) source: SourceArguments,
    /// Who starts the shards.
    #[arg(long, value_enum)]
    pub(crate) engine: EngineArgument,
    /// Into how many shards it is dealt. A shard should take minutes: starting one takes about a
    /// second.
    #[arg(long, value_name = "N", value_parser = parse_shards)]
    pub(crate) shards: usize,
    /// The folder to write, which every machine must see under the same path.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Threads of a shard.
    #[arg(long, value_name = "N", default_value = "4")]
    pub(crate) threads: NonZeroUsize,
    /// Memory of one machine, as in 64G: shards get fewer threads where their layers would not fit.
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub(crate) memory_limit: Option<u64>,
}

/// Who starts the shards of an analysis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EngineArgument {
    /// You: with a loop, or with any scheduler that numbers its processes.
    None,
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
