//! Pythons with packages of PyPI, for tests against what others wrote.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;
use crate::workspace::Workspace;

/// A Python with packages, in a virtual environment below the target folder, which is kept.
/// `requirements` are what pip is asked for, `check` a statement that fails where they are not
/// there.
pub(crate) fn with_packages(
    workspace: &Workspace,
    folder: &str,
    requirements: &[&str],
    check: &str,
) -> Result<PathBuf> {
    let folder = workspace.native_target.join(folder);
    let python = program(&folder);
    let is_there = || process::read(Command::new(&python).args(["-c", check])).is_ok();
    if is_there() {
        return Ok(python);
    }
    let named = requirements.join(" and ");
    println!("installing {named} from PyPI into {}", folder.display());
    let system = process::find_on_path(&["python3", "python"]).context("there is no Python")?;
    fs::create_dir_all(&folder)?;
    let mut make = Command::new(system);
    process::read(make.args(["-m", "venv"]).arg(&folder))
        .context("a virtual environment could not be made")?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet"]);
    process::read(install.args(requirements))
        .with_context(|| format!("{named} could not be had from PyPI"))?;
    Ok(python)
}

fn program(folder: &Path) -> PathBuf {
    if cfg!(windows) {
        folder.join("Scripts/python.exe")
    } else {
        folder.join("bin/python")
    }
}
