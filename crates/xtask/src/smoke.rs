//! The built page in a real browser: the demo run, from a click to a chart.

use anyhow::{Result, bail, ensure};

use crate::browser::{Screen, Tab};
use crate::serve;
use crate::setup::Chromium;
use crate::steps::{Counts, Outcome};
use crate::workspace::Workspace;

/// What to do when a page test fails.
pub(crate) const ADVICE: &str =
    "`cargo xtask demo` serves the page; open it and its console, and do what the test says";

/// One test of the page.
struct PageTest {
    name: &'static str,
    run: fn(&Tab, &str) -> Result<()>,
}

const TESTS: &[PageTest] = &[
    PageTest {
        name: "the_page_opens_and_offers_the_demo_run",
        run: opens,
    },
    PageTest {
        name: "the_demo_run_ends_in_a_chart",
        run: demo_run,
    },
    PageTest {
        name: "nothing_is_wider_than_a_narrow_screen",
        run: narrow,
    },
];

/// Tests the page that is in `dist/`.
pub(crate) fn step(workspace: &Workspace) -> Result<Outcome> {
    ensure!(
        workspace.dist().join("index.html").is_file(),
        "there is no page yet: `cargo xtask build`"
    );
    let chromium = Chromium::find_or_install()?;
    let address = serve::start(workspace.dist(), 0)?;
    let mut counts = Counts::default();
    for test in TESTS {
        let result = Tab::open(&chromium).and_then(|tab| {
            (test.run)(&tab, &address)?;
            no_complaints(&tab)
        });
        match result {
            Ok(()) => counts.passed += 1,
            Err(_) => counts.failed += 1,
        }
        match result {
            Ok(()) => println!("test {} ... ok", test.name),
            Err(error) => println!("test {} ... FAILED\n    {error:#}", test.name),
        }
    }
    Ok(Outcome::Tested(counts))
}

/// Clicks through to the finished demo run.
pub(crate) fn run_demo(tab: &Tab, address: &str) -> Result<()> {
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

fn opens(tab: &Tab, address: &str) -> Result<()> {
    tab.go(address)?;
    tab.wait_for(
        "the demo button",
        "document.querySelector('[data-test=demo]')",
    )
}

fn demo_run(tab: &Tab, address: &str) -> Result<()> {
    run_demo(tab, address)?;
    tab.wait_for(
        "a chart",
        "document.querySelector('[data-test=chart] svg polyline')",
    )?;
    let steps = tab.run("return document.querySelectorAll('[data-test=step]').length")?;
    ensure!(
        steps == 15,
        "the demo run has 15 steps, the page lists {steps}"
    );
    let series = tab
        .run("return document.querySelectorAll('[data-test=legend] [data-test=series]').length")?;
    ensure!(series.as_u64() > Some(0), "the legend is empty");
    Ok(())
}

fn narrow(tab: &Tab, address: &str) -> Result<()> {
    tab.show_on(Screen {
        width: 400,
        height: 800,
        dark: true,
    })?;
    run_demo(tab, address)?;
    let width = tab.run("return document.documentElement.scrollWidth")?;
    ensure!(
        width.as_u64() <= Some(400),
        "the page is {width} pixels wide on a screen of 400"
    );
    Ok(())
}

fn no_complaints(tab: &Tab) -> Result<()> {
    let complaints = tab.complaints()?;
    ensure!(
        complaints.is_empty(),
        "the console says: {}",
        complaints.join("; ")
    );
    Ok(())
}
