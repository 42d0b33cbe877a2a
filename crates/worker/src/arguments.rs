//! The command line.

mod fleet;
mod results;

use std::net::SocketAddr;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand};

use crate::fleet::parse_shards;
use crate::identity::VERSION;

pub(crate) use fleet::{
    EngineArgument, MergeArguments, SHARD_THREADS, ServeEngineArgument, ShardArguments,
    SlurmArguments, StatusArguments, SubmitArguments,
};

pub(crate) use results::{
    ByArgument, FormatArgument, PlotArguments, ReportArguments, ScaleArgument, ThemeArgument,
};

/// Shows how language models develop: metrics of their parts over the steps of a training run.
#[derive(Debug, Parser)]
#[command(name = "worker", version = VERSION, about)]
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
    /// Look for what is odd about a run's checkpoints: steps with the same weights, steps without,
    /// tensors that come and go. Only ids and directories are read.
    Audit(AuditArguments),
    /// Say whether a config fits a run and what it would cost, without computing anything.
    Check(CheckArguments),
    /// Put the results of several analyses side by side.
    Compare(CompareArguments),
    /// Serve the page, and run what it asks for: analyses of runs on this machine and on the Hub.
    Serve(ServeArguments),
    /// Deal an analysis to many machines: plan it once, and write a folder of shards that a
    /// cluster's own scheduler, or a loop, computes.
    Submit(SubmitArguments),
    /// Compute one shard of a folder of `submit`.
    #[command(after_help = SHARD_EXIT)]
    Shard(ShardArguments),
    /// Say what became of the shards of a folder of `submit`.
    Status(StatusArguments),
    /// Write the results of a folder of `submit`, once all shards are computed.
    Merge(MergeArguments),
    /// Draw figures of results, for a paper.
    Plot(PlotArguments),
    /// Write the report of results: one HTML file with tables and charts.
    Report(ReportArguments),
    /// List the metrics with their parameters.
    Metrics(ReferenceArguments),
    /// List the components with their parameters.
    Components(ReferenceArguments),
    /// List the keys of a config.
    Config(ReferenceArguments),
    /// Print what a shell needs to complete this program's arguments.
    Completions(CompletionsArguments),
    /// Write the manual pages.
    Man(ManArguments),
}

/// Arguments of `worker completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell.
    #[arg(value_enum, value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

/// Arguments of `worker man`.
#[derive(Debug, Args)]
pub(crate) struct ManArguments {
    /// The folder to write them to: worker.1, and a page for each command.
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
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
    /// The config file (YAML); `-` is the standard input. Without one, a first analysis is proposed
    /// of what the run has: its config is printed, and written beside the results.
    #[arg(short, long, value_name = "FILE", alias = "config_path")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) source: SourceArguments,
    /// About how long a proposed analysis may take on an ordinary machine: where all steps and
    /// layers take longer, it is of fewer.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = parse_seconds)]
    #[arg(conflicts_with = "config")]
    pub(crate) budget: f64,
    /// Where results go, instead of the config's `monitoring.output_dir`.
    #[arg(short, long, value_name = "DIR", aliases = ["output_dir", "out"])]
    pub(crate) output_dir: Option<PathBuf>,
    /// Threads; as many as the machine has cores unless given.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
    /// Go on where an interrupted analysis of the same config and run stopped; one that is done,
    /// of files that have not changed since, stays as it is.
    #[arg(long)]
    pub(crate) resume: bool,
    /// Throw an unfinished analysis away that is in the folder of results.
    #[arg(long, conflicts_with = "resume")]
    pub(crate) restart: bool,
    /// Replace the results of another config or another run that are in the folder.
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Say nothing but warnings and errors.
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Print what came of it as JSON, and not the folder of results alone.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `worker check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// The config file (YAML); `-` is the standard input.
    #[arg(value_name = "CONFIG")]
    pub(crate) config: PathBuf,
    /// A run's folder, a folder of checkpoints, one checkpoint file, or OWNER/NAME or
    /// OWNER/NAME@REVISION of the Hugging Face Hub (what exists here as a path is one).
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// Threads to reckon the time with; as many as the machine has cores unless given.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The run to analyze: a folder, or a repository.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("place").args(["run", "run_path", "repo_id"]).required(true))]
pub(crate) struct SourceArguments {
    /// A run's folder, a folder of checkpoints, one checkpoint file, or OWNER/NAME or
    /// OWNER/NAME@REVISION of the Hugging Face Hub (what exists here as a path is one).
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<PathBuf>,
    /// The run's folder, a folder of checkpoints, or one checkpoint file.
    #[arg(long, value_name = "DIR", alias = "run_path", alias = "checkpoint_dir")]
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

/// Arguments of `worker compare`.
#[derive(Debug, Args)]
pub(crate) struct CompareArguments {
    /// Two or more analyses, each as its folder, its results.json or a *.ckptscope.json.
    /// Differences are those of the last to the first.
    #[arg(value_name = "RESULTS", required = true, num_args = 2..)]
    pub(crate) results: Vec<PathBuf>,
    /// What to call an analysis, in their order; once for each, or not at all.
    #[arg(long = "name", value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Where compare.csv and the merged results.json go.
    #[arg(short, long, value_name = "DIR", default_value = "comparison")]
    pub(crate) out: PathBuf,
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

/// Arguments of `worker audit`.
#[derive(Debug, Args)]
#[command(after_help = AUDIT_EXIT)]
pub(crate) struct AuditArguments {
    /// A run's folder, a folder of checkpoints, or OWNER/NAME or OWNER/NAME@REVISION of the Hugging
    /// Face Hub (what exists here as a path is one).
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// How `worker shard` ends.
const SHARD_EXIT: &str = "Exit code: 0 where the shard is computed, 75 where somebody asked it to \
    end (start it again), 1 where it failed, 2 where another attempt would not help.";

/// How `worker audit` ends.
const AUDIT_EXIT: &str = "Exit code: 0 where nothing is odd, 1 where something is or the run \
    cannot be read, 2 for wrong usage.";

/// The variable with what whoever asks `worker serve` must know.
pub(crate) const TOKEN_VARIABLE: &str = "CKPTSCOPE_TOKEN";

/// Arguments of `worker serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// Where to listen; port 0 takes a free one. Beyond this machine (not 127.0.0.1 or ::1) only
    /// with a token.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8790")]
    pub(crate) addr: SocketAddr,
    /// Where analyses and uploads are kept, instead of the person's folder for data. With Slurm
    /// every node must see it under the same path, as it must see the roots.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// A folder whose runs the page may analyze; may be given several times. Nothing outside of
    /// these folders and the data folder is read.
    #[arg(long = "root", value_name = "DIR")]
    pub(crate) roots: Vec<PathBuf>,
    /// What whoever asks must know. As a variable it does not show among the machine's processes.
    #[arg(long, env = TOKEN_VARIABLE, hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// Open the page in a browser.
    #[arg(long)]
    pub(crate) open: bool,
    /// A page elsewhere that may ask this server, as in `https://example.org`; may be given several
    /// times.
    #[arg(long = "allow-origin", value_name = "ORIGIN")]
    pub(crate) allowed_origins: Vec<String>,
    /// Another name of this server, as browsers are given it; may be given several times.
    #[arg(long = "allow-host", value_name = "HOST")]
    pub(crate) allowed_hosts: Vec<String>,
    /// Who computes what the page asks for.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) engine: ServeEngineArgument,
    /// Into how many shards Slurm gets an analysis; unless given, as many as take about five
    /// minutes each, and 64 at most.
    #[arg(long, value_name = "N", value_parser = parse_shards)]
    pub(crate) shards: Option<usize>,
    #[command(flatten)]
    pub(crate) slurm: SlurmArguments,
    /// Threads of one analysis; as many as the machine has cores unless given. With Slurm, threads
    /// of a shard; 4 unless given.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
    /// Analyses under way at the same time; the others wait. 1 unless given; 16 with Slurm, where
    /// they cost this machine little.
    #[arg(long, value_name = "N")]
    pub(crate) at_once: Option<NonZeroUsize>,
    /// Memory that one analysis may use, as in 8G; what the machine has unless given. With Slurm,
    /// memory of one node: shards get fewer threads where their layers would not fit.
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub(crate) memory: Option<u64>,
    /// The length of one upload, at most.
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes, default_value = "100G")]
    pub(crate) upload_limit: u64,
    /// Analyses that may wait; who asks for more is told to come later.
    #[arg(long, value_name = "N", default_value = "1000")]
    pub(crate) queue_length: usize,
    /// How long somebody who asks may hesitate in the middle of it.
    #[arg(long, value_name = "SECONDS", default_value = "30")]
    pub(crate) patience: NonZeroU64,
    /// The page's files are read from here, instead of those in the program: for working on the
    /// page.
    #[arg(long, value_name = "DIR")]
    pub(crate) page: Option<PathBuf>,
}

/// Seconds above 0.
fn parse_seconds(text: &str) -> Result<f64, String> {
    let wrong = || format!("{text:?} is no number of seconds above 0");
    let seconds: f64 = text.parse().map_err(|_| wrong())?;
    let is_time = seconds.is_finite() && seconds > 0.0;
    is_time.then_some(seconds).ok_or_else(wrong)
}

/// Bytes with a letter for powers of 1024: `500M`.
fn parse_bytes(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no number of bytes; give one as in 1000000, 500M or 8G");
    let digits = text.trim_end_matches(|last: char| last.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    let power = match text.get(digits.len()..).unwrap_or_default() {
        "" => 0,
        "K" | "k" => 1,
        "M" | "m" => 2,
        "G" | "g" => 3,
        "T" | "t" => 4,
        _ => return Err(wrong()),
    };
    number.checked_mul(1 << (10 * power)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::{parse_bytes, parse_seconds};

    #[test]
    fn a_budget_is_a_time() {
        assert_eq!(parse_seconds("0.5"), Ok(0.5));
        for wrong in ["", "0", "-1", "inf", "NaN", "10s"] {
            assert!(parse_seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn bytes_are_numbers_with_a_letter() {
        assert_eq!(parse_bytes("17"), Ok(17));
        assert_eq!(parse_bytes("2K"), Ok(2048));
        assert_eq!(parse_bytes("1G"), Ok(1 << 30));
        for wrong in ["", "G", "1X", "-1", "1.5G", "99999999999999T", "1é"] {
            assert!(parse_bytes(wrong).is_err(), "{wrong}");
        }
    }
}
