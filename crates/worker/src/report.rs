//! `worker report`: results to an HTML file.

use std::path::Path;

use anyhow::Result;
use trainscope_analysis::results::Results;
use trainscope_report::{Provenance, html};

use crate::arguments::ReportArguments;
use crate::{Outcome, console, output, results_file};

/// The report's name in an analysis' folder.
pub(crate) const FILE_NAME: &str = "report.html";

/// Runs the command.
pub(crate) fn run(arguments: &ReportArguments) -> Result<Outcome> {
    let results = results_file::read(&arguments.results)?;
    write(&results, &arguments.out)?;
    console::say(&arguments.out.display().to_string());
    Ok(Outcome::Done)
}

/// Writes the report of some results. It knows no time, so that the same results give the same
/// bytes.
pub(crate) fn write(results: &Results, path: &Path) -> Result<()> {
    let report = html(results, &Provenance::default())?;
    output::write(path, report.as_bytes())
}
