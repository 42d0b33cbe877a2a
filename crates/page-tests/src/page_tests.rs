//! The built page in real browsers, one per test.

/// Functions of a tab and a site as tests, each called as the function is.
macro_rules! page_tests {
    [$($test:ident),* $(,)?] => {
        &[$($crate::page_tests::PageTest {
            name: stringify!($test),
            run: $test,
        }),*]
    };
}

mod charts;
mod checkpoints;
mod command_line;
mod companion;
mod config;
mod demo_run;
mod drawing;
mod field;
mod hub;
mod kept;
mod keyboard;
mod large_files;
mod links;
pub(crate) mod native_worker;
mod numbers;
mod opening;
mod rules;
mod saving;
mod sending;
mod site;
mod smoothness;
pub(crate) mod states;
mod tab;
mod trouble;
mod visit;
mod watching;

pub(crate) use self::checkpoints::write_whole;

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, ensure};

use self::native_worker::Workers;
use crate::browser::{Screen, Tab};
use crate::given::Given;
use ckptscope_loopback::Served;

/// What tests show the page on, where nothing else matters.
const USUAL: Screen = Screen {
    width: 1280,
    height: 900,
    dark: false,
};

/// Where things stand while the tests run.
struct Site<'a> {
    given: &'a Given,
    /// The page at the root of a host that sends the page's Content-Security-Policy as a header,
    /// so that it binds the web worker as well.
    page: String,
    /// The page in a folder of such a host that has nothing else.
    nested: String,
    /// The page on a host that sends no policy.
    plain: String,
    /// `crates/page-tests/fixtures`.
    fixtures: String,
    /// The page as `page` is served.
    served: Served,
    workers: Workers,
}

/// One test of the page.
struct PageTest {
    name: &'static str,
    run: fn(&Tab, &Site) -> Result<()>,
}

/// Tests that run beside others. The walks through all states are the longest, and come first.
const BESIDE_OTHERS: &[&[PageTest]] = &[
    states::TESTS,
    site::TESTS,
    demo_run::TESTS,
    opening::TESTS,
    trouble::TESTS,
    config::TESTS,
    charts::TESTS,
    saving::TESTS,
    links::TESTS,
    hub::REPOSITORIES,
    hub::SUITES,
    hub::ADDRESSES,
    hub::TOKENS,
    hub::FAULTS,
    kept::TESTS,
    rules::TESTS,
    keyboard::TESTS,
    companion::CONNECTING,
    companion::RUNS,
    companion::ANALYSES,
    command_line::TESTS,
    field::TESTS,
    sending::COPYING,
    sending::TOO_MUCH,
];

/// Tests that measure time or memory, which another browser beside them would falsify.
const ALONE: &[&[PageTest]] = &[
    tab::TESTS,
    watching::TESTS,
    smoothness::TESTS,
    large_files::TESTS,
    sending::TESTS,
];

/// How many browsers are tested at once: most of a test is waiting.
const LANES: usize = 2;

/// `browser [NAME]`: tests the page that is in `dist/`, by the tests whose names have NAME in them.
pub(crate) fn run(given: &Given, mut arguments: lexopt::Parser) -> Result<ExitCode> {
    let only = match arguments.next()? {
        Some(lexopt::Arg::Value(name)) => name.to_string_lossy().into_owned(),
        _ => String::new(),
    };
    let named = |subjects: &[&'static [PageTest]]| -> Vec<&'static PageTest> {
        let tests = subjects.iter().copied().flatten();
        tests.filter(|test| test.name.contains(&only)).collect()
    };
    let outcomes = [
        run_all(given, &named(BESIDE_OTHERS), LANES)?,
        run_all(given, &named(ALONE), 1)?,
    ]
    .concat();
    ensure!(
        !outcomes.is_empty(),
        "no test of the page has {only} in its name"
    );
    Ok(conclude(&outcomes))
}

/// Says how many tests passed, in the words that `cargo xtask` sums up.
pub(crate) fn conclude(outcomes: &[bool]) -> ExitCode {
    let passed = outcomes.iter().filter(|passed| **passed).count();
    let failed = outcomes.len() - passed;
    let (word, code) = match failed {
        0 => ("ok", ExitCode::SUCCESS),
        _ => ("FAILED", ExitCode::FAILURE),
    };
    println!("test result: {word}. {passed} passed; {failed} failed");
    code
}

/// Says what a test came to; whether it passed.
pub(crate) fn told(name: &str, start: Instant, result: &Result<()>) -> bool {
    let seconds = start.elapsed().as_secs_f64();
    match result {
        Ok(()) => println!("test {name} ... ok ({seconds:.1} s)"),
        Err(error) => println!("test {name} ... FAILED\n    {error:#}"),
    }
    result.is_ok()
}

/// Which tests passed. Each lane has servers of its own, and takes the next test that none took.
fn run_all(given: &Given, tests: &[&PageTest], lanes: usize) -> Result<Vec<bool>> {
    let next = AtomicUsize::new(0);
    let lane = || {
        let site = Site::serve(given)?;
        let mut passed = Vec::new();
        while let Some(test) = tests.get(next.fetch_add(1, Ordering::Relaxed)) {
            passed.push(site.test(test));
        }
        anyhow::Ok(passed)
    };
    let outcomes = thread::scope(|scope| {
        let lanes: Vec<_> = (0..lanes).map(|_| scope.spawn(lane)).collect();
        let join = |lane: thread::ScopedJoinHandle<'_, Result<Vec<bool>>>| {
            lane.join().map_err(|_| anyhow!("a lane panicked"))?
        };
        lanes.into_iter().map(join).collect::<Result<Vec<_>>>()
    })?;
    Ok(outcomes.concat())
}

impl<'a> Site<'a> {
    fn serve(given: &'a Given) -> Result<Self> {
        let plain = Served::folder(given.dist());
        let with_policy = with_policy(given)?;
        let nested = Served {
            prefix: "/some/folder/",
            ..with_policy.clone()
        };
        Ok(Self {
            given,
            page: with_policy.clone().start(0)?,
            nested: nested.start(0)?,
            plain: plain.start(0)?,
            fixtures: Served::folder(given.root.join("crates/page-tests/fixtures")).start(0)?,
            served: with_policy,
            workers: Workers::of(given),
        })
    }

    /// The page on a port of its own, with another hub in it.
    fn page_for_hub(&self, endpoint: &str) -> Result<String> {
        let served = Served {
            hub: Some(endpoint.to_owned()),
            ..self.served.clone()
        };
        Ok(served.start(0)?)
    }

    /// Runs a test and says what it came to; whether it passed.
    fn test(&self, test: &PageTest) -> bool {
        let start = Instant::now();
        let result = self.as_another_visitor(|tab| (test.run)(tab, self));
        self.workers.end_left();
        told(test.name, start, &result)
    }

    /// Has somebody visit with a browser and a profile of their own. Whatever they do, the page
    /// must not complain in its console, and must ask nobody else.
    fn as_another_visitor(&self, visit: impl FnOnce(&Tab) -> Result<()>) -> Result<()> {
        // chromedriver looks for a port of its own, and another program may be faster.
        let tab = Tab::open(self.given).or_else(|_| Tab::open(self.given))?;
        tab.show_on(USUAL)?;
        visit(&tab)?;
        no_complaints(&tab)?;
        no_strangers(&tab)
    }
}

/// The page that is in `dist/`, with its policy as a header.
pub(crate) fn with_policy(given: &Given) -> Result<Served> {
    let dist = given.dist();
    let page = std::fs::read_to_string(dist.join("index.html"));
    let page = page.context("there is no page yet: `cargo xtask build`")?;
    Ok(Served {
        policy: Some(policy(&page)?.to_owned()),
        ..Served::folder(dist)
    })
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
