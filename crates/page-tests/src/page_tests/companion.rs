//! A native worker and the page: found, lost and found again, its runs and its analyses.

mod analyses;
mod connecting;
mod runs;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::native_worker::{NativeWorker, Options, Workers};
use super::visit;
use crate::browser::Tab;
use crate::given::CONFIG;
use crate::given::Given;

pub(super) use analyses::{TESTS as ANALYSES, show as show_analyses};
pub(super) use connecting::TESTS as CONNECTING;
pub(super) use runs::TESTS as RUNS;

/// How long an analysis of the bundled run may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long is waited between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// A worker that sees the bundled run.
pub(super) fn worker(workers: &Workers, options: Options) -> Result<NativeWorker> {
    let roots = vec![runs_folder(workers.given())];
    workers.start(Options { roots, ..options })
}

fn runs_folder(given: &Given) -> PathBuf {
    given.root.join("tests/data")
}

/// Has the worker compute the demo's config with another name, and waits for the end.
pub(super) fn analyse(given: &Given, worker: &NativeWorker, name: &str) -> Result<String> {
    let config = fs::read_to_string(given.root.join(CONFIG))?;
    let config = config.replace("analysis_name: demo", &format!("analysis_name: {name}"));
    ensure!(
        config.contains(name),
        "the demo's config names itself otherwise"
    );
    let id = ask_for(worker, &config)?;
    wait_for(worker, &id, &["done"])?;
    Ok(id)
}

/// Asks the worker for an analysis of the bundled run; gives its id.
pub(super) fn ask_for(worker: &NativeWorker, config: &str) -> Result<String> {
    let runs = worker.get("runs")?;
    let run = runs[0]["id"].as_str().context("the worker sees no run")?;
    let asked = json!({"source": {"root": run}, "config": config});
    let address = format!("{}api/analyses", worker.address());
    let mut answer = ureq::post(&address).send_json(asked)?;
    let info: Value = answer.body_mut().read_json()?;
    let id = info["id"].as_str();
    Ok(id.context("the analysis has no id")?.to_owned())
}

/// Has the worker begin with the config of a file, and stop when some of it is done; gives the id.
pub(super) fn stopped_analysis(worker: &NativeWorker, config: &Path) -> Result<String> {
    let id = ask_for(worker, &fs::read_to_string(config)?)?;
    wait_until(worker, &id, |info| info["units"].as_u64() > Some(3))?;
    worker.cancel_all()?;
    wait_for(worker, &id, &["cancelled"])?;
    Ok(id)
}

/// Waits until an analysis is in one of these phases.
pub(super) fn wait_for(worker: &NativeWorker, id: &str, phases: &[&str]) -> Result<()> {
    wait_until(worker, id, |info| {
        let phase = info["phase"].as_str().unwrap_or_default();
        phases.contains(&phase)
    })
}

fn wait_until(worker: &NativeWorker, id: &str, is_so: impl Fn(&Value) -> bool) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        let info = worker.get(&format!("analyses/{id}"))?;
        if is_so(&info) {
            return Ok(());
        }
        if Instant::now() > until || info["phase"] == "failed" {
            bail!("the analysis is not as it should be: {info}");
        }
        thread::sleep(LOOK);
    }
}

/// Opens the page and waits until it is connected.
pub(super) fn open_connected(tab: &Tab, address: &str) -> Result<()> {
    visit::open(tab, address)?;
    wait_until_connected(tab)
}

pub(super) fn wait_until_connected(tab: &Tab) -> Result<()> {
    tab.wait_for_words("[data-test=worker-menu]", "● worker")
}

/// Unfolds the worker's menu.
pub(super) fn unfold(tab: &Tab) -> Result<()> {
    tab.click("[data-test=worker-menu]")?;
    tab.wait_until_shown("[data-test=worker-sheet] h3")
}

/// Gives an address and a token in the menu, which is unfolded.
pub(super) fn connect(tab: &Tab, address: &str, token: &str) -> Result<()> {
    super::hub::enter(tab, "[data-test=worker-address]", address)?;
    if !token.is_empty() {
        super::hub::enter(tab, "[data-test=worker-token]", token)?;
    }
    tab.click("[data-test=worker-connect]")
}
