//! `cargo xtask dist`: a worker that starts on machines older than this one, and a wheel with it.
//!
//! Clusters have a glibc of 2.28 or older, and a program that was linked with a newer one does not
//! start there. Zig links with the names of any glibc; what the program asks for is looked up then.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use lexopt::prelude::*;

use crate::process;
use crate::python;
use crate::steps::{Outcome, Report};
use crate::workspace::Workspace;

/// What to do when it cannot be built.
const ADVICE: &str =
    "needs Python with PyPI for cargo-zigbuild and ziglang, and objdump (binutils)";

/// The oldest glibc that the program starts with: that of CentOS 7, and of `manylinux2014`.
const GLIBC: (u32, u32) = (2, 17);

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// `cargo xtask dist [--profile NAME]`.
pub(crate) fn run(workspace: &Workspace, mut arguments: lexopt::Parser) -> Result<()> {
    let mut profile = "release".to_owned();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("profile") => profile = arguments.value()?.string()?,
            _ => return Err(argument.unexpected().into()),
        }
    }
    let mut report = Report::default();
    report.step("dist", ADVICE, || dist(workspace, &profile));
    report.finish()
}

fn dist(workspace: &Workspace, profile: &str) -> Result<Outcome> {
    let packages = ["cargo-zigbuild", "ziglang"];
    let python = python::with_packages(workspace, "zig", &packages, "import ziglang")?;
    let built = build(workspace, &python, profile)?;
    let needed = newest_glibc(&built)?;
    let (major, minor) = needed;
    ensure!(
        needed <= GLIBC,
        "{} asks for GLIBC_{major}.{minor}, newer than {}.{}",
        built.display(),
        GLIBC.0,
        GLIBC.1
    );
    let folder = workspace.native_target.join("dist");
    fs::create_dir_all(&folder)?;
    let program = folder.join("worker");
    fs::copy(&built, &program)?;
    say(&program, &format!("asks for GLIBC_{major}.{minor} at most"))?;
    let mut wheel = Command::new(&python);
    wheel.arg(workspace.root.join("crates/xtask/src/dist/wheel.py"));
    wheel.arg(&program).arg(&folder);
    let wheel = folder.join(process::read(&mut wheel)?.trim());
    say(&wheel, "pip install it anywhere")?;
    check_wheel(workspace, &wheel)?;
    Ok(Outcome::Done)
}

/// Builds the worker with zig as its linker.
fn build(workspace: &Workspace, python: &Path, profile: &str) -> Result<PathBuf> {
    let mut build = workspace.cargo();
    let target = workspace.native_target.join("zig-build");
    build
        .args(["zigbuild", "--profile", profile])
        .args(["--target", &format!("{TARGET}.{}.{}", GLIBC.0, GLIBC.1)])
        .args(["--package", "ckptscope-worker", "--bin", "worker"])
        .env("PATH", process::path_with(python)?)
        .env("CARGO_TARGET_DIR", &target)
        // Names of functions stay, for messages; lines of sources are most of the size.
        .env(
            format!("CARGO_PROFILE_{}_STRIP", profile.to_uppercase()),
            "debuginfo",
        );
    process::run(&mut build)?;
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(target.join(TARGET).join(folder).join("worker"))
}

/// The newest version of glibc that a program asks for.
fn newest_glibc(program: &Path) -> Result<(u32, u32)> {
    let symbols = process::read(Command::new("objdump").arg("-T").arg(program))?;
    newest_of(&symbols).with_context(|| format!("{} asks for no glibc", program.display()))
}

/// The newest `GLIBC_2.17` of what objdump prints.
fn newest_of(symbols: &str) -> Option<(u32, u32)> {
    let versions = symbols.split("GLIBC_").skip(1).filter_map(|rest| {
        let end = rest.find(|it: char| !it.is_ascii_digit() && it != '.');
        let mut numbers = rest.get(..end.unwrap_or(rest.len()))?.split('.');
        let major: u32 = numbers.next()?.parse().ok()?;
        Some((major, numbers.next()?.parse().ok()?))
    });
    versions.max()
}

/// Installs the wheel into an environment of its own, without any index, and starts the worker.
fn check_wheel(workspace: &Workspace, wheel: &Path) -> Result<()> {
    let folder = workspace.native_target.join("dist/environment");
    let system = process::find_on_path(&["python3", "python"]).context("there is no Python")?;
    process::read(
        Command::new(system)
            .args(["-m", "venv", "--clear"])
            .arg(&folder),
    )?;
    let mut install = Command::new(folder.join("bin/python"));
    install.args(["-m", "pip", "install", "--quiet", "--no-index"]);
    process::read(install.arg(wheel))?;
    let installed = folder.join("bin/worker");
    let version = process::read(Command::new(&installed).arg("--version"))?;
    println!("pip installed {}: {}", installed.display(), version.trim());
    Ok(())
}

#[allow(clippy::cast_precision_loss)] // far below 2^53
fn say(path: &Path, words: &str) -> Result<()> {
    let megabytes = fs::metadata(path)?.len() as f64 / 1e6;
    let shown = path.strip_prefix(env::current_dir()?).unwrap_or(path);
    println!("{}: {megabytes:.1} MB, {words}", shown.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::newest_of;

    #[test]
    fn the_newest_version_counts() {
        let symbols = "0000 DF *UND* 0000 (GLIBC_2.9)  pipe2\n\
            0000 DF *UND* 0000 (GLIBC_2.17) clock\n\
            0000 DF *UND* 0000 (GLIBC_2.2.5) free\n";
        assert_eq!(newest_of(symbols), Some((2, 17)));
        assert_eq!(newest_of("no symbols\n"), None);
    }
}
