//! The built page in a real browser, one browser per test.

pub(crate) mod demo_run;
mod site;
mod tab;

use anyhow::{Context, Result, ensure};

use crate::browser::Tab;
use crate::serve::Served;
use crate::setup::Chromium;
use crate::steps::{Counts, Outcome};
use crate::workspace::Workspace;

/// What to do when a page test fails.
pub(crate) const ADVICE: &str =
    "`cargo xtask demo` serves the page; open it and its console, and do what the test says";

/// Where things stand while the tests run.
struct Site<'a> {
    workspace: &'a Workspace,
    /// The page at the root of a host that sends the page's Content-Security-Policy as a header,
    /// so that it binds the web worker as well.
    page: String,
    /// The page in a folder of a host that has nothing else.
    nested: String,
    /// `crates/xtask/fixtures`.
    fixtures: String,
}

/// One test of the page.
struct PageTest {
    name: &'static str,
    run: fn(&Tab, &Site) -> Result<()>,
}

const SUBJECTS: &[&[PageTest]] = &[tab::TESTS, site::TESTS, demo_run::TESTS];

/// Tests the page that is in `dist/`, by the tests whose names have `only` in them.
pub(crate) fn step(workspace: &Workspace, only: &str) -> Result<Outcome> {
    let chromium = Chromium::find_or_install()?;
    let site = Site::serve(workspace)?;
    let tests = SUBJECTS.iter().copied().flatten();
    let mut counts = Counts::default();
    for test in tests.filter(|test| test.name.contains(only)) {
        let result = Tab::open(&chromium).and_then(|tab| {
            (test.run)(&tab, &site)?;
            no_complaints(&tab)?;
            no_strangers(&tab)
        });
        match result {
            Ok(()) => {
                counts.passed += 1;
                println!("test {} ... ok", test.name);
            }
            Err(error) => {
                counts.failed += 1;
                println!("test {} ... FAILED\n    {error:#}", test.name);
            }
        }
    }
    ensure!(
        counts != Counts::default(),
        "no test of the page has {only} in its name"
    );
    Ok(Outcome::Tested(counts))
}

impl<'a> Site<'a> {
    fn serve(workspace: &'a Workspace) -> Result<Self> {
        let dist = workspace.dist();
        ensure!(
            dist.join("index.html").is_file(),
            "there is no page yet: `cargo xtask build`"
        );
        let page = std::fs::read_to_string(dist.join("index.html"))?;
        let with_policy = Served {
            policy: Some(policy(&page)?.to_owned()),
            ..Served::folder(dist.clone())
        };
        let nested = Served {
            prefix: "/some/folder/",
            ..Served::folder(dist)
        };
        Ok(Self {
            workspace,
            page: with_policy.start(0)?,
            nested: nested.start(0)?,
            fixtures: Served::folder(workspace.root.join("crates/xtask/fixtures")).start(0)?,
        })
    }
}

/// The Content-Security-Policy that the page states.
fn policy(page: &str) -> Result<&str> {
    page.split_once("http-equiv=\"Content-Security-Policy\" content=\"")
        .and_then(|(_, rest)| rest.split('"').next())
        .context("index.html states no Content-Security-Policy")
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

fn no_strangers(tab: &Tab) -> Result<()> {
    let strangers = tab.strangers();
    ensure!(
        strangers.is_empty(),
        "the page asked other hosts: {}",
        strangers.join("; ")
    );
    Ok(())
}
