//! The command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Shows how language models develop: metrics of their parts over the steps of a training run.
#[derive(Debug, Parser)]
#[command(name = "worker", version, about, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Compute the metrics of a config over the steps of a run.
    Analyze(AnalyzeArguments),
    /// Show what a run or a checkpoint file holds, reading directories only.
    Inspect(InspectArguments),
    /// List the metrics with their parameters.
    Metrics(ReferenceArguments),
    /// List the components with their parameters.
    Components(ReferenceArguments),
    /// List the keys of a config.
    Config(ReferenceArguments),
}

/// Arguments of `worker metrics`, `worker components` and `worker config`.
#[derive(Debug, Args)]
pub(crate) struct ReferenceArguments {
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `worker analyze`.
#[derive(Debug, Args)]
pub(crate) struct AnalyzeArguments {
    /// The config file (YAML).
    #[arg(long, value_name = "FILE", alias = "config_path")]
    pub(crate) config: PathBuf,
    #[command(flatten)]
    pub(crate) source: SourceArguments,
    /// Where results go, instead of the config's `monitoring.output_dir`.
    #[arg(long, value_name = "DIR", alias = "output_dir")]
    pub(crate) output_dir: Option<PathBuf>,
    /// Threads; as many as the machine has cores unless given.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
    /// Go on where an interrupted analysis of the same config and run stopped.
    #[arg(long)]
    pub(crate) resume: bool,
}

/// The run to analyze: a folder, or a repository.
#[derive(Debug, Args)]
pub(crate) struct SourceArguments {
    /// The run's folder, a folder of checkpoints, or one checkpoint file.
    #[arg(
        long,
        value_name = "DIR",
        alias = "run_path",
        alias = "checkpoint_dir",
        required_unless_present = "repo_id",
        conflicts_with = "repo_id"
    )]
    pub(crate) run_path: Option<PathBuf>,
    /// A model repository of the Hugging Face Hub, read as far as needed.
    #[arg(long, value_name = "OWNER/NAME", alias = "repo_id")]
    pub(crate) repo_id: Option<String>,
    /// Its branch, tag or commit; or a pattern of revisions that are steps, where {N} stands for
    /// the step and * for anything. Without it, all revisions named by step, else `main`.
    #[arg(
        long,
        value_name = "REVISION",
        requires = "repo_id",
        conflicts_with = "run_path"
    )]
    pub(crate) branch: Option<String>,
}

/// Arguments of `worker inspect`.
#[derive(Debug, Args)]
pub(crate) struct InspectArguments {
    /// A run's folder, a folder of checkpoints, one checkpoint file, or OWNER/NAME or
    /// OWNER/NAME@REVISION of the Hugging Face Hub (what exists here as a path is one).
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    /// Print JSON instead of tables.
    #[arg(long)]
    pub(crate) json: bool,
}
