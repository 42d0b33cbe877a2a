//! An analysis under way: stopped by a person, and hindered by workers that die.

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::visit;
use super::{PageTest, Site, numbers, saving};
use crate::browser::Tab;

pub(super) const TESTS: &[PageTest] = page_tests![
    cancel_answers_at_once,
    a_lane_whose_worker_dies_is_tried_again,
    a_lane_whose_worker_dies_twice_is_left_out,
];

/// How long a visitor may wait for an answer to Cancel, in milliseconds.
const PATIENCE: f64 = 100.0;

/// Other programs on this machine make it longer than it is: the best of so many counts.
const ATTEMPTS: usize = 5;

fn cancel_answers_at_once(tab: &Tab, site: &Site) -> Result<()> {
    visit::open_with_worker_control(tab, &site.page)?;
    let mut waited = f64::INFINITY;
    for _ in 0..ATTEMPTS {
        waited = waited.min(time_to_cancel(tab)?);
        if waited < PATIENCE {
            break;
        }
        visit::open(tab, &site.page)?;
    }
    ensure!(waited < PATIENCE, "cancel took {waited} ms");
    println!("    cancel answered in {waited:.1} ms");
    tab.run("workerControl.release()")?;
    visit::run_proposal(tab)?;
    ensure!(
        tab.has("[data-test=state-done]")?,
        "it could not be run again"
    );
    all_numbers_agree(tab, site)
}

/// Milliseconds from a click on Cancel while the demo is computed to the answer.
fn time_to_cancel(tab: &Tab) -> Result<f64> {
    // The last lane waits, so that the analysis cannot be done before the click.
    tab.run("workerControl.lanesLetThrough = 2")?;
    tab.click("[data-test=demo]")?;
    tab.wait_for("a lane", "workerControl.asked.lane > 0")?;
    tab.wait_until_shown("[data-test=cancel-analysis]")?;
    tab.run(
        "document.addEventListener('click', ({timeStamp}) => window.clicked = timeStamp, {capture: true, once: true});\
         const watch = new MutationObserver(() => {\
           if (document.querySelector('[data-test=state-cancelled]')) window.answered ??= performance.now();\
         });\
         watch.observe(document.body, {subtree: true, childList: true})",
    )?;
    tab.click("[data-test=cancel-analysis]")?;
    tab.wait_for("an answer", "window.answered")?;
    let waited = tab.run("return window.answered - window.clicked")?;
    waited.as_f64().context("nobody clicked")
}

fn a_lane_whose_worker_dies_is_tried_again(tab: &Tab, site: &Site) -> Result<()> {
    with_deaths(tab, site, 1)?;
    ensure!(!tab.has("[data-test=failures]")?, "a lane is left out");
    let warnings = warnings(tab)?;
    ensure!(
        warnings.contains("memory ran out"),
        "the warnings do not say it: {warnings}"
    );
    all_numbers_agree(tab, site)
}

fn a_lane_whose_worker_dies_twice_is_left_out(tab: &Tab, site: &Site) -> Result<()> {
    with_deaths(tab, site, 2)?;
    let failures = tab.words("[data-test=failures]")?;
    ensure!(
        failures.contains("1 layer could not be computed") && failures.contains("memory ran out"),
        "the page says: {failures}"
    );
    let legends = visit::legends(tab)?;
    let first = legends.first().context("there is no chart")?;
    let layers = |layer: &str| {
        first
            .iter()
            .filter(|(name, _)| name.starts_with(layer))
            .count()
    };
    let counts = ["layer 0", "layer 1", "layer 2"].map(layers);
    ensure!(
        counts.iter().sum::<usize>() == 8,
        "the layers have {counts:?} series"
    );
    all_numbers_agree(tab, site)
}

/// Runs the demo to the end while the first lane's worker dies so many times.
fn with_deaths(tab: &Tab, site: &Site, deaths: u64) -> Result<()> {
    visit::open_with_worker_control(tab, &site.page)?;
    tab.run(&format!("workerControl.deaths = {}", json!(deaths)))?;
    tab.click("[data-test=demo]")?;
    visit::wait_until_done(tab)?;
    visit::wait_until_drawn(tab)?;
    let left = tab.run("return workerControl.deaths")?;
    ensure!(left == 0, "{left} workers did not die");
    Ok(())
}

fn warnings(tab: &Tab) -> Result<String> {
    tab.click_when_shown("[data-test=warnings] summary")?;
    tab.words("[data-test=warnings]")
}

/// Every number that can be saved is the expected one.
pub(super) fn all_numbers_agree(tab: &Tab, site: &Site) -> Result<()> {
    let folder = tempfile::tempdir()?;
    tab.download_to(folder.path())?;
    let saved = saving::save(tab, folder.path(), "save-all-csv", "demo_results.csv")?;
    let expected = numbers::expected(site.given)?;
    let rows = numbers::rows(&saved)?;
    ensure!(rows.len() > 1000, "there are {} numbers", rows.len());
    for row in rows {
        let (metric, split) = (
            row.field("metric").to_owned(),
            row.field("split").to_owned(),
        );
        numbers::agree(&[row], &metric, &split, &expected)?;
    }
    Ok(())
}
