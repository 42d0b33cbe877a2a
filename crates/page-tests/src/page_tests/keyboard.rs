//! Without a mouse.

use anyhow::{Result, ensure};

use super::visit::{self, tab_to};
use super::{PageTest, Site};
use crate::browser::Tab;

pub(super) const TESTS: &[PageTest] = page_tests![
    the_keyboard_is_enough_from_opening_to_results,
    the_keyboard_is_enough_to_ask,
];

fn the_keyboard_is_enough_from_opening_to_results(tab: &Tab, site: &Site) -> Result<()> {
    visit::open(tab, &site.page)?;
    tab_to(tab, "[data-test=demo]")?;
    tab.press("Enter")?;
    visit::wait_until_done(tab)?;
    visit::wait_until_drawn(tab)?;
    let before = visit::drawings(tab)?;
    tab_to(tab, "[data-test=choose-y] button:nth-of-type(3)")?;
    tab.press("Space")?;
    tab.wait_until_still()?;
    ensure!(visit::drawings(tab)? != before, "y is not logarithmic");
    tab_to(tab, "[data-test=drawing]")?;
    tab.press("ArrowLeft")?;
    tab.press("ArrowLeft")?;
    tab.wait_for_words("[data-test=cursor-at]", "step 1500")?;
    tab_to(tab, "[data-test=series-toggle]")?;
    let lines = tab.count("[data-test=card]:nth-of-type(1) .svg .series")?;
    tab.press("ArrowDown")?;
    tab.press("Enter")?;
    tab.wait_until_still()?;
    let left = tab.count("[data-test=card]:nth-of-type(1) .svg .series")?;
    ensure!(
        left == lines - 1,
        "{left} of {lines} lines after one was hidden"
    );
    Ok(())
}

/// From the tabs of the side to a run, and to a link.
fn the_keyboard_is_enough_to_ask(tab: &Tab, site: &Site) -> Result<()> {
    visit::open(tab, &site.page)?;
    tab_to(tab, "[data-test=demo]")?;
    tab.press("Enter")?;
    visit::wait_until_done(tab)?;
    tab_to(tab, "[role=tab]")?;
    tab.press("ArrowRight")?;
    tab.wait_until_shown("[data-test=yaml]")?;
    tab.press("ArrowLeft")?;
    tab_to(tab, "[data-test=metric-fold]")?;
    tab.press("Enter")?;
    tab_to(tab, "[data-test=metric-name]")?;
    tab.type_text("gini")?;
    tab_to(tab, "[data-test=run]")?;
    visit::wait_until_opened(tab)?;
    tab.run("window.endBefore = document.querySelector('[data-test=state-done]')")?;
    tab.press("Enter")?;
    tab.wait_for(
        "the end of another analysis",
        "(end => end && end !== window.endBefore)(document.querySelector('[data-test=state-done]'))",
    )?;
    tab_to(tab, "[data-test=share]")?;
    tab.press("Enter")?;
    tab.wait_until_shown("[data-test=share-link]")?;
    tab.press("Escape")?;
    tab.wait_until_gone("[data-test=share-dialog][open]")
}
