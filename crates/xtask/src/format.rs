//! `cargo xtask fmt`: every Rust file as rustfmt writes it, those too that a `registry!` declares
//! and `cargo fmt` does not find.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::steps::Outcome;
use crate::tidy;
use crate::workspace::Workspace;

const EDITION: &str = "2024";

/// `cargo xtask fmt`.
pub(crate) fn run(workspace: &Workspace, mut arguments: lexopt::Parser) -> Result<()> {
    if let Some(argument) = arguments.next()? {
        return Err(argument.unexpected().into());
    }
    succeed(&mut rustfmt(workspace)?)
}

/// Whether every file is so.
pub(crate) fn step(workspace: &Workspace) -> Result<Outcome> {
    succeed(rustfmt(workspace)?.arg("--check"))?;
    Ok(Outcome::Done)
}

/// Runs it; its own words say enough, and its command line is a page long.
fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().context("rustfmt could not be started")?;
    ensure!(status.success(), "rustfmt ended with {status}");
    Ok(())
}

fn rustfmt(workspace: &Workspace) -> Result<Command> {
    let mut files = tidy::tracked_files(workspace)?;
    files.retain(|path| path.extension().is_some_and(|ending| ending == "rs"));
    let mut command = Command::new("rustfmt");
    command.current_dir(&workspace.root);
    command.args(["--quiet", "--edition", EDITION]).args(files);
    Ok(command)
}
