//! The native worker, as tests use it.

use std::path::PathBuf;

use anyhow::{Result, ensure};

use crate::process;
use crate::workspace::{PAGE, Workspace};

/// One of the worker's own tests.
const ITS_TEST: &str = "serve";

/// The worker's program, built if it is not current.
///
/// It is built along with a test of all crates: cargo gives dependencies the features that all of
/// what is built needs together, and with any other set of features most of them would be compiled
/// again.
pub(crate) fn program(workspace: &Workspace) -> Result<PathBuf> {
    let mut build = workspace.cargo();
    build.args(["test", "--quiet", "--no-run", "--workspace"]);
    build.args(["--exclude", PAGE, "--test", ITS_TEST]);
    process::run(&mut build)?;
    let program = workspace.native_target.join("debug/worker");
    ensure!(program.is_file(), "{}", program.display());
    Ok(program)
}
