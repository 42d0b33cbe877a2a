//! What goes wrong at the hub and passes, or does not.

use anyhow::{Result, ensure};
use ckptscope_fake_hub::example::{LONG_HISTORY, PICO, PICO_BRANCH, REVISIONS};
use ckptscope_fake_hub::{Fault, Options, Origin};

use super::{World, open_place, says};
use crate::browser::Tab;
use crate::page_tests::{PageTest, Site, visit};

pub(in crate::page_tests) const TESTS: &[PageTest] = page_tests![
    hub_failures_that_pass_are_tried_again,
    hub_a_rate_limit_is_told_and_waited_for,
    hub_a_signature_that_expires_on_the_way_is_renewed,
    hub_listing_is_shown_and_cancelled_at_once,
    hub_a_repository_that_is_no_checkpoint_is_said_to_be_none,
];

fn hub_failures_that_pass_are_tried_again(tab: &Tab, site: &Site) -> Result<()> {
    let world = World::new(site)?;
    world.inject(Origin::Hub, "/commits/", 0, 2, Fault::Status(503));
    world.inject(Origin::FileHost, "", 3, 2, Fault::Truncate);
    world.open(tab, REVISIONS)?;
    visit::run_proposal(tab)?;
    // The browser tells its console of them.
    tab.complaints()?;
    Ok(())
}

fn hub_a_rate_limit_is_told_and_waited_for(tab: &Tab, site: &Site) -> Result<()> {
    let world = World::new(site)?;
    world.inject(
        Origin::Hub,
        "/refs",
        0,
        1,
        Fault::RateLimited { seconds: 1 },
    );
    visit::open(tab, &world.page)?;
    open_place(tab, REVISIONS)?;
    tab.wait_for_words(
        "[data-test=listing]",
        "allows no more requests for now; going on in",
    )?;
    visit::wait_until_opened(tab)?;
    tab.complaints()?;
    Ok(())
}

fn hub_a_signature_that_expires_on_the_way_is_renewed(tab: &Tab, site: &Site) -> Result<()> {
    let world = World::new(site)?;
    visit::open_with_worker_control(tab, &world.page)?;
    tab.run("workerControl.lanesLetThrough = 1")?;
    open_place(tab, &format!("{PICO}@{PICO_BRANCH}"))?;
    visit::wait_until_opened(tab)?;
    tab.click("[data-test=run]")?;
    visit::wait_until_drawn(tab)?;
    world.fake.expire_signatures();
    tab.run("workerControl.release()")?;
    visit::wait_until_done(tab)?;
    let log = world.fake.take_log();
    let refused = log.iter().filter(|request| request.status == 403).count();
    println!("    {refused} signatures were refused");
    ensure!(refused > 0, "nobody read on after the signatures' end");
    ensure!(!tab.has("[data-test=failures]")?, "a layer failed");
    tab.complaints()?;
    Ok(())
}

fn hub_listing_is_shown_and_cancelled_at_once(tab: &Tab, site: &Site) -> Result<()> {
    let options = Options {
        page_entries: 5,
        ..Options::default()
    };
    let world = World::with(site, options)?;
    world.inject(Origin::Hub, "cursor=20", 0, usize::MAX, Fault::Silence);
    visit::open(tab, &world.page)?;
    open_place(tab, &format!("{PICO}@{PICO_BRANCH}"))?;
    tab.wait_for_words("[data-test=listing]", "20 commits listed")?;
    tab.click("[data-test=cancel-opening]")?;
    tab.wait_until_gone("[data-test=opening]")?;
    world.fake.take_log();
    ensure!(tab.has("[data-test=demo]")?, "there is no way on");
    tab.wait_until_still()?;
    let after = world.fake.take_log();
    ensure!(after.is_empty(), "requests after the end: {after:?}");
    open_place(tab, REVISIONS)?;
    visit::wait_until_opened(tab)
}

fn hub_a_repository_that_is_no_checkpoint_is_said_to_be_none(tab: &Tab, site: &Site) -> Result<()> {
    let options = Options {
        page_entries: 100,
        ..Options::default()
    };
    let world = World::with(site, options)?;
    let said = world.refusal(tab, LONG_HISTORY)?;
    says(&said, &["no checkpoint was found"])
}
