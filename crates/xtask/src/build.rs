//! `cargo xtask build`: the page and the native worker.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use lexopt::prelude::*;

use crate::process;
use crate::setup::{PageTools, wasm};
use crate::steps::{Outcome, Report};
use crate::workspace::Workspace;

/// What to do when the page cannot be built.
pub(crate) const ADVICE: &str = "run `cargo xtask setup`, then look at the first error above";

/// What to do when a program for this machine cannot be built.
pub(crate) const NATIVE_ADVICE: &str = "look at the first error above";

/// What the page is compiled for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Visitors: small and fast, however long the compiler takes.
    Release,
    /// Whoever works on it: compiled soon, larger and slower. Kernels are as fast as in a release.
    Development,
}

/// Cuts the page that trunk built into parts, and puts hashes into the names of its files.
const PAGE_BUILD: &str = "ckptscope-page-build";

/// The feature that marks where the program is cut into parts, and what the linker must keep for it:
/// where the program mentions its own functions and data.
const IN_PARTS: (&str, &str) = ("split", "-Clink-args=--emit-relocs");

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
        report.step("worker", NATIVE_ADVICE, || worker(workspace));
    }
    report.finish()
}

/// Builds the page into `dist/`: by trunk, and by what is done to the page afterwards.
pub(crate) fn page(workspace: &Workspace, purpose: Purpose) -> Result<Outcome> {
    let tools = PageTools::find_or_install(workspace)?;
    run_trunk(workspace, purpose, &tools)?;
    let mut command = Command::new(page_build(workspace)?);
    command.arg(workspace.dist());
    if purpose == Purpose::Release {
        let program = workspace.wasm_target().join(wasm::TARGET);
        command.arg(program.join("web/app.wasm"));
        command.arg(&tools.bindgen);
    }
    process::run(&mut command)?;
    println!("{}", sizes(workspace)?);
    Ok(Outcome::Done)
}

fn run_trunk(workspace: &Workspace, purpose: Purpose, tools: &PageTools) -> Result<()> {
    let mut command = Command::new(&tools.trunk);
    command.args(["build", "--offline", "--skip-version-check"]);
    command.current_dir(&workspace.root);
    command.env("PATH", process::path_with(&tools.bindgen)?);
    // trunk takes NO_COLOR for a boolean of its own and stops at NO_COLOR=1.
    command.env_remove("NO_COLOR");
    match purpose {
        Purpose::Release => {
            command.args(["--features", IN_PARTS.0]);
            tools
                .compiler
                .prepare(workspace, &mut command, &[IN_PARTS.1]);
        }
        Purpose::Development => {
            tools.compiler.prepare(workspace, &mut command, &[]);
            // In a folder of its own, or each kind of build would undo the other's work.
            command.env("CARGO_TARGET_DIR", workspace.wasm_target().join("quick"));
            command.envs(QUICK.iter().copied());
        }
    }
    process::run(&mut command)
}

/// Builds what is run when trunk has built the page.
pub(crate) fn page_build(workspace: &Workspace) -> Result<PathBuf> {
    process::built(workspace, PAGE_BUILD)
}

/// Builds the native worker, for people to use.
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
