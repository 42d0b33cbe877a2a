//! Form and YAML: two views of one config.

use anyhow::{Context, Result, ensure};

use super::visit;
use super::{PageTest, Site};
use crate::browser::Tab;
use crate::given::RUN;

pub(super) const TESTS: &[PageTest] = page_tests![
    the_yaml_follows_the_form,
    the_form_follows_the_yaml,
    an_error_shows_at_its_line,
    an_error_leads_to_its_line,
    edits_can_be_undone,
];

const YAML: &str = "[data-test=yaml]";
const FIRST: &str = "[data-test=metric]:nth-of-type(1)";

fn the_yaml_follows_the_form(tab: &Tab, site: &Site) -> Result<()> {
    open_run(tab, site)?;
    tab.click(&format!("{FIRST} [data-test=metric-fold]"))?;
    tab.wait_until_shown(&format!("{FIRST} [data-test=metric-name]"))?;
    tab.choose_option(&format!("{FIRST} [data-test=metric-name]"), "hoyer")?;
    tab.click("[data-test=tab-yaml]")?;
    tab.wait_for(
        "hoyer in the YAML",
        &format!("document.querySelector('{YAML}').value.includes('hoyer')"),
    )?;
    let (_, name) = metric(tab, 0)?;
    ensure!(name == "hoyer", "the first metric of the YAML is {name}");
    visit::wait_until_opened(tab)?;
    visit::run_proposal(tab)?;
    let title = tab.words("[data-test=card] [data-test=title]")?;
    ensure!(title.contains("Hoyer"), "the first chart is {title}");
    Ok(())
}

fn the_form_follows_the_yaml(tab: &Tab, site: &Site) -> Result<()> {
    open_run(tab, site)?;
    tab.click("[data-test=tab-yaml]")?;
    // The second metric takes no target, as the one that it becomes.
    let (line, name) = metric(tab, 1)?;
    go_to_end_of(tab, line)?;
    for _ in name.chars() {
        tab.press("Backspace")?;
    }
    tab.type_text("hoyer")?;
    tab.click("[data-test=tab-ask]")?;
    tab.wait_for_words(
        "[data-test=metric]:nth-of-type(2) [data-test=metric-fold]",
        "Hoyer",
    )?;
    visit::wait_until_opened(tab)
}

fn an_error_shows_at_its_line(tab: &Tab, site: &Site) -> Result<()> {
    open_run(tab, site)?;
    tab.click("[data-test=tab-yaml]")?;
    let (line, name) = metric(tab, 0)?;
    go_to_end_of(tab, line)?;
    tab.type_text("x")?;
    let typed = tab.value(YAML)?;
    ensure!(
        typed.contains(&format!("{name}x")),
        "what was typed is not there"
    );
    tab.wait_until_shown("[data-test=problem]")?;
    let problem = tab.words("[data-test=problem]")?;
    ensure!(
        problem.contains(&format!("line {line},")) && problem.contains(&name),
        "the problem reads: {problem}"
    );
    ensure!(
        tab.words(".yaml .gutter .wrong")? == line.to_string(),
        "another line is marked"
    );
    ensure!(tab.has("[data-test=run]:disabled")?, "it could be run");
    let footer = tab.words("aside .footer")?;
    ensure!(
        footer.contains("problem"),
        "nothing says why it cannot be run: {footer}"
    );
    tab.click("[data-test=tab-ask]")?;
    tab.click("[data-test=tab-yaml]")?;
    ensure!(tab.value(YAML)? == typed, "what was typed is lost");
    go_to_end_of(tab, line)?;
    tab.press("Backspace")?;
    tab.wait_until_gone("[data-test=problem]")?;
    visit::wait_until_opened(tab)
}

fn an_error_leads_to_its_line(tab: &Tab, site: &Site) -> Result<()> {
    open_run(tab, site)?;
    tab.click("[data-test=tab-yaml]")?;
    let (line, _) = metric(tab, 0)?;
    go_to_end_of(tab, line)?;
    tab.type_text("x")?;
    tab.wait_until_shown("[data-test=problem]")?;
    tab.press("Control+End")?;
    tab.click("[data-test=problem]")?;
    let selected = format!(
        "(field => field.matches('{YAML}') && field.value.slice(field.selectionStart, field.selectionEnd))\
         (document.activeElement)"
    );
    tab.wait_for(
        "the line",
        &format!("({selected} || '').includes('metric_name')"),
    )
}

fn edits_can_be_undone(tab: &Tab, site: &Site) -> Result<()> {
    open_run(tab, site)?;
    let before = tab.count("[data-test=metric]")?;
    tab.click(&format!("{FIRST} [data-test=metric-fold]"))?;
    tab.click_when_shown(&format!("{FIRST} [data-test=metric-remove]"))?;
    tab.wait_for(
        "one metric less",
        &format!(
            "document.querySelectorAll('[data-test=metric]').length === {}",
            before - 1
        ),
    )?;
    visit::wait_until_opened(tab)?;
    tab.click_when_shown("[data-test=undo]:enabled")?;
    tab.wait_for(
        "all metrics again",
        &format!("document.querySelectorAll('[data-test=metric]').length === {before}"),
    )?;
    visit::wait_until_opened(tab)
}

fn open_run(tab: &Tab, site: &Site) -> Result<()> {
    visit::drop_run(tab, &site.page, &[&site.given.root.join(RUN)])?;
    tab.wait_until_shown("[data-test=metric]")
}

/// The line of a metric's name in the YAML, counted from 1, and the name.
fn metric(tab: &Tab, index: usize) -> Result<(usize, String)> {
    tab.wait_until_shown(YAML)?;
    let text = tab.value(YAML)?;
    let lines = text.lines().zip(1..);
    let mut metrics =
        lines.filter_map(|(line, number)| Some((number, line.split_once("metric_name:")?.1)));
    let (number, name) = metrics.nth(index).context("the YAML names no metric")?;
    Ok((number, name.trim().to_owned()))
}

/// Puts the keyboard at the end of a line of the YAML.
fn go_to_end_of(tab: &Tab, line: usize) -> Result<()> {
    tab.click(YAML)?;
    tab.press("Control+Home")?;
    for _ in 1..line {
        tab.press("ArrowDown")?;
    }
    tab.press("End")
}
