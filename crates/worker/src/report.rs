//! `worker report`: results to an HTML file.

use std::path::Path;

use anyhow::Result;
use ckptscope_report::{Provenance, html};
use ckptscope_results::Results;

use crate::arguments::ReportArguments;
use crate::{Outcome, console, output, results_file};

/// The report's name in an analysis' folder.
pub(crate) const FILE_NAME: &str = "report.html";

/// Runs the command.
pub(crate) fn run(arguments: &ReportArguments) -> Result<Outcome> {
    let (results, text) = results_file::read_with_text(&arguments.results)?;
    let provenance = Provenance {
        results_file: Some(text.into_bytes()),
        ..Provenance::default()
    };
    let report = html(&results, &provenance)?;
    output::write_or_print(&arguments.out, report.as_bytes(), false)?;
    console::say(&output::shown(&arguments.out));
    Ok(Outcome::Done)
}

/// Writes the report of results that were computed. It knows no time, so that the same results
/// give the same bytes.
pub(crate) fn write(results: &Results, path: &Path) -> Result<()> {
    let report = html(results, &Provenance::default())?;
    output::write(path, report.as_bytes())
}
