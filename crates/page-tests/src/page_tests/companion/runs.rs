//! Runs under a worker's folders, read by the page.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::Value;

use super::{open_connected, runs_folder, worker};
use crate::browser::Tab;
use crate::given::{CONFIG, RUN};
use crate::page_tests::hub::{agree, enter, says};
use crate::page_tests::native_worker::Options;
use crate::page_tests::{PageTest, Site, numbers, saving, visit};

pub(in crate::page_tests) const TESTS: &[PageTest] = page_tests![
    worker_a_run_of_its_is_computed_here_with_the_expected_numbers,
    worker_many_runs_are_searched_and_opened_from_the_menu,
    worker_without_runs_says_how_to_give_it_some,
];

fn worker_a_run_of_its_is_computed_here_with_the_expected_numbers(
    tab: &Tab,
    site: &Site,
) -> Result<()> {
    let token = Some("secret".to_owned());
    let worker = worker(
        &site.workers,
        Options {
            token,
            ..Options::default()
        },
    )?;
    open_connected(tab, &format!("{}#token=secret", worker.address()))?;
    let path = runs_folder(site.given);
    tab.wait_for_words("[data-test=worker-run]", &path.display().to_string())?;
    tab.click("[data-test=worker-run]")?;
    visit::wait_until_opened(tab)?;
    says(
        &tab.words("header .source")?,
        &["pico-decoder-micro-1", "15 steps", "3 layers"],
    )?;

    tab.click("[data-test=tab-explore]")?;
    tab.click_when_shown("[data-test=tensor-group]")?;
    tab.click_when_shown("[data-test=tensor]")?;
    tab.wait_until_shown("[data-test=tensor-spectrum] svg")?;
    says(&tab.words("[data-test=network]")?, &["request"])?;
    tab.click("[data-test=tab-ask]")?;
    tab.drop_files("main", &[&site.given.root.join(CONFIG)])?;
    let is_there =
        "document.querySelector('[data-test=yaml]')?.value.includes('analysis_name: demo')";
    tab.wait_for("the config", is_there)?;
    tab.click("[data-test=tab-ask]")?;
    visit::wait_until_opened(tab)?;
    visit::run_proposal(tab)?;

    let folder = tempfile::tempdir()?;
    tab.download_to(folder.path())?;
    let saved = saving::save(tab, folder.path(), "save-results", "demo.ckptscope.json")?;
    let results: Value = serde_json::from_str(&fs::read_to_string(saved)?)?;
    let compared = agree(&results, &numbers::expected(site.given)?)?;
    ensure!(compared > 1000, "only {compared} numbers were compared");
    let sent = worker.get("analyses")?;
    ensure!(
        sent == Value::Array(Vec::new()),
        "the worker was asked: {sent}"
    );
    Ok(())
}

/// So many that they can be searched.
const MANY: usize = 12;

fn worker_many_runs_are_searched_and_opened_from_the_menu(tab: &Tab, site: &Site) -> Result<()> {
    let folder = tempfile::tempdir()?;
    for number in 0..MANY {
        copy(
            &site.given.root.join(RUN),
            &folder.path().join(format!("Name-{number}- ä%")),
        )?;
    }
    let no_run = folder.path().join("no run");
    fs::create_dir(&no_run)?;
    for name in ["one.safetensors", "other.safetensors"] {
        fs::write(no_run.join(name), "")?;
    }
    let worker = site.workers.start(Options {
        roots: vec![folder.path().to_owned()],
        ..Options::default()
    })?;
    open_connected(tab, &worker.address())?;
    tab.wait_until_shown("[data-test=worker-run]")?;
    says(
        &tab.words("[data-test=worker-left-out]")?,
        &["1 folder with checkpoints left out"],
    )?;
    ensure!(
        tab.count("[data-test=worker-run]")? == MANY as u64,
        "not all are listed"
    );
    enter(tab, "[data-test=worker-search]", "NAME-11- ä")?;
    tab.wait_for(
        "one",
        "document.querySelectorAll('[data-test=worker-run]').length === 1",
    )?;
    tab.click("[data-test=worker-run]")?;
    visit::wait_until_opened(tab)?;
    says(&tab.words("header .source")?, &["Name-11- ä%", "1 step"])?;
    tab.click("[data-test=open-menu]")?;
    enter(tab, "[data-test=worker-search]", "nothing is called so")?;
    tab.wait_for_words("[data-test=worker-runs]", "no run has that")?;
    enter(tab, "[data-test=worker-search]", "name-3-")?;
    tab.wait_for(
        "one",
        "document.querySelectorAll('[data-test=worker-run]').length === 1",
    )?;
    tab.click("[data-test=worker-run]")?;
    tab.wait_for_words("header .source", "Name-3- ä%")?;
    ensure!(
        !tab.has("details.menu[open]")?,
        "the menu is still unfolded"
    );
    visit::wait_until_opened(tab)
}

/// The run's config, and its first checkpoint.
fn copy(run: &Path, folder: &Path) -> Result<()> {
    let mut files = vec![run.to_path_buf()];
    let mut wanted = Vec::new();
    while let Some(path) = files.pop() {
        if path.is_dir() {
            for entry in fs::read_dir(&path)? {
                files.push(entry?.path());
            }
        } else {
            wanted.push(path);
        }
    }
    for path in wanted {
        let relative = path.strip_prefix(run)?;
        let text = relative.to_string_lossy().into_owned();
        if text.contains("step_") && !text.contains("step_0/") {
            continue;
        }
        let to = folder.join(relative);
        fs::create_dir_all(to.parent().unwrap_or(folder))?;
        fs::copy(&path, &to)?;
    }
    Ok(())
}

fn worker_without_runs_says_how_to_give_it_some(tab: &Tab, site: &Site) -> Result<()> {
    let worker = site.workers.start(Options::default())?;
    open_connected(tab, &worker.address())?;
    tab.wait_until_shown("[data-test=worker-no-runs]")?;
    says(
        &tab.words("[data-test=worker-no-runs]")?,
        &["worker serve --root PATH/TO/RUNS"],
    )
}
