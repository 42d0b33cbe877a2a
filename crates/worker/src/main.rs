//! `worker`: analyses of training runs from the command line.

mod analysis;
mod analyze;
mod arguments;
mod audit;
mod check;
mod compare;
mod confined;
mod console;
mod earlier_results;
mod environment;
mod executor;
mod find;
mod fleet;
mod hardware;
mod hub;
mod identity;
mod inspect;
mod journal;
mod lanes;
mod locked_file;
mod manual;
mod output;
mod parquet;
mod pico_labs;
mod place;
mod plot;
mod progress;
mod reference;
mod report;
mod results_file;
mod serve;
mod signals;
mod time;
mod wandb;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Everything was done.
    Done,
    /// The person stopped it; what is done is kept.
    Interrupted,
    /// Somebody asked it to end, and it wants to be started again; what is done is kept.
    PutOff,
}

/// Wrong usage or a wrong config, as opposed to a command that failed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Misuse(pub(crate) String);

const FAILED: u8 = 1;
const MISUSED: u8 = 2;
const INTERRUPTED: u8 = 130;
/// What schedulers take for a failure that another attempt may mend (`EX_TEMPFAIL`).
const PUT_OFF: u8 = 75;

fn main() -> ExitCode {
    // Before arguments are read: a token may be one of them.
    if wants_keys(std::env::args_os().skip(1)) {
        environment::load();
    }
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        Command::Analyze(arguments) => analyze::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Audit(arguments) => audit::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Submit(arguments) => fleet::submit(&arguments),
        Command::Shard(arguments) => fleet::shard(&arguments),
        Command::Status(arguments) => fleet::status(&arguments),
        Command::Merge(arguments) => fleet::merge(&arguments),
        Command::Plot(arguments) => plot::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Metrics(arguments) => reference::metrics(&arguments),
        Command::Components(arguments) => reference::components(&arguments),
        Command::Config(arguments) => reference::config(&arguments),
        Command::Completions(arguments) => manual::completions(&arguments),
        Command::Man(arguments) => manual::pages(&arguments),
    };
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Interrupted) => ExitCode::from(INTERRUPTED),
        Ok(Outcome::PutOff) => ExitCode::from(PUT_OFF),
        Err(error) => {
            console::say(&format!("error: {error:#}"));
            ExitCode::from(if is_misuse(&error) { MISUSED } else { FAILED })
        }
    }
}

/// Whether a command may ask somebody who wants a key; one that only prints its help does not.
fn wants_keys(mut arguments: impl Iterator<Item = OsString>) -> bool {
    let wanting = [
        "analyze", "inspect", "audit", "check", "serve", "submit", "shard", "merge",
    ];
    let command = arguments.next();
    let asks_for_help = |argument: OsString| argument == "--help" || argument == "-h";
    command.is_some_and(|command| wanting.iter().any(|name| command == *name))
        && !arguments.any(asks_for_help)
}

fn is_misuse(error: &anyhow::Error) -> bool {
    let misfit = error.downcast_ref::<analysis::Misfit>();
    error.is::<Misuse>() || misfit.is_some_and(|misfit| misfit.is_misuse)
}
