//! Runs on a Hugging Face Hub: the page on one port, the hub on a second, the file host on a third.

mod addresses;
mod faults;
mod repositories;
mod suites;
mod tokens;

use anyhow::{Context, Result, bail, ensure};
use ckptscope_fake_hub::{FakeHub, Fault, Logged, Options, Origin, Rule, example};
use ckptscope_results::Results;
use serde_json::Value;

use super::{Site, numbers, visit};
use crate::browser::Tab;
use crate::given::RUN;

pub(super) use addresses::TESTS as ADDRESSES;
pub(super) use faults::TESTS as FAULTS;
pub(super) use repositories::TESTS as REPOSITORIES;
pub(super) use suites::TESTS as SUITES;
pub(super) use tokens::TESTS as TOKENS;

/// A hub, and the page that names it.
pub(super) struct World {
    pub(super) fake: FakeHub,
    pub(super) page: String,
}

impl World {
    /// With the small run in every form.
    fn new(site: &Site) -> Result<Self> {
        Self::with(site, Options::default())
    }

    fn with(site: &Site, options: Options) -> Result<Self> {
        let fake = example::hub(&site.given.root.join(RUN), options)?;
        let page = site.page_for_hub(fake.endpoint())?;
        Ok(Self { fake, page })
    }

    fn inject(&self, origin: Origin, contains: &str, skip: usize, times: usize, fault: Fault) {
        self.fake.inject(Rule {
            origin,
            contains: contains.to_owned(),
            skip,
            times,
            fault,
        });
    }

    /// Opens the page, and a place in it.
    fn open(&self, tab: &Tab, place: &str) -> Result<()> {
        visit::open(tab, &self.page)?;
        open_place(tab, place)?;
        visit::wait_until_opened(tab)
    }

    /// Opens the page, and a place that cannot be opened; gives what is said.
    fn refusal(&self, tab: &Tab, place: &str) -> Result<String> {
        visit::open(tab, &self.page)?;
        refusal(tab, place)
    }
}

/// Gives a place and presses Enter.
fn open_place(tab: &Tab, place: &str) -> Result<()> {
    enter(tab, "[data-test=remote-place]", place)?;
    tab.press("Enter")
}

/// Gives a place that cannot be opened; gives what is said.
fn refusal(tab: &Tab, place: &str) -> Result<String> {
    open_place(tab, place)?;
    tab.wait_until_shown("[data-test=state-failed]")?;
    let said = tab.words("[data-test=state-failed]")?;
    // The browser tells its console of every request that fails.
    tab.complaints()?;
    Ok(said)
}

/// Types into a field what shall be in it.
pub(super) fn enter(tab: &Tab, field: &str, text: &str) -> Result<()> {
    tab.click_when_shown(field)?;
    tab.press("Control+a")?;
    tab.press("Backspace")?;
    tab.type_text(text)
}

pub(super) fn says(said: &str, words: &[&str]) -> Result<()> {
    for words in words {
        ensure!(
            said.contains(words),
            "the page does not say {words}: {said}"
        );
    }
    Ok(())
}

/// How many requests, and how many bytes to so many, words like `12 requests, 3.4 MB` tell.
fn traffic(words: &str) -> Result<(u64, f64, f64)> {
    let (before, after) = words.split_once(" request").context("no requests")?;
    let requests = before.rsplit(' ').next().unwrap_or_default();
    let requests: u64 = requests.replace(',', "").parse()?;
    let (_, size) = after.split_once(", ").context("no bytes")?;
    let mut size = size.split(' ');
    let number: f64 = size.next().unwrap_or_default().parse()?;
    let unit = match size.next() {
        Some("B") => 1.0,
        Some("kB") => 1e3,
        Some("MB") => 1e6,
        unit => bail!("bytes in {unit:?}"),
    };
    Ok((requests, number * unit, 0.06 * unit))
}

/// What is said must be what the hub and its file host sent. They count the bodies of redirects
/// and what asks for permission (preflights), which a page does not see.
fn agree_on_traffic(words: &str, log: &[Logged]) -> Result<()> {
    let (requests, bytes, allowed) = traffic(words)?;
    let asked = log.iter().filter(|request| request.method != "OPTIONS");
    let asked: Vec<&Logged> = asked.collect();
    let sent = asked.iter().filter(|request| request.status < 300);
    let sent: u64 = sent.map(|request| request.body_bytes).sum();
    println!(
        "    {words}; the fake counts {} and {sent} bytes",
        asked.len()
    );
    ensure!(
        asked.len() as u64 == requests,
        "{} requests, not {words}",
        asked.len()
    );
    ensure!(
        (sent as f64 - bytes).abs() <= allowed,
        "{sent} bytes, not {words}"
    );
    Ok(())
}

/// Every number of a saved results file that is expected is as it is expected.
pub(super) fn agree(results: &Value, expected: &Value) -> Result<usize> {
    let results = Results::parse(&results.to_string())?;
    let mut compared = 0;
    for (id, point) in results.rows() {
        let (metric, key) = (&*id.entry.label, id.key());
        let place = format!("{}/step_{}", id.entry.split, point.step);
        let Some(wanted) = expected[&place][metric].get(&key) else {
            continue;
        };
        let (found, wanted) = (point.number(), wanted.as_f64());
        let status = point.status.map_or("", |status| &status.text);
        let allowed = numbers::allowed(metric, wanted, status);
        ensure!(
            numbers::is_same(found, wanted, allowed),
            "{place} {metric} {key}: {found:?} for {wanted:?}"
        );
        compared += 1;
    }
    Ok(compared)
}
