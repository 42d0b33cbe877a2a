//! Whether pandas reads the tables of an analysis without being told how, and joins of two analyses
//! keep every row in pandas, polars and DuckDB.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::process;
use crate::python;
use crate::steps::{Outcome, run_tests};
use crate::worker;
use crate::workspace::Workspace;

/// What to do when the step fails.
pub(crate) const ADVICE: &str = "pandas reads the tables otherwise than they are meant: see \
    crates/worker/tests/csv_with_pandas.py, `Results::csv` and crates/worker/src/parquet.rs";

/// Analyses the bundled run twice and lets Python read what comes out.
pub(crate) fn step(workspace: &Workspace, only: &str) -> Result<Outcome> {
    let python = match python::with_packages(
        workspace,
        "tables",
        &["pandas", "pyarrow", "polars", "duckdb"],
        "import pandas, pyarrow, polars, duckdb",
    ) {
        Ok(python) => python,
        Err(error) => return Ok(Outcome::Skipped(format!("{error:#}"))),
    };
    let output = tempfile::tempdir()?;
    let other = tempfile::tempdir()?;
    analyse(workspace, output.path())?;
    analyse(workspace, other.path())?;
    let script = "crates/worker/tests/csv_with_pandas.py";
    let mut command = Command::new(python);
    command
        .arg(workspace.root.join(script))
        .env("RESULTS", output.path().join("demo"))
        .env("OTHER", other.path().join("demo"))
        .env(
            "GOLDEN",
            workspace
                .root
                .join("tests/data/pico-decoder-micro-1.expected.json"),
        );
    if !only.is_empty() {
        command.args(["-k", only]);
    }
    run_tests(&mut command)
}

fn analyse(workspace: &Workspace, output: &Path) -> Result<()> {
    let mut command = Command::new(worker::program(workspace)?);
    command.current_dir(&workspace.root);
    command.args(["analyze", "--config", "configs/demo.yaml"]);
    command.args(["--run-path", "tests/data/pico-decoder-micro-1"]);
    process::run(command.arg("--output-dir").arg(output))
}
