//! A person's own files: dropped, picked, and computed without writing YAML.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

use super::visit::{self, no_failure};
use super::{PageTest, Site, checkpoints};
use crate::browser::Tab;
use crate::given::RUN;

pub(super) const TESTS: &[PageTest] = page_tests![
    a_dropped_run_folder_becomes_charts,
    a_picked_run_folder_becomes_charts,
    a_dropped_safetensors_file_becomes_charts,
    picked_shards_are_one_model,
    a_dropped_pt_file_becomes_charts,
    every_proposal_can_be_run,
    another_run_takes_the_place_of_the_one_that_is_open,
];

fn a_dropped_run_folder_becomes_charts(tab: &Tab, site: &Site) -> Result<()> {
    visit::drop_run(tab, &site.page, &[&site.given.root.join(RUN)])?;
    let found = tab.words("header .source")?;
    ensure!(
        found.contains("pico-decoder-micro-1")
            && found.contains("15 steps")
            && found.contains("3 layers"),
        "the page says it found: {found}"
    );
    visit::run_proposal(tab)?;
    has_values(tab, 3)
}

fn a_picked_run_folder_becomes_charts(tab: &Tab, site: &Site) -> Result<()> {
    visit::open(tab, &site.page)?;
    tab.choose(
        "[data-test=pick-folder-input]",
        &[&site.given.root.join(RUN)],
    )?;
    visit::wait_until_opened(tab)?;
    ensure!(
        tab.words("header .source")?.contains("15 steps"),
        "not all steps were found"
    );
    visit::run_proposal(tab)?;
    has_values(tab, 3)
}

fn a_dropped_safetensors_file_becomes_charts(tab: &Tab, site: &Site) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let model = checkpoints::write_whole(folder.path())?;
    visit::drop_run(tab, &site.page, &[&model])?;
    visit::run_proposal(tab)?;
    has_values(tab, 2)
}

fn picked_shards_are_one_model(tab: &Tab, site: &Site) -> Result<()> {
    let folder = tempfile::tempdir()?;
    checkpoints::write_sharded(folder.path())?;
    let files = fs::read_dir(folder.path())?.map(|entry| Ok(entry?.path()));
    let files = files.collect::<Result<Vec<_>>>()?;
    let files: Vec<&Path> = files.iter().map(std::path::PathBuf::as_path).collect();
    visit::open(tab, &site.page)?;
    tab.choose("[data-test=pick-files-input]", &files)?;
    visit::wait_until_opened(tab)?;
    let found = tab.words("header .source")?;
    ensure!(
        found.contains("2 layers") && found.contains("4 heads (2 kv)"),
        "the page says it found: {found}"
    );
    visit::run_proposal(tab)?;
    has_values(tab, 2)
}

fn a_dropped_pt_file_becomes_charts(tab: &Tab, site: &Site) -> Result<()> {
    let file = "checkpoints/step_0/learning_dynamics/val_weights.pt";
    visit::drop_run(tab, &site.page, &[&site.given.root.join(RUN).join(file)])?;
    visit::run_proposal(tab)?;
    has_values(tab, 3)
}

fn every_proposal_can_be_run(tab: &Tab, site: &Site) -> Result<()> {
    visit::drop_run(tab, &site.page, &[&site.given.root.join(RUN)])?;
    tab.click_when_shown("[data-test=start-from]")?;
    let proposals = tab.count("[data-test=proposal]")?;
    ensure!(proposals >= 3, "there are {proposals} proposals");
    for number in 1..=proposals {
        open_proposals(tab)?;
        tab.click(&format!("[data-test=proposal]:nth-of-type({number})"))?;
        tab.wait_until_still()?;
        visit::wait_until_opened(tab)?;
        visit::run_proposal(tab)?;
        no_failure(tab)?;
        ensure!(
            tab.count("[data-test=card]")? > 0,
            "proposal {number} gives no chart"
        );
    }
    Ok(())
}

fn open_proposals(tab: &Tab) -> Result<()> {
    if !tab.has("details[open] > [data-test=start-from]")? {
        tab.click("[data-test=start-from]")?;
    }
    Ok(())
}

fn another_run_takes_the_place_of_the_one_that_is_open(tab: &Tab, site: &Site) -> Result<()> {
    let folder = tempfile::tempdir()?;
    checkpoints::write_sharded(folder.path())?;
    visit::finish_demo(tab, &site.page)?;
    tab.drop_files("main", &[folder.path()])?;
    tab.wait_for_words("header .source", "2 layers")?;
    visit::wait_until_opened(tab)?;
    ensure!(
        tab.count("[data-test=card]")? == 0,
        "charts of the demo run are still there"
    );
    visit::run_proposal(tab)?;
    has_values(tab, 2)
}

/// Every layer has a series in the first legend, and every series a value.
fn has_values(tab: &Tab, layers: usize) -> Result<()> {
    let legends = visit::legends(tab)?;
    let first = legends.first().map(Vec::as_slice).unwrap_or_default();
    let drawings = visit::drawings(tab)?;
    ensure!(
        !first.is_empty() && !drawings.is_empty(),
        "there is no chart with a legend"
    );
    for (name, value) in first {
        ensure!(value != "–", "{name} has no value");
    }
    let of_layers = first.iter().filter(|(name, _)| name.starts_with("layer "));
    let mut found: Vec<_> = of_layers
        .filter_map(|(name, _)| name.split(' ').nth(1))
        .collect();
    found.sort_unstable();
    found.dedup();
    // A single step is drawn over its layers.
    ensure!(
        found.len() == layers || found.is_empty(),
        "layers {found:?} of {layers}"
    );
    Ok(())
}
