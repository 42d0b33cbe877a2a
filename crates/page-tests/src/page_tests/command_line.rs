//! The page against the command line: the same engine, so the same numbers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use ckptscope_results::{Results, SeriesId, SeriesPoint};

use super::numbers::is_same;
use super::visit;
use super::{PageTest, Site, saving};
use crate::browser::Tab;
use crate::given::Given;
use crate::given::{CONFIG, RUN};
use crate::process;

pub(super) const TESTS: &[PageTest] = page_tests![the_page_computes_what_the_command_line_computes];

/// Relative difference that is allowed: the two are compiled for different processors.
const RELATIVE: f64 = 1e-9;

/// The same where the status says that a value is good to three digits.
const RELATIVE_LEFT_OPEN: f64 = 1e-2;

fn the_page_computes_what_the_command_line_computes(tab: &Tab, site: &Site) -> Result<()> {
    let folder = tempfile::tempdir()?;
    tab.download_to(folder.path())?;
    visit::finish_demo(tab, &site.page)?;
    let saved = saving::save(tab, folder.path(), "save-results", "demo.ckptscope.json")?;
    let native = analyse(
        site.given,
        &site.given.root.join(CONFIG),
        &site.given.root.join(RUN),
        folder.path(),
    )?;
    let equal = same_results(&results(&saved)?, &results(&native)?)?;
    println!("    {equal} numbers are the same to the last bit");
    Ok(())
}

/// Compares all numbers, and says how many are the same to the last bit.
pub(super) fn same_results(found: &Results, wanted: &Results) -> Result<usize> {
    let (all, expected) = (found.series.numbers(), wanted.series.numbers());
    ensure!(all == expected, "{all} numbers of {expected}");
    let mut equal = 0;
    for (found, wanted) in found.rows().zip(wanted.rows()) {
        equal += usize::from(found == wanted);
        is_same_number(found, wanted)?;
    }
    Ok(equal)
}

/// The results file of the command line.
pub(super) fn analyse(given: &Given, config: &Path, run: &Path, folder: &Path) -> Result<PathBuf> {
    let mut command = Command::new(&given.worker);
    command.arg("analyze").arg("--config").arg(config);
    command.arg("--run-path").arg(run);
    command.arg("--output-dir").arg(folder.join("native"));
    process::run(command.current_dir(&given.root))?;
    let mut folders = fs::read_dir(folder.join("native"))?;
    let analysis = folders.next().context("no folder of results")??;
    Ok(analysis.path().join("results.json"))
}

pub(super) fn results(path: &Path) -> Result<Results> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Ok(Results::parse(&text)?)
}

/// A number, and what it is of.
type Row<'a> = (&'a SeriesId, SeriesPoint<'a>);

fn is_same_number(found: Row<'_>, wanted: Row<'_>) -> Result<()> {
    let place = |(id, point): Row<'_>| (id.clone(), point.step);
    ensure!(place(found) == place(wanted), "{found:?} for {wanted:?}");
    let (found, wanted) = (found.1, wanted.1);
    let is_left_open = found
        .status
        .is_some_and(|status| status.text.contains("good to 3 digits"));
    let allowed = if is_left_open {
        RELATIVE_LEFT_OPEN
    } else {
        RELATIVE
    };
    let is_close = is_same(found.number(), wanted.number(), allowed);
    ensure!(is_close, "{found:?} for {wanted:?}");
    Ok(())
}
