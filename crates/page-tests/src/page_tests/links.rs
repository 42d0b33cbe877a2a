//! Links that carry an analysis.

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::saving::{self, TALL};
use super::visit;
use super::{PageTest, Site};
use crate::browser::Tab;
use ckptscope_loopback::Served;

pub(super) const TESTS: &[PageTest] = page_tests![
    a_link_shows_the_same_charts_without_computing,
    a_link_without_results_computes_them,
    a_broken_link_says_what_is_wrong,
    a_link_shows_the_chart_that_it_names,
    a_results_file_opens_by_its_address,
];

fn a_link_shows_the_same_charts_without_computing(tab: &Tab, site: &Site) -> Result<()> {
    tab.show_on(TALL)?;
    visit::finish_demo(tab, &site.page)?;
    visit::choose(tab, "y", "log")?;
    let drawings = visit::drawings(tab)?;
    let link = shared(tab, "share-with")?;
    site.as_another_visitor(|tab| {
        tab.show_on(TALL)?;
        visit::open_with_worker_control(tab, &link)?;
        visit::wait_until_drawn(tab)?;
        println!("    {} characters", link.len());
        let lanes = tab.run("return workerControl.asked.lane ?? 0")?;
        ensure!(lanes == 0, "{lanes} lanes were computed");
        let fetched = tab.run(
            "return performance.getEntriesByType('resource').filter(({name}) => name.includes('/demo/')).length",
        )?;
        ensure!(fetched == 0, "{fetched} files of the demo run were fetched");
        let found = visit::drawings(tab)?;
        ensure!(found.len() == drawings.len(), "{} charts of {}", found.len(), drawings.len());
        ensure!(found == drawings, "the charts differ");
        Ok(())
    })
}

fn a_link_without_results_computes_them(tab: &Tab, site: &Site) -> Result<()> {
    tab.show_on(TALL)?;
    visit::finish_demo(tab, &site.page)?;
    visit::choose(tab, "y", "log")?;
    let drawings = visit::drawings(tab)?;
    let link = shared(tab, "share-without")?;
    site.as_another_visitor(|tab| {
        tab.show_on(TALL)?;
        visit::open_with_worker_control(tab, &link)?;
        visit::wait_until_done(tab)?;
        visit::wait_until_drawn(tab)?;
        let lanes = tab.run("return workerControl.asked.lane ?? 0")?;
        ensure!(lanes.as_u64() > Some(0), "nothing was computed");
        ensure!(visit::drawings(tab)? == drawings, "the charts differ");
        Ok(())
    })
}

fn a_broken_link_says_what_is_wrong(tab: &Tab, site: &Site) -> Result<()> {
    visit::finish_demo(tab, &site.page)?;
    let link = shared(tab, "share-with")?;
    let cut = link.get(..link.len() / 2).context("a link in ASCII")?;
    let newer = format!(
        "{}#a={}",
        site.page,
        stored(br#"{"v": 99, "colour": "infrared"}"#)
    );
    let foreign = format!("{}#a={}", site.page, stored(br#"{"cat": "picture"}"#));
    let cases = [
        (cut.to_owned(), "copy it again"),
        (format!("{}#a=%%%", site.page), "damaged"),
        (format!("{}#a=AAAA", site.page), "copy it again"),
        (newer, "version 99"),
        (foreign, "something else"),
    ];
    for (address, words) in cases {
        visit::open(tab, &address)?;
        tab.wait_for_words("[role=alert]", words)?;
        ensure!(tab.has("[data-test=demo]")?, "there is no way on");
    }
    // The page is usable afterwards.
    tab.click("[data-test=demo]")?;
    visit::wait_until_drawn(tab)
}

/// What links call charts, also those of earlier pages and of pages that have more, and what is
/// chosen then.
const NAMED: &[(&str, &str)] = &[
    ("heatmap", "Heatmap"),
    ("heads", "Heads"),
    ("table", "Table"),
    ("line", "Lines"),
    ("lines", "Lines"),
    ("not yet invented", "Lines"),
];

fn a_link_shows_the_chart_that_it_names(tab: &Tab, site: &Site) -> Result<()> {
    let config = "analysis_name: link\nmetrics:\n  - metric_name: gini\n    data_split: val\n    \
        components:\n      - {component_name: simple, data_type: weights, layer_suffixes: \
        attention.o_proj, layers: all}\nsteps: [0, 1]\n";
    for (name, chosen) in NAMED {
        let content = json!({
            "v": 2, "source": {"kind": "demo"}, "config": config, "view": {"mode": name},
        });
        let link = format!("{}#a={}", site.page, stored(content.to_string().as_bytes()));
        visit::open(tab, &link)?;
        visit::wait_until_done(tab)?;
        tab.wait_for_words("[data-test=choose-view] [aria-pressed=true]", chosen)
            .with_context(|| format!("a link that names {name}"))?;
    }
    Ok(())
}

fn a_results_file_opens_by_its_address(tab: &Tab, site: &Site) -> Result<()> {
    tab.show_on(TALL)?;
    visit::finish_demo(tab, &site.page)?;
    let drawings = visit::drawings(tab)?;
    let folder = tempfile::tempdir()?;
    tab.download_to(folder.path())?;
    saving::save(tab, folder.path(), "save-results", "demo.ckptscope.json")?;
    let host = |is_shared| {
        let folder = folder.path().to_path_buf();
        let served = Served {
            is_shared,
            ..Served::folder(folder)
        };
        served.start(0)
    };
    let address = |host: &str, file: &str| format!("{}#results={host}{file}", site.page);
    let (open_host, closed_host) = (host(true)?, host(false)?);
    site.as_another_visitor(|tab| {
        tab.show_on(TALL)?;
        visit::open_with_worker_control(tab, &address(&open_host, "demo.ckptscope.json"))?;
        visit::wait_until_drawn(tab)?;
        ensure!(visit::drawings(tab)? == drawings, "the charts differ");
        tab.wait_for_words("[data-test=arrival]", "Nothing was computed here")?;
        let lanes = tab.run("return workerControl.asked.lane ?? 0")?;
        ensure!(lanes == 0, "{lanes} lanes were computed");
        Ok(())
    })?;
    visit::open(tab, &address(&open_host, "missing.json"))?;
    tab.wait_for_words("[role=alert]", "there is no file at")?;
    visit::open(tab, &address(&closed_host, "demo.ckptscope.json"))?;
    tab.wait_for_words("[role=alert]", "CORS")?;
    // The browser tells the console of each.
    tab.complaints().map(drop)
}

/// Makes a link of what is shown.
pub(super) fn shared(tab: &Tab, kind: &str) -> Result<String> {
    tab.click("[data-test=share]")?;
    tab.click_when_shown(&format!("[data-test={kind}]"))?;
    tab.wait_until_still()?;
    tab.wait_until_shown("[data-test=share-link]")?;
    let link = tab.value("[data-test=share-link]")?;
    ensure!(link.contains("#a="), "the link is {link}");
    tab.click("[data-test=share-close]")?;
    Ok(link)
}

/// Deflate without compression (RFC 1951, 3.2.4), as links write it.
fn stored(text: &[u8]) -> String {
    let length = (text.len() as u16).to_le_bytes();
    let complement = (!(text.len() as u16)).to_le_bytes();
    URL_SAFE_NO_PAD.encode([&[1], &length[..], &complement, text].concat())
}
