//! Private and gated repositories: the token goes to the hub and nowhere else.

use anyhow::{Result, ensure};
use ckptscope_fake_hub::example::{GATED, PRIVATE, TOKEN};

use super::{World, enter, open_place, refusal, says};
use crate::browser::Tab;
use crate::page_tests::{PageTest, Site, links, saving, visit};

pub(in crate::page_tests) const TESTS: &[PageTest] = page_tests![
    hub_a_private_repository_needs_its_token,
    hub_terms_are_to_be_accepted,
];

fn hub_a_private_repository_needs_its_token(tab: &Tab, site: &Site) -> Result<()> {
    let world = World::new(site)?;
    let none = world.refusal(tab, PRIVATE)?;
    says(&none, &["or it is private", "enter a token"])?;
    tab.click("[data-test=remote-more]")?;
    enter(tab, "[data-test=remote-token]", "hf_wrong")?;
    let wrong = refusal(tab, PRIVATE)?;
    says(&wrong, &["does not accept the token"])?;
    ensure!(!wrong.contains("hf_wrong"), "the token is shown: {wrong}");
    enter(tab, "[data-test=remote-token]", TOKEN)?;
    open_place(tab, PRIVATE)?;
    visit::wait_until_opened(tab)?;
    visit::run_proposal(tab)?;
    let log = world.fake.take_log();
    ensure!(
        log.iter().any(|request| request.authorized),
        "the token was not used"
    );
    ensure!(
        !world.fake.file_host_saw_a_token(),
        "the file host saw the token"
    );
    let shared = links::shared(tab, "share-without")?;
    // Nothing that stays has it.
    let kept = tab.run(
        "return JSON.stringify([{...localStorage}, {...sessionStorage}, location.href, document.cookie])",
    )?;
    let folder = tempfile::tempdir()?;
    tab.download_to(folder.path())?;
    tab.click("[data-test=save-menu] summary")?;
    tab.click("[data-test=save-menu] [data-test=save-results]")?;
    let saved = std::fs::read_to_string(saving::only_file(folder.path())?)?;
    for text in [kept.to_string(), shared, saved] {
        ensure!(!text.contains(TOKEN), "the token is in {text}");
    }
    Ok(())
}

fn hub_terms_are_to_be_accepted(tab: &Tab, site: &Site) -> Result<()> {
    let world = World::new(site)?;
    let said = world.refusal(tab, GATED)?;
    says(&said, &["accepted its terms"])
}
