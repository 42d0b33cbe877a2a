//! How the page finds a worker, what it does with its token, and what it says when it is lost.

use anyhow::{Result, ensure};

use super::{connect, open_connected, unfold, wait_until_connected, worker};
use crate::browser::Tab;
use crate::page_tests::hub::{enter, says};
use crate::page_tests::native_worker::Options;
use crate::page_tests::{PageTest, Site, visit};

pub(in crate::page_tests) const TESTS: &[PageTest] = page_tests![
    worker_a_page_that_it_serves_connects_by_itself,
    worker_a_token_is_wanted_and_leaves_the_address_bar,
    worker_that_was_left_is_had_back_with_its_token,
    worker_a_page_from_elsewhere_connects_where_it_is_allowed,
    worker_a_page_from_elsewhere_is_told_that_it_is_not_allowed,
    worker_sign_goes_off_when_its_files_cannot_be_read,
    worker_is_lost_and_found_again,
];

const TOKEN: &str = "a-token-0123456789";

fn worker_a_page_that_it_serves_connects_by_itself(tab: &Tab, site: &Site) -> Result<()> {
    let worker = worker(&site.workers, Options::default())?;
    open_connected(tab, &worker.address())?;
    tab.wait_for_words("[data-test=worker-run]", "pico-decoder-micro-1")?;
    unfold(tab)?;
    let facts = tab.words("[data-test=worker-facts]")?;
    says(
        &facts,
        &[
            &worker.address(),
            "Threads",
            "Memory",
            "GB",
            env!("CARGO_PKG_VERSION"),
        ],
    )?;
    // Whoever does without it may come back.
    tab.click("[data-test=worker-disconnect]")?;
    tab.wait_for_words("[data-test=worker-menu]", "● this tab")?;
    ensure!(
        !tab.has("[data-test=worker-run]")?,
        "its runs are still shown"
    );
    says(
        &tab.words("[data-test=worker-command]")?,
        &["worker serve --root PATH/TO/RUNS --open"],
    )?;
    ensure!(
        !tab.has("[data-test=worker-command-elsewhere]")?,
        "a page of a worker's is told how to allow it"
    );
    tab.click("[data-test=worker-again]")?;
    wait_until_connected(tab)
}

fn worker_a_token_is_wanted_and_leaves_the_address_bar(tab: &Tab, site: &Site) -> Result<()> {
    let worker = worker(
        &site.workers,
        Options {
            token: Some(TOKEN.to_owned()),
            ..Options::default()
        },
    )?;
    visit::open(tab, &worker.address())?;
    tab.wait_for_words("[data-test=worker-menu]", "wants a token")?;
    unfold(tab)?;
    ensure!(
        !tab.has("[data-test=worker-refused]")?,
        "nothing was refused yet"
    );
    enter(tab, "[data-test=worker-token]", "wrong")?;
    tab.press("Enter")?;
    tab.wait_until_shown("[data-test=worker-refused]")?;
    enter(tab, "[data-test=worker-token]", TOKEN)?;
    tab.press("Enter")?;
    wait_until_connected(tab)?;
    tab.wait_until_shown("[data-test=worker-run]")?;

    // As the worker prints it, in another tab: a profile of its own.
    site.as_another_visitor(|tab| {
        open_connected(tab, &format!("{}#token={TOKEN}", worker.address()))?;
        let shown = tab.run("return location.href + history.length + document.cookie")?;
        ensure!(
            !shown.to_string().contains(TOKEN),
            "the token is in {shown}"
        );
        // A reload keeps it, and it is nowhere but in the tab's memory.
        tab.run("location.reload()")?;
        wait_until_connected(tab)?;
        let kept = tab.run("return JSON.stringify(localStorage)")?;
        ensure!(
            !kept.to_string().contains(TOKEN),
            "the token is kept: {kept}"
        );
        tab.click_when_shown("[data-test=worker-run]")?;
        visit::wait_until_opened(tab)?;
        visit::run_proposal(tab)?;
        let link = crate::page_tests::links::shared(tab, "share-without")?;
        ensure!(!link.contains(TOKEN), "the token is in the link");
        Ok(())
    })?;

    // Pasted behind the page's address, while the page is open, with another wish.
    site.as_another_visitor(|tab| {
        visit::open(tab, &worker.address())?;
        tab.wait_for_words("[data-test=worker-menu]", "wants a token")?;
        tab.run(&format!("location.hash = '#token={TOKEN}&analysis=none'"))?;
        wait_until_connected(tab)?;
        tab.wait_until_shown("[data-test=state-failed]")?;
        let hash = tab.run("return location.hash")?;
        ensure!(hash == "#analysis=none", "{hash}");
        // The browser tells its console that there is none.
        tab.complaints().map(drop)
    })
}

fn worker_that_was_left_is_had_back_with_its_token(tab: &Tab, site: &Site) -> Result<()> {
    let closed = |token: &str| Options {
        token: Some(token.to_owned()),
        ..Options::default()
    };
    let own = worker(&site.workers, closed(TOKEN))?;
    let origin = own.address().trim_end_matches('/').to_owned();
    let other = Options {
        origins: vec![origin],
        ..closed("another-token")
    };
    let other = worker(&site.workers, other)?;
    open_connected(tab, &format!("{}#token={TOKEN}", own.address()))?;
    unfold(tab)?;
    tab.click("[data-test=worker-disconnect]")?;
    // Another one meanwhile, with a token of its own.
    tab.wait_until_shown("[data-test=worker-address]")?;
    connect(tab, &other.address(), "another-token")?;
    tab.wait_for_words("[data-test=worker-facts]", &other.address())?;
    tab.click("[data-test=worker-disconnect]")?;
    tab.click_when_shown("[data-test=worker-again]")?;
    wait_until_connected(tab)?;
    let kept = tab.run("return JSON.stringify([localStorage, sessionStorage])")?;
    ensure!(!kept.to_string().contains("another-token"), "{kept}");
    Ok(())
}

fn worker_a_page_from_elsewhere_connects_where_it_is_allowed(tab: &Tab, site: &Site) -> Result<()> {
    let origin = site.page.trim_end_matches('/').to_owned();
    let worker = worker(
        &site.workers,
        Options {
            origins: vec![origin],
            token: Some(TOKEN.to_owned()),
            ..Options::default()
        },
    )?;
    visit::open(tab, &site.page)?;
    unfold(tab)?;
    connect(tab, "not an address", "")?;
    tab.wait_for_words("[data-test=worker-sheet] [role=alert]", "host:port")?;
    connect(tab, &worker.host(), TOKEN)?;
    wait_until_connected(tab)?;
    tab.click_when_shown("[data-test=worker-run]")?;
    visit::wait_until_opened(tab)?;
    // The next visit in this tab finds it again, token and all; without the token it is wanted.
    visit::open(tab, &site.page)?;
    wait_until_connected(tab)?;
    tab.run("sessionStorage.clear(); location.reload()")?;
    tab.wait_for_words("[data-test=worker-menu]", "wants a token")?;
    // Who does without it is asked no more.
    unfold(tab)?;
    tab.click("[data-test=worker-disconnect]")?;
    visit::open(tab, &site.page)?;
    tab.wait_for_words("[data-test=worker-menu]", "● this tab")?;
    let kept = tab.run("return JSON.stringify([localStorage, sessionStorage])")?;
    ensure!(!kept.to_string().contains("127.0.0.1"), "{kept}");
    Ok(())
}

fn worker_a_page_from_elsewhere_is_told_that_it_is_not_allowed(
    tab: &Tab,
    site: &Site,
) -> Result<()> {
    let worker = worker(&site.workers, Options::default())?;
    visit::open(tab, &site.page)?;
    unfold(tab)?;
    let origin = site.page.trim_end_matches('/');
    let command = format!("worker serve --allow-origin {origin} --root PATH/TO/RUNS");
    says(
        &tab.words("[data-test=worker-command-elsewhere]")?,
        &[&command],
    )?;
    connect(tab, &worker.address(), "")?;
    tab.wait_until_shown("[data-test=worker-lost]")?;
    says(
        &tab.words("[data-test=worker-lost]")?,
        &[&worker.address(), &format!("--allow-origin {origin}")],
    )?;
    let kept = tab.run("return localStorage.length")?;
    ensure!(kept == 0, "a worker that does not answer is kept");
    visit::leave(tab)
}

fn worker_sign_goes_off_when_its_files_cannot_be_read(tab: &Tab, site: &Site) -> Result<()> {
    let mut worker = worker(&site.workers, Options::default())?;
    open_connected(tab, &worker.address())?;
    tab.click_when_shown("[data-test=worker-run]")?;
    visit::wait_until_opened(tab)?;
    // Nobody looks at the menu, and nothing is asked of the worker but the run's files.
    worker.kill();
    ensure!(
        !tab.words("[data-test=worker-menu]")?.contains("lost"),
        "nobody asked yet"
    );
    tab.click("[data-test=run]")?;
    tab.wait_for_words("[data-test=worker-menu]", "worker lost")?;
    worker.restart()?;
    wait_until_connected(tab)?;
    visit::leave(tab)
}

fn worker_is_lost_and_found_again(tab: &Tab, site: &Site) -> Result<()> {
    let mut worker = worker(&site.workers, Options::default())?;
    open_connected(tab, &worker.address())?;
    unfold(tab)?;
    worker.stop()?;
    tab.wait_for_words("[data-test=worker-menu]", "worker lost")?;
    says(
        &tab.words("[data-test=worker-lost]")?,
        &["Is it still running?"],
    )?;
    tab.click("[data-test=worker-retry]")?;
    tab.wait_for_words("[data-test=worker-menu]", "worker lost")?;
    // Folded, the page goes on looking: the worker had answered before.
    tab.press("Escape")?;
    worker.restart()?;
    wait_until_connected(tab)?;
    tab.wait_until_shown("[data-test=worker-run]")?;
    // The browser told its console of the requests that failed.
    tab.complaints().map(drop)
}
