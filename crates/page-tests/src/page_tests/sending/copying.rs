//! Files that a native worker is given, or sees already.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::network::Network;
use super::slow_run::SlowRun;
use super::{RUNS, SEND, configure, finish, same_as_results, wait_for_units, with_root};
use crate::browser::Tab;
use crate::given::{CONFIG, RUN};
use crate::page_tests::native_worker::{NativeWorker, Options};
use crate::page_tests::{PageTest, Site, companion, links, visit, watching};

pub(in crate::page_tests) const TESTS: &[PageTest] = page_tests![
    files_are_copied_to_a_worker_after_agreement,
    files_that_a_worker_sees_are_used_in_place,
    what_a_worker_is_asked_before_copying_can_be_given_up,
    copying_that_is_cut_goes_on_where_it_was,
    files_that_no_analysis_reads_are_not_copied,
    copying_that_the_worker_cannot_write_says_why,
    copying_that_is_given_up_leaves_nothing,
    a_copy_that_no_analysis_uses_goes_with_the_run,
    an_analysis_of_copied_files_is_watched_beside_them,
    copying_ends_with_the_connection,
    a_link_that_is_opened_ends_copying,
];

pub(super) const DIALOG: &str = "[data-test=agreement][open]";
const LOST: &str = "[data-test=copying-lost]";

/// Files are copied of which so much is through when the network goes down.
const BYTES_UNTIL_DOWN: usize = 12_000_000;

fn files_are_copied_to_a_worker_after_agreement(tab: &Tab, site: &Site) -> Result<()> {
    let worker = site.workers.start(Options::default())?;
    visit::finish_demo(tab, &worker.address())?;
    tab.click(SEND)?;
    tab.wait_until_shown(DIALOG)?;
    let question = tab.words(DIALOG)?;
    let host = worker.host();
    ensure!(
        question.contains("MB,") && question.contains(&host) && question.contains("nothing else"),
        "the question is: {question}"
    );
    tab.click("[data-test=disagree]")?;
    tab.wait_until_gone(DIALOG)?;
    ensure!(uploads(&worker)?.is_empty(), "files were copied");
    ensure!(tab.has("[data-test=state-done]")?, "what was there is gone");
    tab.click(SEND)?;
    tab.click_when_shown("[data-test=agree]")?;
    finish(tab)?;
    watching::all_numbers_agree(tab, site)?;
    same_as_results(tab, &worker)?;
    // The worker has them now.
    tab.run("window.endBefore = document.querySelector('[data-test=state-done]')")?;
    tab.click(SEND)?;
    tab.wait_for(
        "the second analysis",
        "[...document.querySelectorAll('[data-test=state-done]')].some(end => end !== window.endBefore)",
    )?;
    let analyses = worker.get("analyses")?;
    ensure!(
        analyses[0]["source"] == analyses[1]["source"] && uploads(&worker)?.len() == 1,
        "files were copied twice"
    );
    Ok(())
}

fn files_that_a_worker_sees_are_used_in_place(tab: &Tab, site: &Site) -> Result<()> {
    let root = site.given.root.join(RUNS);
    let worker = site.workers.start(with_root(&root))?;
    let run = site.given.root.join(RUN);
    visit::drop_run(tab, &worker.address(), &[&run])?;
    configure(tab, &site.given.root.join(CONFIG))?;
    tab.click(SEND)?;
    finish(tab)?;
    let place = tab.words("[data-test=worker-files]")?;
    ensure!(
        place.contains("in place") && place.contains(&run.display().to_string()),
        "the page says: {place}"
    );
    ensure!(uploads(&worker)?.is_empty(), "files were copied");
    watching::all_numbers_agree(tab, site)?;
    same_as_results(tab, &worker)
}

fn what_a_worker_is_asked_before_copying_can_be_given_up(tab: &Tab, site: &Site) -> Result<()> {
    let run = SlowRun::write()?;
    let worker = site.workers.start(Options::default())?;
    visit::drop_run(tab, &worker.address(), &[&run.folder()])?;
    tab.run(
        "const real = window.fetch;\
         window.fetch = (address, options) =>\
           address.endsWith('api/matches') ? new Promise(() => {}) : real(address, options)",
    )?;
    tab.click_when_shown(SEND)?;
    tab.wait_for_words("[data-test=sending]", "Asking the worker")?;
    tab.click("[data-test=cancel-sending]")?;
    tab.wait_until_gone("[data-test=sending]")?;
    let again = format!("document.querySelector('{SEND}:enabled')");
    tab.wait_for("the button that sends it again", &again)?;
    ensure!(!tab.has(DIALOG)?, "the page goes on with it");
    Ok(())
}

fn copying_that_is_cut_goes_on_where_it_was(tab: &Tab, site: &Site) -> Result<()> {
    let run = SlowRun::write()?;
    let worker = site.workers.start(Options::default())?;
    let network = Network::to(worker.host())?;
    copy_until_down(tab, &run, &network)?;
    network.bring_up();
    wait_for_units(tab, 1)?;
    tab.complaints()?;
    let uploads = uploads(&worker)?;
    let upload = uploads.first().context("nothing was copied")?;
    let mut compared = 0;
    for step in fs::read_dir(run.folder())? {
        let path = Path::new(&step?.file_name()).join("model.safetensors");
        let (here, there) = (
            fs::read(run.folder().join(&path))?,
            fs::read(upload.join(&path))?,
        );
        ensure!(here == there, "{} is another file", path.display());
        compared += here.len();
    }
    ensure!(
        compared > BYTES_UNTIL_DOWN,
        "{compared} bytes were compared"
    );
    finish(tab)?;
    same_as_results(tab, &worker)
}

fn files_that_no_analysis_reads_are_not_copied(tab: &Tab, site: &Site) -> Result<()> {
    let run = SlowRun::write()?;
    // A name that the worker would refuse, too.
    let others = ["optimizer.pt", "events-12:30.log"];
    for other in others {
        fs::write(run.folder().join(other), vec![0; 1 << 20])?;
    }
    let worker = site.workers.start(Options::default())?;
    visit::drop_run(tab, &worker.address(), &[&run.folder()])?;
    configure(tab, &run.config())?;
    tab.click(SEND)?;
    tab.wait_until_shown(DIALOG)?;
    let words = tab.words("[data-test=left-out]")?;
    ensure!(words.contains("2 files"), "the page says: {words}");
    tab.click("[data-test=agree]")?;
    finish(tab)?;
    let uploads = uploads(&worker)?;
    let upload = uploads.first().context("nothing was copied")?;
    for other in others {
        ensure!(!upload.join(other).exists(), "{other} was copied");
    }
    same_as_results(tab, &worker)
}

fn copying_that_the_worker_cannot_write_says_why(tab: &Tab, site: &Site) -> Result<()> {
    let run = SlowRun::write()?;
    let worker = site.workers.start(Options::default())?;
    let network = Network::to(worker.host())?;
    copy_until_down(tab, &run, &network)?;
    let uploads = uploads(&worker)?;
    let upload = uploads.first().context("nothing was copied")?;
    // Where the folders of the rest would be there are files.
    for step in fs::read_dir(run.folder())? {
        let place = upload.join(step?.file_name());
        if !place.exists() {
            fs::write(&place, "")?;
        }
    }
    network.bring_up();
    tab.wait_for_words(LOST, "cannot be written")?;
    tab.wait_for_words("[data-test=sending-failed]", "cannot be written")?;
    wait_until_thrown_away(&worker)?;
    tab.complaints().map(drop)
}

fn copying_that_is_given_up_leaves_nothing(tab: &Tab, site: &Site) -> Result<()> {
    let run = SlowRun::write()?;
    let worker = site.workers.start(Options::default())?;
    let network = Network::to(worker.host())?;
    copy_until_down(tab, &run, &network)?;
    ensure!(uploads(&worker)?.len() == 1, "nothing was copied");
    tab.run("scrollTo(0, 0)")?;
    let place = "document.querySelector('[data-test=copying]').getBoundingClientRect()";
    tab.wait_for(
        "copying in sight",
        &format!("(place => place.top >= 0 && place.bottom <= innerHeight)({place})"),
    )?;
    tab.wait_for_words(LOST, "in 4 s")?;
    network.bring_up();
    tab.click("[data-test=cancel-sending]")?;
    tab.wait_until_gone("[data-test=copying]")?;
    wait_until_thrown_away(&worker)?;
    tab.complaints()?;
    ensure!(
        worker.get("analyses")? == serde_json::json!([]),
        "there is an analysis"
    );
    Ok(())
}

fn a_copy_that_no_analysis_uses_goes_with_the_run(tab: &Tab, site: &Site) -> Result<()> {
    let run = SlowRun::write()?;
    let little = Options {
        arguments: vec!["--memory".to_owned(), "1M".to_owned()],
        ..Options::default()
    };
    let worker = site.workers.start(little)?;
    visit::drop_run(tab, &worker.address(), &[&run.folder()])?;
    configure(tab, &run.config())?;
    tab.click(SEND)?;
    tab.click_when_shown("[data-test=agree]")?;
    tab.wait_for_words("[data-test=sending-failed]", "of memory")?;
    // Whoever changes the config need not copy again.
    ensure!(uploads(&worker)?.len() == 1, "the copy is gone");
    tab.drop_files("main", &[&site.given.root.join(RUN)])?;
    wait_until_thrown_away(&worker)?;
    tab.complaints().map(drop)
}

fn an_analysis_of_copied_files_is_watched_beside_them(tab: &Tab, site: &Site) -> Result<()> {
    let run = SlowRun::write()?;
    let slow = Options {
        threads: Some(1),
        ..Options::default()
    };
    let worker = site.workers.start(slow)?;
    visit::drop_run(tab, &worker.address(), &[&run.folder()])?;
    configure(tab, &run.config())?;
    tab.click(SEND)?;
    tab.click_when_shown("[data-test=agree]")?;
    wait_for_units(tab, 1)?;
    companion::unfold(tab)?;
    tab.wait_for_words("[data-test=worker-facts]", "has a copy of it")?;
    tab.click("[data-test=worker-history]")?;
    tab.click_when_shown("[data-test=analysis-open]")?;
    finish(tab)?;
    ensure!(tab.has(SEND)?, "the run is closed");
    same_as_results(tab, &worker)
}

fn copying_ends_with_the_connection(tab: &Tab, site: &Site) -> Result<()> {
    let run = SlowRun::write()?;
    let worker = site.workers.start(Options::default())?;
    let network = Network::to(worker.host())?;
    copy_until_down(tab, &run, &network)?;
    tab.wait_for_words(LOST, "in 4 s")?;
    network.bring_up();
    companion::unfold(tab)?;
    tab.click("[data-test=worker-disconnect]")?;
    tab.wait_until_gone("[data-test=copying]")?;
    wait_until_thrown_away(&worker)?;
    tab.complaints().map(drop)
}

fn a_link_that_is_opened_ends_copying(tab: &Tab, site: &Site) -> Result<()> {
    let run = SlowRun::write()?;
    let worker = site.workers.start(Options::default())?;
    let network = Network::to(worker.host())?;
    visit::finish_demo(tab, network.address())?;
    let link = links::shared(tab, "share-with")?;
    let (_, hash) = link.split_once('#').context("the link carries nothing")?;
    copy_until_down(tab, &run, &network)?;
    tab.wait_for_words(LOST, "in 4 s")?;
    network.bring_up();
    tab.run(&format!("location.hash = '{hash}'"))?;
    tab.wait_for_words("[data-test=arrival]", "from a link")?;
    visit::wait_until_drawn(tab)?;
    wait_until_thrown_away(&worker)?;
    tab.complaints().map(drop)
}

/// Waits until the worker has nothing any more of what was copied to it.
fn wait_until_thrown_away(worker: &NativeWorker) -> Result<()> {
    let until = Instant::now() + Duration::from_secs(20);
    while !uploads(worker)?.is_empty() {
        ensure!(Instant::now() < until, "what was copied is still there");
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Begins to copy the slow run, until the network goes down in the middle of a file.
pub(super) fn copy_until_down(tab: &Tab, run: &SlowRun, network: &Network) -> Result<()> {
    visit::drop_run(tab, network.address(), &[&run.folder()])?;
    configure(tab, &run.config())?;
    tab.click(SEND)?;
    tab.wait_until_shown(DIALOG)?;
    network.take_down_after(BYTES_UNTIL_DOWN);
    tab.click("[data-test=agree]")?;
    tab.wait_for_words(LOST, "trying again in")
}

/// The folders of what was copied.
fn uploads(worker: &NativeWorker) -> Result<Vec<PathBuf>> {
    let folder = worker.data_folder().join("uploads");
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder)?;
    entries.map(|entry| Ok(entry?.path())).collect()
}
