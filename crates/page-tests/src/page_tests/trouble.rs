//! Files that cannot be opened: what the page says, and that it stays usable.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

use super::saving::TALL;
use super::visit;
use super::{PageTest, Site, checkpoints};
use crate::browser::Tab;
use crate::given::RUN;

pub(super) const TESTS: &[PageTest] = page_tests![
    a_cut_safetensors_file_is_said_to_be_cut_off,
    a_cut_pt_file_is_said_to_be_cut_off,
    a_text_file_is_said_to_be_no_checkpoint,
    an_empty_folder_is_said_to_hold_nothing,
    a_run_whose_last_step_is_cut_off_is_that_of_the_others,
    what_cannot_be_opened_leaves_the_open_run_alone,
];

const WEIGHTS: &str = "checkpoints/step_0/learning_dynamics/val_weights.pt";

fn a_cut_safetensors_file_is_said_to_be_cut_off(tab: &Tab, site: &Site) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let whole = checkpoints::write_whole(folder.path())?;
    let cut = folder.path().join("cut.safetensors");
    checkpoints::cut(&whole, &cut)?;
    is_refused(tab, site, &cut, &["cut.safetensors", "cut off"])
}

fn a_cut_pt_file_is_said_to_be_cut_off(tab: &Tab, site: &Site) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let cut = folder.path().join("cut.pt");
    checkpoints::cut(&site.given.root.join(RUN).join(WEIGHTS), &cut)?;
    is_refused(tab, site, &cut, &["cut.pt", "cut off"])
}

fn a_run_whose_last_step_is_cut_off_is_that_of_the_others(tab: &Tab, site: &Site) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let run = folder.path().join("run");
    for step in ["step_100", "step_200"] {
        let step = run.join(step);
        fs::create_dir_all(&step)?;
        checkpoints::write_whole(&step)?;
    }
    let last = run.join("step_300");
    fs::create_dir_all(&last)?;
    let whole = run.join("step_200/model.safetensors");
    checkpoints::cut(&whole, &last.join("model.safetensors"))?;
    visit::drop_run(tab, &site.page, &[&run])?;
    tab.click_when_shown("[data-test=plan-warnings] summary")?;
    tab.wait_for_words("[data-test=plan-warnings]", "step 300 is left out")?;
    visit::run_proposal(tab)?;
    ensure!(!tab.has("[data-test=failures]")?, "a layer failed");
    let words = tab.words("[data-test=progress]")?;
    ensure!(words.contains("4 of 4 layer steps"), "it says {words}");
    Ok(())
}

fn a_text_file_is_said_to_be_no_checkpoint(tab: &Tab, site: &Site) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("notes.txt");
    fs::write(&path, "Loss went up again on Tuesday.\n")?;
    is_refused(tab, site, &path, &["notes.txt"])
}

fn an_empty_folder_is_said_to_hold_nothing(tab: &Tab, site: &Site) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let empty = folder.path().join("nothing-here");
    fs::create_dir(&empty)?;
    is_refused(tab, site, &empty, &["nothing-here", "no files"])
}

/// The page says so with these words, and opens the bundled run afterwards.
fn is_refused(tab: &Tab, site: &Site, path: &Path, words: &[&str]) -> Result<()> {
    visit::open(tab, &site.page)?;
    tab.drop_files("main", &[path])?;
    says(tab, words)?;
    tab.drop_files("main", &[&site.given.root.join(RUN)])?;
    tab.wait_until_gone("[data-test=state-failed]")?;
    visit::wait_until_opened(tab)
}

fn says(tab: &Tab, words: &[&str]) -> Result<()> {
    tab.wait_until_shown("[data-test=state-failed]")?;
    let said = tab.words("[data-test=state-failed]")?;
    for word in words {
        ensure!(
            said.contains(word),
            "the page does not say {word:?}: {said}"
        );
    }
    Ok(())
}

fn what_cannot_be_opened_leaves_the_open_run_alone(tab: &Tab, site: &Site) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name);
    let whole = checkpoints::write_whole(folder.path())?;
    checkpoints::cut(&whole, &path("cut.safetensors"))?;
    checkpoints::cut(&site.given.root.join(RUN).join(WEIGHTS), &path("cut.pt"))?;
    fs::write(path("notes.txt"), "Loss went up again on Tuesday.\n")?;
    fs::create_dir(path("nothing-here"))?;
    tab.show_on(TALL)?;
    visit::finish_demo(tab, &site.page)?;
    let before = visit::drawings(tab)?;
    let run = tab.words("header .source")?;
    for name in ["cut.safetensors", "cut.pt", "notes.txt", "nothing-here"] {
        tab.drop_files("main", &[&path(name)])?;
        says(tab, &[name])?;
        tab.click("[data-test=dismiss]")?;
        tab.wait_until_gone("[data-test=state-failed]")?;
    }
    tab.wait_until_still()?;
    ensure!(tab.words("header .source")? == run, "another run is open");
    ensure!(visit::drawings(tab)? == before, "the charts changed");
    visit::run_proposal(tab)
}
