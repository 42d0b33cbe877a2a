//! The page against the command line: the same engine, so the same numbers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::numbers::is_same;
use super::visit;
use super::{PageTest, Site, saving};
use crate::browser::Tab;
use crate::given::Given;
use crate::given::{CONFIG, RUN};
use crate::process;

pub(super) const TESTS: &[PageTest] = &[PageTest {
    name: "the_page_computes_what_the_command_line_computes",
    run: same_numbers,
}];

/// Relative difference that is allowed: the two are compiled for different processors.
const RELATIVE: f64 = 1e-9;

/// The same where the status says that a value is good to three digits.
const RELATIVE_LEFT_OPEN: f64 = 1e-2;

fn same_numbers(tab: &Tab, site: &Site) -> Result<()> {
    let folder = tempfile::tempdir()?;
    tab.download_to(folder.path())?;
    visit::finish_demo(tab, &site.page)?;
    let saved = saving::save(tab, folder.path(), "save-results", "demo.ckptscope.json")?;
    let native = analyse(site.given, folder.path())?;
    let found = records(&saved)?;
    let wanted = records(&native)?;
    ensure!(
        found.len() == wanted.len(),
        "{} numbers of {}",
        found.len(),
        wanted.len()
    );
    let mut equal = 0;
    for (found, wanted) in found.iter().zip(&wanted) {
        equal += usize::from(found == wanted);
        is_same_record(found, wanted)?;
    }
    println!(
        "    {equal} of {} numbers are the same to the last bit",
        found.len()
    );
    Ok(())
}

/// The results file of the command line for the demo's config.
fn analyse(given: &Given, folder: &Path) -> Result<PathBuf> {
    let mut command = Command::new(&given.worker);
    command.args(["analyze", "--config", CONFIG, "--run-path", RUN]);
    command.arg("--output-dir").arg(folder);
    process::run(command.current_dir(&given.root))?;
    Ok(folder.join("demo/results.json"))
}

fn records(path: &Path) -> Result<Vec<Value>> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let results: Value = serde_json::from_str(&text)?;
    Ok(results["records"].as_array().context("no records")?.clone())
}

fn is_same_record(found: &Value, wanted: &Value) -> Result<()> {
    for field in ["label", "split", "step", "key", "data_type"] {
        ensure!(found[field] == wanted[field], "{found} for {wanted}");
    }
    let is_left_open = found["status"]
        .as_str()
        .is_some_and(|status| status.contains("good to 3 digits"));
    let allowed = if is_left_open {
        RELATIVE_LEFT_OPEN
    } else {
        RELATIVE
    };
    let is_close = is_same(found["value"].as_f64(), wanted["value"].as_f64(), allowed);
    ensure!(is_close, "{found} for {wanted}");
    Ok(())
}
