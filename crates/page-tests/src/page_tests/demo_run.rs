//! The demo run, from a click to charts.

use anyhow::{Result, ensure};

use super::{PageTest, Site, visit};
use crate::browser::Tab;

pub(super) const TESTS: &[PageTest] = page_tests![
    the_page_opens_and_offers_the_demo_run,
    the_demo_run_ends_in_charts,
    the_demo_run_works_on_any_number_of_processors,
];

fn the_page_opens_and_offers_the_demo_run(tab: &Tab, site: &Site) -> Result<()> {
    visit::open(tab, &site.page)?;
    let button = tab.words("[data-test=demo]")?;
    ensure!(button.contains("demo"), "the button says {button}");
    Ok(())
}

fn the_demo_run_ends_in_charts(tab: &Tab, site: &Site) -> Result<()> {
    visit::finish_demo(tab, &site.page)?;
    let found = tab.words("header .source")?;
    ensure!(
        found.contains("15 steps") && found.contains("3 layers"),
        "the page found {found}"
    );
    let cards = tab.count("[data-test=card]")?;
    ensure!(cards == 15, "there are {cards} charts");
    // Four components of three layers.
    let legends = visit::legends(tab)?;
    let first = legends.first().map(Vec::as_slice).unwrap_or_default();
    ensure!(
        first.len() == 12,
        "the first legend has {} entries",
        first.len()
    );
    // CKA of the last step with itself.
    for (name, value) in first {
        ensure!(value.parse() == Ok(1.0), "{name} ends at {value}");
    }
    Ok(())
}

fn the_demo_run_works_on_any_number_of_processors(tab: &Tab, site: &Site) -> Result<()> {
    tab.hide_processors()?;
    visit::finish_demo(tab, &site.page)
}
