//! The demo run, from a click to a chart.

use anyhow::{Result, bail, ensure};

use super::{PageTest, Site};
use crate::browser::{Screen, Tab};

pub(super) const TESTS: &[PageTest] = &[
    PageTest {
        name: "the_page_opens_and_offers_the_demo_run",
        run: opens,
    },
    PageTest {
        name: "the_demo_run_ends_in_a_chart",
        run: demo_run,
    },
    PageTest {
        name: "a_chosen_step_is_read_out_in_every_legend",
        run: read_out,
    },
    PageTest {
        name: "heads_are_lines_of_their_own",
        run: heads,
    },
    PageTest {
        name: "nothing_is_wider_than_a_narrow_screen",
        run: narrow,
    },
];

/// Clicks through to the finished demo run.
pub(crate) fn finish(tab: &Tab, address: &str) -> Result<()> {
    tab.go(address)?;
    tab.wait_for(
        "the demo button",
        "document.querySelector('[data-test=demo]')",
    )?;
    tab.run("document.querySelector('[data-test=demo]').click()")?;
    tab.wait_for(
        "the end of the analysis",
        "document.querySelector('[data-test=state-done], [data-test=state-failed]')",
    )?;
    let failure =
        tab.run("return document.querySelector('[data-test=state-failed]')?.textContent")?;
    if let Some(message) = failure.as_str() {
        bail!("the page says: {message}");
    }
    Ok(())
}

fn opens(tab: &Tab, site: &Site) -> Result<()> {
    tab.go(&site.page)?;
    tab.wait_for(
        "the demo button",
        "document.querySelector('[data-test=demo]')",
    )
}

fn demo_run(tab: &Tab, site: &Site) -> Result<()> {
    finish(tab, &site.page)?;
    tab.wait_for(
        "a chart",
        "document.querySelector('[data-test=chart] svg polyline')",
    )?;
    let steps = tab.run("return document.querySelectorAll('[data-test=step]').length")?;
    ensure!(
        steps == 15,
        "the demo run has 15 steps, the page lists {steps}"
    );
    // Four components of three layers.
    let lines = tab.run(&format!("return {}.length", series("")))?;
    ensure!(lines == 12, "the first legend has {lines} entries");
    Ok(())
}

/// CKA with the last step is 1 at the last step and less at the first, in the legend as in theory.
fn read_out(tab: &Tab, site: &Site) -> Result<()> {
    finish(tab, &site.page)?;
    let value = format!("return parseFloat({}[0].textContent)", series(" b"));
    let last = tab.run(&value)?;
    ensure!(
        last.as_f64() == Some(1.0),
        "CKA of the last step with itself reads {last}"
    );
    tab.run("document.querySelector('[data-test=step]').click()")?;
    tab.wait_for("the cursor", "document.querySelector('.cursor')")?;
    let first = tab.run(&value)?;
    ensure!(
        first.as_f64() < Some(0.9),
        "CKA of the first step with the last reads {first}"
    );
    Ok(())
}

fn heads(tab: &Tab, site: &Site) -> Result<()> {
    finish(tab, &site.page)?;
    tab.run(
        "[...document.querySelectorAll('button')].find(b => b.textContent === 'heads').click()",
    )?;
    let named = format!(
        "[...{}].some(entry => entry.textContent.includes('head 3'))",
        series("")
    );
    tab.wait_for("a line per head", &named)
}

fn narrow(tab: &Tab, site: &Site) -> Result<()> {
    tab.show_on(Screen {
        width: 400,
        height: 800,
        dark: true,
    })?;
    finish(tab, &site.page)?;
    let width = tab.run("return document.documentElement.scrollWidth")?;
    ensure!(
        width.as_u64() <= Some(400),
        "the page is {width} pixels wide on a screen of 400"
    );
    Ok(())
}

/// JavaScript for the entries of the first legend, or what is in them.
fn series(inner: &str) -> String {
    format!(
        "document.querySelector('[data-test=legend]').querySelectorAll('[data-test=series]{inner}')"
    )
}
