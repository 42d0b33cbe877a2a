//! The test that says that the fake hub is faithful.

use std::process::Command;

use anyhow::Result;

use crate::demo::RUN;
use crate::fake::Fake;
use crate::process;
use crate::python;
use crate::steps::{Outcome, run_tests};
use crate::workspace::Workspace;

/// What to do when the step fails.
pub(crate) const ADVICE: &str = "the fake hub answers otherwise than the real one, or \
    huggingface_hub asks otherwise than before: mend crates/fake-hub";

/// `cargo xtask fake-hub [--port N] [--file-host-port N] [--delay-ms N]`.
pub(crate) fn run(workspace: &Workspace, mut arguments: lexopt::Parser) -> Result<()> {
    let program = process::built(workspace, "fake-hub")?;
    process::run(Command::new(program).args(arguments.raw_args()?))
}

/// Runs Python's own client against the fake hub.
pub(crate) fn step(workspace: &Workspace, only: &str) -> Result<Outcome> {
    let (package, check) = ("huggingface_hub", "import huggingface_hub");
    let python = match python::with_packages(workspace, package, &[package], check) {
        Ok(python) => python,
        Err(error) => return Ok(Outcome::Skipped(format!("{error:#}"))),
    };
    let hub = Fake::start(workspace, "fake-hub", &["--page-entries", "100"])?;
    let home = tempfile::tempdir()?;
    let mut command = Command::new(python);
    command
        .arg(
            workspace
                .root
                .join("crates/fake-hub/tests/python_client.py"),
        )
        .envs(hub.environment.iter().cloned())
        .env("HF_HOME", home.path())
        .env("RUN", workspace.root.join(RUN))
        .env("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        .env_remove("HF_TOKEN");
    if !only.is_empty() {
        command.args(["-k", only]);
    }
    run_tests(&mut command)
}
