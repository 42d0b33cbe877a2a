//! What is done with the built page by the program in `crates/page-tests`.

use std::process::Command;

use anyhow::Result;

use crate::process;
use crate::setup::{Chromium, firefox};
use crate::steps::{Outcome, run_tests};
use crate::worker;
use crate::workspace::Workspace;

/// What to do when a page test fails.
pub(crate) const ADVICE: &str =
    "`cargo xtask demo` serves the page; open it and its console, and do what the test says";

/// Tests the page that is in `dist/`, by the tests whose names have `only` in them.
pub(crate) fn step(workspace: &Workspace, only: &str) -> Result<Outcome> {
    run_tests(with_browser(workspace)?.args(["browser", only]))
}

/// Takes the main path through the page in Firefox, where that can be had.
pub(crate) fn in_firefox(workspace: &Workspace, only: &str) -> Result<Outcome> {
    match firefox::find_or_install() {
        Ok(firefox) => {
            let mut command = with_browser(workspace)?;
            run_tests(command.env("FIREFOX", firefox).args(["firefox", only]))
        }
        Err(error) => Ok(Outcome::Skipped(format!("{error:#}"))),
    }
}

/// `cargo xtask screenshots [--window] [--forced] [--print] [STATE]...`.
pub(crate) fn screenshots(workspace: &Workspace, mut arguments: lexopt::Parser) -> Result<()> {
    let mut command = with_browser(workspace)?;
    process::run(command.arg("screenshots").args(arguments.raw_args()?))
}

/// Prints what a visitor downloads, and refuses what is above the limits.
pub(crate) fn check_first_load(workspace: &Workspace) -> Result<()> {
    process::run(program(workspace)?.arg("first-load"))
}

fn with_browser(workspace: &Workspace) -> Result<Command> {
    let chromium = Chromium::find_or_install()?;
    let mut command = program(workspace)?;
    command
        .env("CHROME", chromium.browser)
        .env("CHROMEDRIVER", chromium.driver)
        .env("CKPTSCOPE_WORKER", worker::program(workspace)?);
    Ok(command)
}

fn program(workspace: &Workspace) -> Result<Command> {
    let program = process::built(workspace, "ckptscope-page-tests")?;
    Ok(Command::new(program))
}
