//! `cargo xtask build`: the page and the native worker.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use lexopt::prelude::*;

use crate::process;
use crate::setup::{PageTools, wasm};
use crate::steps::{Outcome, Report};
use crate::workspace::{PAGE, Workspace};

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

/// Makes the page's files of the compiled program.
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

/// Builds the page into `dist/`.
pub(crate) fn page(workspace: &Workspace, purpose: Purpose) -> Result<Outcome> {
    let program = compile(workspace, purpose)?;
    assemble(workspace, purpose, &program)
}

/// Compiles the page's program; where it is.
pub(crate) fn compile(workspace: &Workspace, purpose: Purpose) -> Result<PathBuf> {
    let tools = PageTools::find_or_install(workspace)?;
    let mut command = workspace.cargo();
    command.args(["build", "--package", PAGE, "--bin", "app"]);
    command.args(["--profile", "web", "--target", wasm::TARGET]);
    let mut target = workspace.wasm_target();
    match purpose {
        Purpose::Release => {
            command.args(["--features", IN_PARTS.0]);
            tools.prepare(workspace, &mut command, &[IN_PARTS.1]);
        }
        Purpose::Development => {
            tools.prepare(workspace, &mut command, &[]);
            // In a folder of its own, or each kind of build would undo the other's work.
            target.push("quick");
            command.env("CARGO_TARGET_DIR", &target);
            command.envs(QUICK.iter().copied());
        }
    }
    process::run(&mut command)?;
    Ok(target.join(wasm::TARGET).join("web/app.wasm"))
}

/// Makes the files in `dist/` of the compiled program.
pub(crate) fn assemble(workspace: &Workspace, purpose: Purpose, program: &Path) -> Result<Outcome> {
    let mut command = Command::new(page_build(workspace)?);
    command.arg(&workspace.root).arg(program);
    command.arg(workspace.dist());
    if purpose == Purpose::Release {
        command.arg("--in-parts");
    }
    process::run(&mut command)?;
    println!("{}", sizes(workspace)?);
    Ok(Outcome::Done)
}

/// Builds what makes the page's files.
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
