//! Analyses that a worker keeps: opened, named, compared, removed, linked to.

use std::fs;

use anyhow::{Result, ensure};

use super::{analyse, ask_for, open_connected, unfold, wait_for, worker};
use crate::browser::Tab;
use crate::given::CONFIG;
use crate::page_tests::hub::{enter, says};
use crate::page_tests::native_worker::{NativeWorker, Options};
use crate::page_tests::{PageTest, Site, visit};

pub(in crate::page_tests) const TESTS: &[PageTest] = page_tests![
    worker_its_analyses_are_opened_renamed_and_removed,
    worker_two_analyses_are_compared_in_one_chart,
    worker_an_analysis_is_cancelled_and_goes_on,
    worker_a_name_that_is_typed_outlives_a_question_that_failed,
    worker_a_short_link_leads_to_an_analysis,
];

/// Opens the dialog with the worker's analyses.
pub(in crate::page_tests) fn show(tab: &Tab) -> Result<()> {
    tab.click_when_shown("[data-test=open-history]")?;
    tab.wait_until_shown("[data-test=history][open]")
}

fn worker_its_analyses_are_opened_renamed_and_removed(tab: &Tab, site: &Site) -> Result<()> {
    let worker = worker(&site.workers, Options::default())?;
    open_connected(tab, &worker.address())?;
    show(tab)?;
    tab.wait_until_shown("[data-test=history-empty]")?;
    tab.press("Escape")?;
    analyse(site.given, &worker, "first")?;

    show(tab)?;
    tab.wait_for_words("[data-test=analysis-phase]", "done")?;
    says(
        &tab.words("[data-test=analysis]")?,
        &["first", "pico-decoder-micro-1", "took"],
    )?;
    tab.click("[data-test=analysis-rename]")?;
    enter(tab, "[data-test=analysis-new-name]", "another name")?;
    tab.press("Escape")?;
    tab.wait_for_words("[data-test=analysis-name]", "first")?;
    tab.click("[data-test=analysis-rename]")?;
    enter(tab, "[data-test=analysis-new-name]", "another name")?;
    tab.press("Enter")?;
    tab.wait_for_words("[data-test=analysis-name]", "another name")?;
    has_focus(tab, "analysis-rename")?;
    ensure!(
        worker.get("analyses")?[0]["name"] == "another name",
        "the worker was not told"
    );

    tab.click("[data-test=analysis-open]")?;
    visit::wait_until_drawn(tab)?;
    tab.wait_for_words("[data-test=arrival]", "another name")?;

    // Reached from the top bar as well.
    unfold(tab)?;
    tab.click("[data-test=worker-history]")?;
    tab.click_when_shown("[data-test=analysis-remove]")?;
    has_focus(tab, "analysis-remove-no")?;
    tab.press("Enter")?;
    has_focus(tab, "analysis-remove")?;
    tab.press("Enter")?;
    has_focus(tab, "analysis-remove-no")?;
    says(&tab.words("[data-test=analysis]")?, &["deleted"])?;
    tab.click("[data-test=analysis-remove-yes]")?;
    tab.wait_until_shown("[data-test=history-empty]")?;
    ensure!(
        worker
            .get("analyses")?
            .as_array()
            .is_some_and(Vec::is_empty),
        "it is still there"
    );
    Ok(())
}

/// Waits until the keyboard is at the element of that name.
fn has_focus(tab: &Tab, name: &str) -> Result<()> {
    let expression = format!("document.activeElement?.dataset.test === '{name}'");
    tab.wait_for(&format!("the focus of {name}"), &expression)
}

/// Names of runs that differ in their ends alone.
const FIRST: &str = "learning-rate-of-the-published-run-1.5";
const SECOND: &str = "learning-rate-of-the-published-run-2";

fn worker_two_analyses_are_compared_in_one_chart(tab: &Tab, site: &Site) -> Result<()> {
    let worker = worker(&site.workers, Options::default())?;
    for name in [FIRST, SECOND] {
        analyse(site.given, &worker, name)?;
    }
    open_connected(tab, &worker.address())?;
    show(tab)?;
    tab.wait_for(
        "both",
        "document.querySelectorAll('[data-test=analysis]').length === 2",
    )?;
    ensure!(
        tab.has("[data-test=history-compare]:disabled")?,
        "there is nothing to compare yet"
    );
    for place in [1, 2] {
        tab.click(&format!(
            "[data-test=analysis]:nth-of-type({place}) [data-test=analysis-pick]"
        ))?;
    }
    tab.click("[data-test=history-compare]")?;
    visit::wait_until_drawn(tab)?;
    tab.wait_for_words("[data-test=arrival]", &format!("{SECOND} and {FIRST}"))?;
    let legends = visit::legends(tab)?;
    let first = legends.first().cloned().unwrap_or_default();
    let value = |run: &str| {
        let of_run = first
            .iter()
            .filter(|(name, _)| name.ends_with(&format!(" · {run}")));
        // Lines that look alike have numbers of their own before their names.
        let plain = |name: &str| {
            let name = name.trim_start_matches(|letter: char| letter.is_ascii_digit());
            name.trim_start().replace(run, "")
        };
        let values = of_run.map(|(name, value)| (plain(name), value.clone()));
        values.collect::<Vec<_>>()
    };
    let (one, other) = (value(FIRST), value(SECOND));
    ensure!(
        !one.is_empty() && one.len() * 2 == first.len(),
        "the series are {first:?}"
    );
    ensure!(one == other, "the same analysis gave {one:?} and {other:?}");
    let is_cut = "return [...document.querySelectorAll('[data-test=series] .name')]\
                    .some(name => name.scrollWidth > name.clientWidth)";
    ensure!(tab.run(is_cut)? == false, "names are cut off");
    Ok(())
}

/// So many that the last of them waits for a while.
const MANY: usize = 20;

/// A worker with so many, and their ids.
fn busy(site: &Site) -> Result<(NativeWorker, Vec<String>)> {
    let worker = worker(
        &site.workers,
        Options {
            threads: Some(1),
            ..Options::default()
        },
    )?;
    let config = fs::read_to_string(site.given.root.join(CONFIG))?;
    let asked = (0..MANY).map(|_| ask_for(&worker, &config));
    let ids = asked.collect::<Result<_>>()?;
    Ok((worker, ids))
}

fn worker_an_analysis_is_cancelled_and_goes_on(tab: &Tab, site: &Site) -> Result<()> {
    let (worker, ids) = busy(site)?;
    open_connected(tab, &worker.address())?;
    show(tab)?;
    // The newest is the last to wait.
    tab.click_when_shown("[data-test=analysis-cancel]")?;
    tab.wait_for_words("[data-test=analysis-phase]", "cancelled")?;
    tab.click_when_shown("[data-test=analysis-resume]")?;
    tab.wait_until_gone("[data-test=analysis-resume]")?;
    for id in &ids {
        wait_for(&worker, id, &["done"])?;
    }
    // The list follows by itself.
    let all = "[...document.querySelectorAll('[data-test=analysis-phase]')]\
                 .every(phase => phase.textContent === 'done')";
    tab.wait_for("the end of all", all)
}

fn worker_a_name_that_is_typed_outlives_a_question_that_failed(
    tab: &Tab,
    site: &Site,
) -> Result<()> {
    let (worker, _) = busy(site)?;
    open_connected(tab, &worker.address())?;
    show(tab)?;
    tab.click_when_shown("[data-test=analysis-rename]")?;
    enter(tab, "[data-test=analysis-new-name]", "another name")?;
    tab.run(
        "window.realFetch = window.fetch;\
         window.fetch = (address, options) => address.endsWith('api/analyses')\
           ? Promise.reject(new TypeError('nobody answers'))\
           : window.realFetch(address, options)",
    )?;
    tab.wait_until_shown("[data-test=history-failed]")?;
    let typed = tab.value("[data-test=analysis-new-name]")?;
    ensure!(typed == "another name", "the field has {typed}");
    tab.run("window.fetch = window.realFetch")?;
    tab.wait_until_gone("[data-test=history-failed]")?;
    tab.press("Enter")?;
    tab.wait_for_words("[data-test=analysis-name]", "another name")
}

fn worker_a_short_link_leads_to_an_analysis(tab: &Tab, site: &Site) -> Result<()> {
    let worker = worker(
        &site.workers,
        Options {
            token: None,
            ..Options::default()
        },
    )?;
    let id = analyse(site.given, &worker, "linked")?;
    let link = format!("{}s/{id}", worker.address());
    visit::open(tab, &link)?;
    visit::wait_until_drawn(tab)?;
    tab.wait_for_words("[data-test=arrival]", "linked")?;
    let address = tab.run("return location.href")?;
    ensure!(
        address == format!("{}#analysis={id}", worker.address()),
        "{address}"
    );
    tab.click("[data-test=share]")?;
    tab.wait_until_shown("[data-test=share-short-link]")?;
    ensure!(
        tab.words("[data-test=share-short-link]")? == link,
        "another link is offered"
    );
    tab.click("[data-test=share-close]")?;

    // What is not there, and where there is no worker.
    visit::open(tab, &format!("{}#analysis=none", worker.address()))?;
    tab.wait_until_shown("[data-test=state-failed]")?;
    visit::open(tab, &format!("{}#analysis={id}", site.page))?;
    tab.wait_for_words("[data-test=state-failed]", "came from none")?;
    // Another analysis has no link of that one.
    visit::finish_demo(tab, &worker.address())?;
    tab.click("[data-test=share]")?;
    tab.wait_until_shown("[data-test=share-link]")?;
    ensure!(
        !tab.has("[data-test=share-short-link]")?,
        "a link to something else is offered"
    );
    // The browser told its console of what is not there.
    tab.complaints()?;
    is_wanted(site)
}

/// With a token, the link waits for it.
fn is_wanted(site: &Site) -> Result<()> {
    let token = "t0ken";
    let worker = worker(
        &site.workers,
        Options {
            token: Some(token.to_owned()),
            ..Options::default()
        },
    )?;
    site.as_another_visitor(|tab| {
        visit::open(tab, &format!("{}#analysis=none", worker.address()))?;
        tab.wait_for_words("[data-test=opening]", "wants a token")?;
        enter(tab, "[data-test=worker-token]", token)?;
        tab.press("Enter")?;
        tab.wait_until_shown("[data-test=state-failed]")?;
        // The browser told its console that there is no such analysis.
        tab.complaints().map(drop)
    })
}
