//! The page against the command line: the same engine, so the same numbers.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::numbers::is_same;
use super::visit;
use super::{PageTest, Site, saving};
use crate::browser::Tab;
use crate::demo::{CONFIG, RUN};
use crate::process;
use crate::workspace::Workspace;

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
    let browser_seconds = seconds(&tab.words("[data-test=state-done]")?)?;
    let saved = saving::save(tab, folder.path(), "save-results", "demo.trainscope.json")?;
    let (native, time) = analyse(site.workspace, folder.path())?;
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
        "    {equal} of {} numbers are the same to the last bit; {browser_seconds} s in the page, {time:.2?} by the \
         command line: {:.1} times as long",
        found.len(),
        browser_seconds / time.as_secs_f64()
    );
    Ok(())
}

/// `Done in 1.4 s`, in seconds.
fn seconds(words: &str) -> Result<f64> {
    let number = words.split(' ').find_map(|word| word.parse().ok());
    number.with_context(|| format!("how long it took is not in: {words}"))
}

/// The results file of the command line for the demo's config, and how long it took.
fn analyse(workspace: &Workspace, folder: &Path) -> Result<(std::path::PathBuf, Duration)> {
    let worker = workspace.native_target().join("release/worker");
    if !worker.is_file() {
        crate::build::worker(workspace)?;
    }
    let mut command = std::process::Command::new(worker);
    command.args([
        "analyze",
        "--config",
        CONFIG,
        "--run-path",
        RUN,
        "--output-dir",
    ]);
    command.arg(folder).current_dir(&workspace.root);
    let start = Instant::now();
    process::run(&mut command)?;
    Ok((folder.join("demo/results.json"), start.elapsed()))
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
