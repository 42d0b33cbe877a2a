//! Analyses that a tab is not the place for.

use std::path::Path;

use anyhow::{Result, ensure};

use super::slow_run::SlowRun;
use super::{SEND, configure, open_its_run, with_root};
use crate::browser::Tab;
use crate::page_tests::checkpoints::{self, Tensor};
use crate::page_tests::{PageTest, Site, visit};

pub(in crate::page_tests) const TESTS: &[PageTest] = page_tests![
    too_much_for_a_tab_says_how_to_start_a_worker,
    too_much_for_a_tab_is_proposed_to_the_worker,
    a_worker_without_the_memory_is_told_of_before,
];

pub(super) const ADVICE: &str = "[data-test=too-much]";

/// Rows and columns of a matrix that takes gigabytes.
const WIDTH: u64 = 12_000;

fn too_much_for_a_tab_says_how_to_start_a_worker(tab: &Tab, site: &Site) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("wide.safetensors");
    write_wide(&file)?;
    visit::open(tab, &site.page)?;
    tab.drop_files("main", &[&file])?;
    tab.wait_until_shown(ADVICE)?;
    let advice = tab.words(ADVICE)?;
    let origin = site.page.trim_end_matches('/');
    let command = format!("worker serve --allow-origin {origin} --root PATH/TO/RUNS");
    ensure!(
        advice.contains(&command) && advice.contains(" GB of memory"),
        "the advice is: {advice}"
    );
    ensure!(!tab.has(SEND)?, "there is no worker to run it on");
    Ok(())
}

fn too_much_for_a_tab_is_proposed_to_the_worker(tab: &Tab, site: &Site) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let run = folder.path().join("wide");
    std::fs::create_dir(&run)?;
    write_wide(&run.join("wide.safetensors"))?;
    let mut options = with_root(folder.path());
    options.threads = Some(2);
    options.arguments = vec!["--memory".to_owned(), "640G".to_owned()];
    let worker = site.workers.start(options)?;
    visit::open(tab, &worker.address())?;
    tab.click_when_shown("[data-test=worker-run]")?;
    tab.wait_until_shown(ADVICE)?;
    let advice = tab.words(ADVICE)?;
    ensure!(
        advice.contains(" GB of memory") && advice.contains("687.2 GB for analyses"),
        "the advice is: {advice}"
    );
    ensure!(
        tab.has(&format!("{SEND}.primary:enabled"))?,
        "it is not proposed"
    );
    ensure!(!tab.has("[data-test=run].primary")?, "two are proposed");
    // It would take gigabytes: the worker is to find that the run is gone.
    std::fs::remove_dir_all(&run)?;
    tab.press("Control+Enter")?;
    tab.wait_until_shown("[data-test=sending-failed]")?;
    tab.complaints().map(drop)
}

fn a_worker_without_the_memory_is_told_of_before(tab: &Tab, site: &Site) -> Result<()> {
    let run = SlowRun::write()?;
    let mut options = run.options();
    options.arguments = vec!["--memory".to_owned(), "1M".to_owned()];
    let worker = site.workers.start(options)?;
    open_its_run(tab, &worker.address(), run.name())?;
    configure(tab, &run.config())?;
    tab.wait_for_words("[data-test=too-much]", "1.0 MB of memory for analyses")?;
    tab.click("[data-test=run]")?;
    visit::wait_until_done(tab)?;
    tab.click(SEND)?;
    tab.wait_for_words("[data-test=sending-failed]", "of memory")?;
    tab.complaints()?;
    ensure!(
        tab.has("[data-test=state-done]")? && tab.has("[data-test=card]")?,
        "what was there is gone"
    );
    Ok(())
}

/// A model of two wide layers, most of whose bytes are not written.
pub(super) fn write_wide(path: &Path) -> Result<()> {
    let layer = |layer: u64| Tensor {
        name: format!("model.layers.{layer}.self_attn.o_proj.weight"),
        shape: vec![WIDTH, WIDTH],
        entries: None,
    };
    checkpoints::write(path, &[layer(0), layer(1)])
}
