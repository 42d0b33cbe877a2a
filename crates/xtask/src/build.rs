//! `cargo xtask build`: the page and the native worker.

use std::process::Command;

use anyhow::{Context, Result};
use lexopt::prelude::*;

use crate::fingerprint;
use crate::process;
use crate::setup::PageTools;
use crate::split;
use crate::steps::{Outcome, Report};
use crate::workspace::Workspace;

/// What to do when the page cannot be built.
pub(crate) const ADVICE: &str = "run `cargo xtask setup`, then look at the first error above";

/// What the page is compiled for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Visitors: small and fast, however long the compiler takes.
    Release,
    /// Whoever works on it: compiled soon, larger and slower. Kernels are as fast as in a release.
    Development,
}

/// What makes a build quick, on top of the profile `web`.
const QUICK: &[(&str, &str)] = &[
    ("CARGO_PROFILE_WEB_LTO", "off"),
    ("CARGO_PROFILE_WEB_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_WEB_OPT_LEVEL", "1"),
    ("CARGO_INCREMENTAL", "1"),
];

/// `cargo xtask build [--quick]`.
pub(crate) fn run(workspace: &Workspace, mut arguments: lexopt::Parser) -> Result<()> {
    let mut purpose = Purpose::Release;
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("quick") => purpose = Purpose::Development,
            _ => return Err(argument.unexpected().into()),
        }
    }
    let mut report = Report::default();
    report.step("page", ADVICE, || page(workspace, purpose));
    if purpose == Purpose::Release {
        report.step("worker", "look at the first error above", || {
            worker(workspace)
        });
    }
    report.finish_quietly()
}

/// Builds the page into `dist/`.
pub(crate) fn page(workspace: &Workspace, purpose: Purpose) -> Result<Outcome> {
    let tools = PageTools::find_or_install(workspace)?;
    let mut command = Command::new(workspace.tools.join("bin/trunk"));
    command.args(["build", "--release", "--offline", "--skip-version-check"]);
    command.current_dir(&workspace.root);
    // trunk takes NO_COLOR for a boolean of its own and stops at NO_COLOR=1.
    command.env_remove("NO_COLOR");
    match purpose {
        Purpose::Release => {
            command.args(["--features", split::FEATURE]);
            tools.prepare(workspace, &mut command, &[split::LINKER_FLAGS])?;
        }
        Purpose::Development => {
            tools.prepare(workspace, &mut command, &[])?;
            // In a folder of its own, or each kind of build would undo the other's work.
            command.env("CARGO_TARGET_DIR", workspace.wasm_target().join("quick"));
            command.envs(QUICK.iter().copied());
        }
    }
    process::run(&mut command)?;
    if purpose == Purpose::Release {
        split::program(workspace)?;
    }
    fingerprint::rename(&workspace.dist())?;
    println!("{}", sizes(workspace)?);
    Ok(Outcome::Done)
}

/// Builds the native worker.
pub(crate) fn worker(workspace: &Workspace) -> Result<Outcome> {
    process::run(
        workspace
            .cargo()
            .args(["build", "--release", "--bin", "worker"]),
    )?;
    Ok(Outcome::Done)
}

/// The sizes of what a visitor downloads before the page works.
fn sizes(workspace: &Workspace) -> Result<String> {
    let dist = workspace.dist();
    let entries = std::fs::read_dir(&dist).with_context(|| dist.display().to_string())?;
    let mut parts = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "wasm")
        {
            parts.push(format!("{name} {} kB", entry.metadata()?.len() / 1000));
        }
    }
    parts.sort();
    Ok(parts.join(", "))
}
