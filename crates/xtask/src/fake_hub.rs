//! `cargo xtask fake-hub`: a Hub on loopback with the small run, and the test that says it is
//! faithful.

use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use ckptscope_fake_hub::{FakeHub, Options, example};
use lexopt::prelude::*;

use crate::python;
use crate::steps::{Outcome, run_tests};
use crate::workspace::Workspace;

/// What to do when the step fails.
pub(crate) const ADVICE: &str = "the fake hub answers otherwise than the real one, or \
    huggingface_hub asks otherwise than before: mend crates/fake-hub";

const RUN: &str = "tests/data/pico-decoder-micro-1";

/// `cargo xtask fake-hub [--port N] [--file-host-port N] [--delay-ms N]`.
pub(crate) fn run(workspace: &Workspace, mut arguments: lexopt::Parser) -> Result<()> {
    let mut options = Options::default();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("port") => options.hub_port = arguments.value()?.parse()?,
            Long("file-host-port") => options.file_host_port = arguments.value()?.parse()?,
            Long("delay-ms") => {
                options.delay = Duration::from_millis(arguments.value()?.parse()?);
            }
            _ => return Err(argument.unexpected().into()),
        }
    }
    let hub = start(workspace, options)?;
    let (endpoint, branch) = (hub.endpoint(), example::PICO_BRANCH);
    println!("a hub at {endpoint}, its file host at {}", hub.file_host());
    println!(
        "\n    HF_ENDPOINT={endpoint} worker inspect {}@{branch}",
        example::PICO
    );
    for name in [example::REVISIONS, example::FOLDERS, example::GATED] {
        println!("    HF_ENDPOINT={endpoint} worker inspect {name}");
    }
    let (private, token) = (example::PRIVATE, example::TOKEN);
    println!("    HF_ENDPOINT={endpoint} HF_TOKEN={token} worker inspect {private}");
    println!("\n    cargo xtask demo --quick --hub {endpoint}");
    println!("\nCtrl-C ends it.");
    loop {
        thread::park();
    }
}

/// Runs Python's own client against the fake hub.
pub(crate) fn step(workspace: &Workspace, only: &str) -> Result<Outcome> {
    let (package, check) = ("huggingface_hub", "import huggingface_hub");
    let python = match python::with_packages(workspace, package, &[package], check) {
        Ok(python) => python,
        Err(error) => return Ok(Outcome::Skipped(format!("{error:#}"))),
    };
    let options = Options {
        page_entries: 100,
        ..Options::default()
    };
    let hub = start(workspace, options)?;
    let home = tempfile::tempdir()?;
    let mut command = Command::new(python);
    command
        .arg(
            workspace
                .root
                .join("crates/fake-hub/tests/python_client.py"),
        )
        .env("HF_ENDPOINT", hub.endpoint())
        .env("HF_HOME", home.path())
        .env("RUN", workspace.root.join(RUN))
        .env("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        .env_remove("HF_TOKEN");
    if !only.is_empty() {
        command.args(["-k", only]);
    }
    run_tests(&mut command)
}

/// A hub with the small run in every form.
pub(crate) fn start(workspace: &Workspace, options: Options) -> Result<FakeHub> {
    let folder = workspace.root.join(RUN);
    let repositories = example::examples(&folder).with_context(|| folder.display().to_string())?;
    FakeHub::start_with(repositories, options).context("cannot listen on 127.0.0.1")
}
