//! Repositories whose steps are commits, revisions or folders: found, computed, shared.

use std::fs;

use anyhow::{Result, ensure};
use ckptscope_fake_hub::example::{FOLDERS, PICO, PICO_BRANCH, REVISIONS};
use ckptscope_fake_hub::{FakeHub, Repository, suite};
use serde_json::Value;

use super::{World, agree, agree_on_traffic, says};
use crate::browser::Tab;
use crate::given::CONFIG;
use crate::page_tests::{PageTest, Site, links, numbers, saving, visit};

pub(in crate::page_tests) const TESTS: &[PageTest] = page_tests![
    hub_a_pico_repository_has_the_expected_numbers,
    hub_a_revision_per_step_has_the_expected_numbers,
    hub_a_repository_is_opened_by_a_link_typed_by_hand,
    hub_a_shared_link_reads_the_same_commit_again,
    hub_what_a_message_names_is_opened_by_a_click,
    hub_a_tensor_is_looked_at,
];

fn hub_a_pico_repository_has_the_expected_numbers(tab: &Tab, site: &Site) -> Result<()> {
    computes(tab, site, &format!("{PICO}@{PICO_BRANCH}"))
}

fn hub_a_revision_per_step_has_the_expected_numbers(tab: &Tab, site: &Site) -> Result<()> {
    computes(tab, site, REVISIONS)
}

/// The demo config on a repository, and what the page says that it took.
fn computes(tab: &Tab, site: &Site, place: &str) -> Result<()> {
    let world = World::new(site)?;
    world.open(tab, place)?;
    let found = tab.words("header .source")?;
    says(&found, &[place, "15 steps", "3 layers"])?;
    tab.drop_files("main", &[&site.given.root.join(CONFIG)])?;
    let is_there =
        "document.querySelector('[data-test=yaml]')?.value.includes('analysis_name: demo')";
    tab.wait_for("the config", is_there)?;
    tab.wait_until_still()?;
    visit::wait_until_opened(tab)?;
    let opening = world.fake.take_log();
    tab.click("[data-test=tab-explore]")?;
    agree_on_traffic(&tab.words("[data-test=network]")?, &opening)?;
    tab.click("[data-test=tab-ask]")?;
    visit::wait_until_opened(tab)?;
    visit::run_proposal(tab)?;
    agree_on_traffic(&tab.words("[data-test=progress]")?, &world.fake.take_log())?;
    ensure!(
        !world.fake.file_host_saw_a_token(),
        "the file host saw a token"
    );

    let folder = tempfile::tempdir()?;
    tab.download_to(folder.path())?;
    let saved = saving::save(tab, folder.path(), "save-results", "demo.ckptscope.json")?;
    let results: Value = serde_json::from_str(&fs::read_to_string(saved)?)?;
    let compared = agree(&results, &numbers::expected(site.given)?)?;
    ensure!(compared > 1000, "only {compared} numbers were compared");
    Ok(())
}

fn hub_a_repository_is_opened_by_a_link_typed_by_hand(tab: &Tab, site: &Site) -> Result<()> {
    let world = World::new(site)?;
    let address = format!("{}#repo={PICO}&branch={PICO_BRANCH}", world.page);
    visit::open(tab, &address)?;
    visit::wait_until_opened(tab)?;
    says(&tab.words("header .source")?, &["15 steps"])?;
    // Another one in the same tab.
    tab.run(&format!("location.hash = '#repo={FOLDERS}'"))?;
    tab.wait_for_words("header .source", FOLDERS)?;
    visit::wait_until_opened(tab)?;
    says(&tab.words("header .source")?, &["15 steps"])
}

fn hub_a_shared_link_reads_the_same_commit_again(tab: &Tab, site: &Site) -> Result<()> {
    let world = World::new(site)?;
    world.open(tab, &format!("{PICO}@{PICO_BRANCH}"))?;
    visit::run_proposal(tab)?;
    let drawings = visit::drawings(tab)?;
    let link = links::shared(tab, "share-without")?;
    world.fake.take_log();
    site.as_another_visitor(|tab| {
        visit::open(tab, &link)?;
        visit::wait_until_done(tab)?;
        visit::wait_until_drawn(tab)?;
        ensure!(visit::drawings(tab)? == drawings, "the charts differ");
        tab.click("[data-test=tab-explore]")?;
        let facts = tab.words("[data-test=run-facts]")?;
        says(&facts, &[&format!("{PICO}@")])
    })?;
    let log = world.fake.take_log();
    let by_name = log
        .iter()
        .find(|request| request.target.contains(&format!("commits/{PICO_BRANCH}")));
    ensure!(
        by_name.is_none(),
        "the branch was asked for by its name: {by_name:?}"
    );
    Ok(())
}

fn hub_what_a_message_names_is_opened_by_a_click(tab: &Tab, site: &Site) -> Result<()> {
    let offered = || {
        let offered = tab.run(
            "return [...document.querySelectorAll('[data-test=open-choice]')]\
             .map(button => button.textContent)",
        )?;
        Ok::<Vec<String>, anyhow::Error>(serde_json::from_value(offered)?)
    };
    let opens = |name: &str| -> Result<()> {
        tab.click("[data-test=open-choice]")?;
        visit::wait_until_opened(tab)?;
        says(&tab.words("header .source")?, &[name])
    };
    let world = World::new(site)?;
    // Nothing on the default branch, and a revision that there is not.
    for place in [PICO.to_owned(), format!("{PICO}@nonsense")] {
        world.refusal(tab, &place)?;
        tab.wait_until_shown("[data-test=open-choice]")?;
        let offered = offered()?;
        let wanted = format!("Open {PICO}@{PICO_BRANCH}");
        ensure!(offered.contains(&wanted), "{place} offers {offered:?}");
        tab.run(&format!(
            "[...document.querySelectorAll('[data-test=open-choice]')]\
             .find(button => button.textContent === {}).click()",
            serde_json::json!(wanted)
        ))?;
        visit::wait_until_opened(tab)?;
        says(&tab.words("header .source")?, &["15 steps"])?;
    }
    // Several sequences of revisions, and several runs in folders.
    let mut families = Repository::new("ckptscope/families");
    let mut folders = Repository::new("ckptscope/two-runs");
    for step in [0, 1000, 2000] {
        let file = || suite::model(step, &[]);
        for family in ["base", "tuned"] {
            let branch = format!("{family}-step{step}");
            families.commit(&branch, "Upload", [("model.safetensors", Some(file()))]);
            let path = format!("{family}/step_{step}/model.safetensors");
            folders.commit("main", "Upload", [(path.as_str(), Some(file()))]);
        }
    }
    let fake = FakeHub::start(vec![families, folders])?;
    let page = site.page_for_hub(fake.endpoint())?;
    let world = World { fake, page };
    for (place, opened) in [
        ("ckptscope/families", "ckptscope/families@base-step{N}"),
        ("ckptscope/two-runs", "3 steps"),
    ] {
        world.refusal(tab, place)?;
        tab.wait_until_shown("[data-test=open-choice]")?;
        let offered = offered()?;
        ensure!(offered.len() == 2, "{place} offers {offered:?}");
        opens(opened)?;
    }
    tab.complaints().map(drop)
}

fn hub_a_tensor_is_looked_at(tab: &Tab, site: &Site) -> Result<()> {
    let world = World::new(site)?;
    world.open(tab, FOLDERS)?;
    tab.click("[data-test=tab-explore]")?;
    tab.click_when_shown("[data-test=tensor-group]")?;
    tab.click_when_shown("[data-test=tensor]")?;
    tab.wait_until_shown("[data-test=tensor-spectrum] svg")
}
