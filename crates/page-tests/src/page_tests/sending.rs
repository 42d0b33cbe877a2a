//! Analyses that the page has a native worker compute: a real `worker serve`, and a network that
//! is cut.

mod copying;
mod network;
mod slow_run;
pub(super) mod states;
mod too_much;

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use self::network::Network;
use self::slow_run::SlowRun;
use super::native_worker::{NativeWorker, Options};
use super::{PageTest, Site, companion, hub, links, saving, visit, watching};
use crate::browser::Tab;
use crate::given::CONFIG;

pub(super) use copying::TESTS as COPYING;
pub(super) use too_much::TESTS as TOO_MUCH;

pub(super) const TESTS: &[PageTest] = page_tests![
    a_worker_computes_the_expected_numbers,
    a_connection_that_is_cut_loses_and_repeats_nothing,
    a_worker_that_is_killed_and_started_again_goes_on,
    a_worker_that_wants_another_token_is_waited_for,
    an_analysis_on_a_worker_can_be_stopped,
    an_analysis_that_was_stopped_opens_with_what_is_done,
    what_a_link_brought_is_not_said_of_what_comes_after_it,
    an_analysis_goes_on_while_the_tab_is_closed,
    an_analysis_says_how_many_are_before_it,
    the_time_that_is_left_does_not_count_the_queue,
    what_came_of_a_wandb_run_is_told,
    what_a_worker_refuses_shows_at_its_line,
];

/// Where the bundled run lies.
const RUNS: &str = "tests/data";

const SEND: &str = "[data-test=run-on-worker]";
const LOST: &str = "[data-test=connection-lost]";
const ARRIVAL: &str = "[data-test=arrival]";

fn a_worker_computes_the_expected_numbers(tab: &Tab, site: &Site) -> Result<()> {
    let root = site.given.root.join(RUNS);
    let worker = site.workers.start(with_root(&root))?;
    open_its_run(tab, &worker.address(), "pico-decoder-micro-1")?;
    let config = site.given.root.join(CONFIG);
    configure(tab, &config)?;
    tab.click(SEND)?;
    finish(tab)?;
    ensure!(
        tab.words("[data-test=on-worker]")?.contains(&worker.host()),
        "the page does not say who computed it"
    );
    visit::wait_until_drawn(tab)?;
    watching::all_numbers_agree(tab, site)?;
    same_as_results(tab, &worker)
}

fn a_connection_that_is_cut_loses_and_repeats_nothing(tab: &Tab, site: &Site) -> Result<()> {
    let run = SlowRun::write()?;
    let worker = site.workers.start(run.options())?;
    let network = Network::to(worker.host())?;
    start_slow(tab, &run, network.address())?;
    wait_for_units(tab, 4)?;
    network.take_down();
    tab.wait_for_words(LOST, "trying again in")?;
    network.bring_up();
    tab.wait_until_gone(LOST)?;
    let before = units(tab)?;
    wait_for_units(tab, before + 4)?;
    network.cut();
    finish(tab)?;
    ensure!(network.cuts() == 2, "the network was not cut");
    // The browser tells its console of connections that it lost.
    tab.complaints()?;
    same_as_results(tab, &worker)
}

fn a_worker_that_is_killed_and_started_again_goes_on(tab: &Tab, site: &Site) -> Result<()> {
    let run = SlowRun::write()?;
    let mut worker = site.workers.start(run.options())?;
    start_slow(tab, &run, &worker.address())?;
    wait_for_units(tab, 4)?;
    worker.kill();
    tab.wait_for_words(LOST, "trying again in")?;
    ensure!(units(tab)? < run.units(), "it was over before");
    worker.restart()?;
    finish(tab)?;
    tab.complaints()?;
    same_as_results(tab, &worker)
}

fn a_worker_that_wants_another_token_is_waited_for(tab: &Tab, site: &Site) -> Result<()> {
    let run = SlowRun::write()?;
    let options = Options {
        token: Some("first".to_owned()),
        ..run.options()
    };
    let mut worker = site.workers.start(options)?;
    start_slow(tab, &run, &format!("{}#token=first", worker.address()))?;
    wait_for_units(tab, 4)?;
    worker.stop()?;
    worker.restart_with_token("second")?;
    tab.wait_for_words(LOST, "wants another token")?;
    tab.wait_for_words("[data-test=worker-menu]", "wants a token")?;
    companion::unfold(tab)?;
    hub::enter(tab, "[data-test=worker-token]", "second")?;
    tab.press("Enter")?;
    companion::wait_until_connected(tab)?;
    tab.click("[data-test=worker-menu]")?;
    finish(tab)?;
    same_as_results(tab, &worker)?;
    // The run itself is read with the token, too.
    visit::run_proposal(tab)?;
    // The browser tells its console of what was refused.
    tab.complaints().map(drop)
}

fn an_analysis_on_a_worker_can_be_stopped(tab: &Tab, site: &Site) -> Result<()> {
    let run = SlowRun::write()?;
    let worker = site.workers.start(run.options())?;
    start_slow(tab, &run, &worker.address())?;
    wait_for_units(tab, 4)?;
    tab.click("[data-test=cancel-analysis]")?;
    tab.wait_until_shown("[data-test=state-cancelled]")?;
    let analysis = last_analysis(&worker)?;
    ensure!(analysis["phase"] == "cancelled", "it is {analysis}");
    let units = units(tab)?;
    ensure!(
        units < run.units() && analysis["units"] == units,
        "{units} units are shown of {analysis}"
    );
    ensure!(tab.has("[data-test=card]")?, "what is done is gone");
    Ok(())
}

fn an_analysis_that_was_stopped_opens_with_what_is_done(tab: &Tab, site: &Site) -> Result<()> {
    let run = SlowRun::write()?;
    let worker = site.workers.start(run.options())?;
    let id = companion::stopped_analysis(&worker, &run.config())?;
    let analysis = last_analysis(&worker)?;
    visit::open(tab, &worker.address())?;
    companion::show_analyses(tab)?;
    tab.click_when_shown("[data-test=analysis-open]")?;
    shows_what_is_done(tab, &analysis)?;
    // The short link leads to the same.
    visit::open(tab, &format!("{}s/{id}", worker.address()))?;
    shows_what_is_done(tab, &analysis)
}

fn shows_what_is_done(tab: &Tab, analysis: &Value) -> Result<()> {
    tab.wait_until_shown("[data-test=state-cancelled]")?;
    visit::wait_until_drawn(tab)?;
    let units = units(tab)?;
    ensure!(
        units > 0 && analysis["units"] == units,
        "{units} units are shown of {analysis}"
    );
    Ok(())
}

fn what_a_link_brought_is_not_said_of_what_comes_after_it(tab: &Tab, site: &Site) -> Result<()> {
    let run = SlowRun::write()?;
    let worker = site.workers.start(run.options())?;
    let id = companion::stopped_analysis(&worker, &run.config())?;
    visit::finish_demo(tab, &worker.address())?;
    let link = links::shared(tab, "share-with")?;
    let folder = tempfile::tempdir()?;
    tab.download_to(folder.path())?;
    let results = saving::save(tab, folder.path(), "save-results", "demo.ckptscope.json")?;

    // An analysis that is followed.
    open_link(tab, &link)?;
    show_analyses_again(tab)?;
    tab.click_when_shown("[data-test=analysis-open]")?;
    tab.wait_until_shown("[data-test=state-cancelled]")?;
    tab.wait_until_gone(ARRIVAL)?;
    // Results of one that is done.
    show_analyses_again(tab)?;
    tab.click_when_shown("[data-test=analysis-resume]")?;
    companion::wait_for(&worker, &id, &["done"])?;
    open_link(tab, &link)?;
    show_analyses_again(tab)?;
    tab.click_when_shown("[data-test=analysis-open]")?;
    tab.wait_for_words(ARRIVAL, "slow")?;
    visit::wait_until_drawn(tab)?;
    tab.click("[data-test=share]")?;
    tab.wait_until_shown("[data-test=share-link]")?;
    let said = tab.words("[data-test=share-dialog]")?;
    ensure!(
        said.contains(&format!("The files of {} stay with you", run.name())),
        "the link is of something else: {said}"
    );
    // Results in a file.
    open_link(tab, &link)?;
    tab.drop_files("main", &[&results])?;
    tab.wait_until_gone(ARRIVAL)
}

/// Opens a link that carries results, and waits until they are shown.
fn open_link(tab: &Tab, link: &str) -> Result<()> {
    visit::open(tab, link)?;
    visit::wait_until_drawn(tab)?;
    tab.wait_for_words(ARRIVAL, "from a link")?;
    companion::wait_until_connected(tab)
}

/// Opens the dialog with the worker's analyses, whatever else is open.
fn show_analyses_again(tab: &Tab) -> Result<()> {
    companion::unfold(tab)?;
    tab.click_when_shown("[data-test=worker-history]")?;
    tab.wait_until_shown("[data-test=analysis]")
}

fn an_analysis_goes_on_while_the_tab_is_closed(tab: &Tab, site: &Site) -> Result<()> {
    let run = SlowRun::write()?;
    let worker = site.workers.start(run.options())?;
    start_slow(tab, &run, &worker.address())?;
    wait_for_units(tab, 4)?;
    tab.go("about:blank")?;
    let analysis = last_analysis(&worker)?;
    ensure!(analysis["phase"] == "running", "it is {analysis}");
    visit::open(tab, &worker.address())?;
    tab.click_when_shown("[data-test=open-history]")?;
    tab.click_when_shown("[data-test=analysis-open]")?;
    tab.wait_until_shown("[data-test=on-worker]")?;
    finish(tab)?;
    same_as_results(tab, &worker)
}

fn an_analysis_says_how_many_are_before_it(tab: &Tab, site: &Site) -> Result<()> {
    let run = SlowRun::write()?;
    let worker = site.workers.start(run.options())?;
    start_slow(tab, &run, &worker.address())?;
    wait_for_units(tab, 1)?;
    tab.click(SEND)?;
    tab.wait_for_words(
        "[data-test=state-planning]",
        "Queued, one analysis before it",
    )?;
    tab.click("[data-test=cancel-analysis]")?;
    tab.wait_until_shown("[data-test=state-cancelled]")?;
    let analyses = worker.get("analyses")?;
    ensure!(
        analyses[0]["phase"] == "cancelled" && analyses[1]["phase"] == "running",
        "they are {analyses}"
    );
    Ok(())
}

fn the_time_that_is_left_does_not_count_the_queue(tab: &Tab, site: &Site) -> Result<()> {
    let run = SlowRun::write()?;
    let worker = site.workers.start(run.options())?;
    start_slow(tab, &run, &worker.address())?;
    wait_for_units(tab, 1)?;
    let start = Instant::now();
    tab.click(SEND)?;
    tab.wait_for_words("[data-test=state-planning]", "Queued")?;
    tab.wait_for_words("[data-test=progress]", " left")?;
    let waited = start.elapsed().as_secs_f64();
    let left = seconds_left(&tab.words("[data-test=progress]")?)?;
    // Both take the same time.
    ensure!(
        left < 4.0 * waited,
        "{left} s are left of what the queue took {waited} s for"
    );
    finish(tab)
}

/// `6.1 s left` or `2 minutes left`, in seconds.
fn seconds_left(words: &str) -> Result<f64> {
    let parts = words.split(" · ");
    let mut left = parts.filter_map(|part| part.strip_suffix(" left")?.split_once(' '));
    let (number, unit) = left.next().with_context(|| words.to_owned())?;
    let number: f64 = number.parse()?;
    Ok(if unit == "s" { number } else { number * 60.0 })
}

fn what_came_of_a_wandb_run_is_told(tab: &Tab, site: &Site) -> Result<()> {
    let root = site.given.root.join(RUNS);
    let worker = site.workers.start(with_root(&root))?;
    let config = fs::read_to_string(site.given.root.join(CONFIG))?;
    let asking = "save_to_wandb: true\n  wandb: {project: ckptscope}";
    let config = config.replace("save_to_wandb: false", asking);
    ensure!(config.contains(asking), "{CONFIG} says it otherwise");
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("wandb.yaml");
    fs::write(&path, config)?;
    open_its_run(tab, &worker.address(), "pico-decoder-micro-1")?;
    configure(tab, &path)?;
    tab.click(SEND)?;
    finish(tab)?;
    // The worker's environment says that nothing is uploaded.
    tab.wait_for_words("[data-test=wandb-outcome]", "wandb sync")?;
    visit::open(tab, &worker.address())?;
    companion::show_analyses(tab)?;
    tab.wait_for_words("[data-test=analysis-message]", "wandb sync")
}

fn what_a_worker_refuses_shows_at_its_line(tab: &Tab, site: &Site) -> Result<()> {
    let run = SlowRun::write()?;
    let worker = site.workers.start(run.options())?;
    open_its_run(tab, &worker.address(), run.name())?;
    configure(tab, &run.config())?;
    run.lose_a_matrix()?;
    tab.click(SEND)?;
    tab.wait_until_shown("[data-test=sending-failed]")?;
    tab.complaints()?;
    let problem = tab.words("[data-test=problem]")?;
    ensure!(
        problem.contains("line") && problem.contains("o_proj"),
        "the problem is: {problem}"
    );
    Ok(())
}

fn with_root(root: &Path) -> Options {
    Options {
        roots: vec![root.to_path_buf()],
        ..Options::default()
    }
}

/// Opens the page, and a run below a folder of the worker's.
fn open_its_run(tab: &Tab, address: &str, name: &str) -> Result<()> {
    visit::open(tab, address)?;
    tab.wait_for_words("[data-test=worker-run]", name)?;
    tab.run(&format!(
        "[...document.querySelectorAll('[data-test=worker-run]')]\
           .find(run => run.innerText.includes('{name}')).click()"
    ))?;
    visit::wait_until_opened(tab)
}

/// Takes a config in place of the one that is proposed.
fn configure(tab: &Tab, config: &Path) -> Result<()> {
    let text = fs::read_to_string(config).with_context(|| config.display().to_string())?;
    tab.drop_files("main", &[config])?;
    tab.wait_until_shown("[data-test=yaml]")?;
    tab.wait_for(
        "the config",
        &format!(
            "document.querySelector('[data-test=yaml]').value === {}",
            serde_json::json!(text)
        ),
    )?;
    visit::wait_until_opened(tab)
}

/// Has the worker begin with the slow run.
fn start_slow(tab: &Tab, run: &SlowRun, address: &str) -> Result<()> {
    open_its_run(tab, address, run.name())?;
    configure(tab, &run.config())?;
    tab.click(SEND)?;
    tab.wait_until_shown("[data-test=on-worker]")
}

/// Waits for the good end of an analysis on a worker.
fn finish(tab: &Tab) -> Result<()> {
    tab.wait_until_shown("[data-test=on-worker]")?;
    visit::wait_until_done(tab)
}

fn wait_for_units(tab: &Tab, units: u64) -> Result<()> {
    let found = "parseInt(document.querySelector('[data-test=progress]')?.innerText)";
    tab.wait_for(&format!("{units} units"), &format!("{found} >= {units}"))
}

/// Layer-steps that are done, as the page says.
fn units(tab: &Tab) -> Result<u64> {
    let words = tab.words("[data-test=progress]")?;
    let number = words.split(' ').next().and_then(|word| word.parse().ok());
    number.with_context(|| format!("no units in: {words}"))
}

fn last_analysis(worker: &NativeWorker) -> Result<Value> {
    Ok(worker.get("analyses")?[0].clone())
}

/// Every number of the worker's results is in the page, once.
fn same_as_results(tab: &Tab, worker: &NativeWorker) -> Result<()> {
    let analysis = last_analysis(worker)?;
    ensure!(analysis["phase"] == "done", "it is {analysis}");
    let id = analysis["id"].as_str().context("it has no id")?;
    let wanted = worker.text(&format!("analyses/{id}/results.csv"))?;
    let folder = tempfile::tempdir()?;
    tab.download_to(folder.path())?;
    tab.click("[data-test=save-menu] summary")?;
    tab.click("[data-test=save-menu] [data-test=save-all-csv]")?;
    let found = fs::read_to_string(saving::only_file(folder.path())?)?;
    let rows = wanted.lines().count().saturating_sub(1) as u64;
    ensure!(rows > 0, "there are no results");
    ensure!(
        found == wanted,
        "the page has {} lines, the results {}",
        found.lines().count(),
        wanted.lines().count()
    );
    let words = tab.words("[data-test=progress]")?;
    let count = format!("{} numbers", with_commas(rows));
    ensure!(words.contains(&count), "not {count}: {words}");
    Ok(())
}

/// `4,770`.
fn with_commas(number: u64) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", number / 1000, number % 1000),
    }
}
