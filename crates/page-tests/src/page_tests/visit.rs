//! What visitors do and see in several tests.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::browser::Tab;

/// Lets a test see, hold back and end what web workers do, as `workerControl`.
const WORKER_CONTROL: &str = include_str!("../../fixtures/workers.js");

/// How many times Tab is pressed before something counts as out of the keyboard's reach.
const MOST_TABS: usize = 150;

/// The end of an analysis, whatever it is.
const ENDS: &str = "[data-test=state-done], [data-test=state-failed], [data-test=state-cancelled]";

/// Opens the page as a visitor who comes for the first time, and waits until it is there.
pub(crate) fn open(tab: &Tab, address: &str) -> Result<()> {
    // What a tab remembers of itself over a reload is of an earlier visit.
    tab.run("try { ['analysis', 'config'].forEach(key => sessionStorage.removeItem('ckptscope-' + key)) } catch {}")?;
    // An address that differs behind `#` alone would not load the page anew.
    tab.go("about:blank")?;
    tab.go(address)?;
    tab.wait_for("the page", "document.querySelector('main, aside')")
}

/// Opens the page with `workerControl` in it.
pub(crate) fn open_with_worker_control(tab: &Tab, address: &str) -> Result<()> {
    tab.before_load(WORKER_CONTROL)?;
    open(tab, address)
}

/// Opens the page and clicks on the demo run, which is computed at once.
pub(crate) fn start_demo(tab: &Tab, address: &str) -> Result<()> {
    open(tab, address)?;
    tab.click_when_shown("[data-test=demo]")
}

/// The same, until everything is computed and drawn.
pub(crate) fn finish_demo(tab: &Tab, address: &str) -> Result<()> {
    start_demo(tab, address)?;
    wait_until_done(tab)?;
    wait_until_drawn(tab)
}

/// Opens the page and drops a run on it; nothing is computed.
pub(crate) fn drop_run(tab: &Tab, address: &str, run: &[&Path]) -> Result<()> {
    open(tab, address)?;
    tab.drop_files("main", run)?;
    wait_until_opened(tab)
}

/// Waits until a run is open and its proposal is checked.
pub(crate) fn wait_until_opened(tab: &Tab) -> Result<()> {
    tab.wait_for(
        "an opened run",
        "document.querySelector('[data-test=state-failed]') \
         || document.querySelector('[data-test=run]:enabled') \
            && document.querySelector('[data-test=cost]').textContent",
    )?;
    no_failure(tab)?;
    // What it costs moved the button.
    tab.wait_until_still()
}

/// Clicks on Run, and waits for the end.
pub(crate) fn run_proposal(tab: &Tab) -> Result<()> {
    tab.run("window.endBefore = document.querySelector('[data-test=state-done]')")?;
    tab.click("[data-test=run]")?;
    tab.wait_for(
        "the end of the analysis",
        &format!("[...document.querySelectorAll('{ENDS}')].some(end => end !== window.endBefore)"),
    )?;
    no_failure(tab)?;
    wait_until_drawn(tab)
}

/// Waits for the end of an analysis, which must be a good one.
pub(crate) fn wait_until_done(tab: &Tab) -> Result<()> {
    let end = format!("document.querySelector('{ENDS}')");
    tab.wait_for("the end of the analysis", &end)?;
    no_failure(tab)?;
    ensure!(tab.has("[data-test=state-done]")?, "the analysis stopped");
    Ok(())
}

/// Waits until there is a chart with lines, and nothing more is being drawn.
pub(crate) fn wait_until_drawn(tab: &Tab) -> Result<()> {
    tab.wait_for(
        "a chart that has all numbers",
        "document.querySelector('[data-test=drawing] .series polyline') \
         && !document.querySelector('[data-test=results][aria-busy=true]')",
    )?;
    tab.wait_until_still()
}

/// Goes away, so that the page asks nobody any more, and passes over what the console was told of
/// requests that failed.
pub(crate) fn leave(tab: &Tab) -> Result<()> {
    tab.go("about:blank")?;
    tab.complaints().map(drop)
}

/// The page must not say that something failed.
pub(crate) fn no_failure(tab: &Tab) -> Result<()> {
    if tab.has("[data-test=state-failed]")? {
        bail!("the page says: {}", tab.words("[data-test=state-failed]")?);
    }
    Ok(())
}

/// Clicks on an option of the toolbar: `choose(tab, "y", "log")`.
pub(crate) fn choose(tab: &Tab, what: &str, option: &str) -> Result<()> {
    let group = format!("[data-test=choose-{what}]");
    let place = tab.run(&format!(
        "const buttons = document.querySelectorAll({} + ' .seg button');\
         return [...buttons].findIndex(button => button.textContent.trim() === {}) + 1",
        json!(group),
        json!(option)
    ))?;
    let place = place.as_u64().filter(|place| *place > 0);
    let place = place.with_context(|| format!("{what} cannot be {option}"))?;
    tab.click(&format!("{group} .seg button:nth-of-type({place})"))?;
    tab.wait_until_still()
}

/// The drawings of all charts that are filled, as SVG text. What is away from the window is drawn
/// when it comes near, so each comes there first.
pub(crate) fn drawings(tab: &Tab) -> Result<Vec<String>> {
    let cards = tab.run("return document.querySelectorAll('[data-test=card]').length")?;
    for index in 0..cards.as_u64().unwrap_or_default() {
        tab.run(&format!(
            "document.querySelectorAll('[data-test=card]')[{index}].scrollIntoView()"
        ))?;
        tab.wait_until_still()?;
    }
    tab.run("scrollTo(0, 0)")?;
    tab.wait_until_still()?;
    let found = tab.run(
        "return [...document.querySelectorAll('[data-test=card] [data-test=drawing] svg')]\
           .map(svg => svg.outerHTML)",
    )?;
    let texts = found.as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |text: &Value| text.as_str().map(str::to_owned);
    Ok(texts.iter().filter_map(text).collect())
}

/// What the first legends say: (name of a series, value at the cursor), chart by chart.
pub(crate) fn legends(tab: &Tab) -> Result<Vec<Vec<(String, String)>>> {
    let found = tab.run(
        "return [...document.querySelectorAll('[data-test=card]')].map(card =>\
           [...card.querySelectorAll('[data-test=series]')].map(series =>\
             [series.querySelector('.name').textContent, series.querySelector('b').textContent]))",
    )?;
    Ok(serde_json::from_value(found)?)
}

/// Presses Tab until what is wanted has the focus. Whatever has it on the way must show it.
pub(crate) fn tab_to(tab: &Tab, selector: &str) -> Result<()> {
    for _ in 0..MOST_TABS {
        tab.press("Tab")?;
        let focus = tab.run(&format!(
            "const focus = document.activeElement;\
             const style = getComputedStyle(focus);\
             const shows = style.outlineStyle !== 'none' || style.boxShadow !== 'none';\
             return [focus.matches({}), shows || focus === document.body, focus.outerHTML.slice(0, 120)]",
            json!(selector)
        ))?;
        ensure!(
            focus[1] == true,
            "nobody sees that {} has the focus",
            focus[2]
        );
        if focus[0] == true {
            return Ok(());
        }
    }
    bail!("Tab does not lead to {selector}")
}

impl Tab {
    /// Whether there is such an element.
    pub(crate) fn has(&self, selector: &str) -> Result<bool> {
        Ok(self.count(selector)? > 0)
    }

    /// How many such elements there are.
    pub(crate) fn count(&self, selector: &str) -> Result<u64> {
        let script = format!(
            "return document.querySelectorAll({}).length",
            json!(selector)
        );
        self.run(&script)?.as_u64().context("no number")
    }

    /// The words that show in an element.
    pub(crate) fn words(&self, selector: &str) -> Result<String> {
        let script = format!(
            "return document.querySelector({})?.innerText",
            json!(selector)
        );
        let words = self.run(&script)?;
        let words = words.as_str();
        Ok(words
            .with_context(|| format!("there is no {selector}"))?
            .to_owned())
    }

    /// What a field holds.
    pub(crate) fn value(&self, selector: &str) -> Result<String> {
        let script = format!("return document.querySelector({})?.value", json!(selector));
        let value = self.run(&script)?;
        let value = value.as_str();
        Ok(value
            .with_context(|| format!("there is no {selector}"))?
            .to_owned())
    }

    /// Waits until there is such an element.
    pub(crate) fn wait_until_shown(&self, selector: &str) -> Result<()> {
        self.wait_for(
            selector,
            &format!("document.querySelector({})", json!(selector)),
        )
    }

    /// Waits until there is no such element.
    pub(crate) fn wait_until_gone(&self, selector: &str) -> Result<()> {
        let expression = format!("!document.querySelector({})", json!(selector));
        self.wait_for(&format!("the end of {selector}"), &expression)
    }

    /// Waits until an element is there and says something, and gives it.
    pub(crate) fn wait_for_words(&self, selector: &str, words: &str) -> Result<()> {
        let expression = format!(
            "[...document.querySelectorAll({})].some(one => one.innerText.includes({}))",
            json!(selector),
            json!(words)
        );
        self.wait_for(&format!("\"{words}\" in {selector}"), &expression)
    }

    /// Clicks on an element as soon as it is there.
    pub(crate) fn click_when_shown(&self, selector: &str) -> Result<()> {
        self.wait_until_shown(selector)?;
        self.click(selector)
    }

    /// Chooses an option of a menu by typing the beginning of its name.
    pub(crate) fn choose_option(&self, selector: &str, name: &str) -> Result<()> {
        self.run(&format!(
            "document.querySelector({}).focus()",
            json!(selector)
        ))?;
        self.type_text(name)?;
        let chosen = self.value(selector)?;
        ensure!(chosen == name, "{selector} is {chosen} after typing {name}");
        Ok(())
    }

    /// Waits until the page has not changed for a while.
    pub(crate) fn wait_until_still(&self) -> Result<()> {
        self.run_async(
            "let timer;\
             const end = () => { watch.disconnect(); requestAnimationFrame(() => done()) };\
             const wait = () => { clearTimeout(timer); timer = setTimeout(end, 150) };\
             const watch = new MutationObserver(wait);\
             watch.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});\
             wait();",
        )
        .map(drop)
    }
}
