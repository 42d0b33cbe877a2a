//! Checkpoints as trainers leave them: the page says of each what the command line says.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::command_line::{analyse, results, same_results};
use super::{PageTest, Site, saving, visit};
use crate::browser::Tab;
use crate::given::Given;

pub(super) const TESTS: &[PageTest] = &[
    PageTest {
        name: "the_page_says_of_troubles_what_the_command_line_says",
        run: same_words,
    },
    PageTest {
        name: "the_page_computes_troubled_checkpoints_as_the_command_line_does",
        run: same_numbers,
    },
];

/// An input for each kind of trouble, below the project's root.
const FIELD: &str = "tests/field";

/// Inputs with links, which a browser does not see.
const WITH_LINKS: &[&str] = &["11-linked-folders", "12-dangling-link", "65-hf-cache"];

/// Inputs of which the page computes numbers here.
const COMPUTED: &[&str] = &[
    "02-appledouble-shards",
    "04-stale-index",
    "06-half-written",
    "18-fp8-block-scale",
    "21-dcp",
    "26-aligned-gaps",
    "33b-defaultdict",
    "47e-ckpt-wrapped",
];

/// What is said of a run: its steps and warnings, or why there is none.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Run {
        steps: Vec<String>,
        warnings: Vec<String>,
    },
    Refusal(String),
}

fn same_words(tab: &Tab, site: &Site) -> Result<()> {
    let mut names = Vec::new();
    for entry in fs::read_dir(site.given.root.join(FIELD))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    for name in names
        .iter()
        .filter(|name| !WITH_LINKS.contains(&name.as_str()))
    {
        let run = site.given.root.join(FIELD).join(name).join("run");
        if !run.exists() {
            // Its config is what is odd.
            continue;
        }
        let (page, native) = (
            said_by_page(tab, site, &run)?,
            said_by_worker(site.given, &run)?,
        );
        match (&page, &native) {
            (
                Said::Run { steps, warnings },
                Said::Run {
                    steps: expected,
                    warnings: told,
                },
            ) => {
                ensure!(
                    steps == expected,
                    "{name}: steps {steps:?} and not {expected:?}"
                );
                // Each looks into other steps for what their files hold.
                let words = |text: &str| {
                    text.split_once(": ")
                        .map_or(text, |(_, words)| words)
                        .to_owned()
                };
                let is_told = |text: &String| warnings.iter().any(|it| it.contains(&words(text)));
                let missing = told.iter().find(|text| !is_told(text));
                ensure!(
                    missing.is_none(),
                    "{name}: {missing:?} is not among {warnings:?}"
                );
            }
            (Said::Refusal(page), Said::Refusal(native)) => {
                let reason = native
                    .rsplit_once(": ")
                    .map_or(native.as_str(), |(words, _)| words);
                ensure!(page.contains(reason), "{name}: {page:?} and not {native:?}");
            }
            _ => ensure!(false, "{name}: {page:?} and not {native:?}"),
        }
    }
    Ok(())
}

fn said_by_page(tab: &Tab, site: &Site, run: &Path) -> Result<Said> {
    visit::open(tab, &site.page)?;
    tab.drop_files("main", &[run])?;
    let end = "document.querySelector('[data-test=state-failed], [data-test=tab-explore]')";
    tab.wait_for("a run, or why there is none", end)?;
    if tab.has("[data-test=state-failed]")? {
        return Ok(Said::Refusal(tab.words("[data-test=state-failed]")?));
    }
    tab.click("[data-test=tab-explore]")?;
    tab.wait_until_shown("[data-test=run-facts]")?;
    let texts = |selector: &str| -> Result<Vec<String>> {
        let script = format!(
            "return [...document.querySelectorAll({})].map(one => one.textContent)",
            Value::from(selector)
        );
        Ok(serde_json::from_value(tab.run(&script)?)?)
    };
    Ok(Said::Run {
        steps: texts("[data-test=explore-step] option:enabled")?,
        warnings: texts("[data-test=run-warnings] li")?,
    })
}

fn said_by_worker(given: &Given, run: &Path) -> Result<Said> {
    let mut command = Command::new(&given.worker);
    let output = command.args(["inspect", "--json"]).arg(run).output()?;
    if output.stdout.is_empty() {
        let error = String::from_utf8(output.stderr)?;
        let error = error.trim().trim_start_matches("error: ");
        return Ok(Said::Refusal(error.to_owned()));
    }
    let inspection: Value = serde_json::from_slice(&output.stdout)?;
    let list = |key: &str| inspection[key].as_array().context("no list").cloned();
    let steps = list("steps")?.iter().map(Value::to_string).collect();
    let warnings = list("warnings")?;
    let warnings = warnings.iter().filter_map(Value::as_str);
    Ok(Said::Run {
        steps,
        warnings: warnings.map(str::to_owned).collect(),
    })
}

fn same_numbers(tab: &Tab, site: &Site) -> Result<()> {
    for name in COMPUTED {
        let home = site.given.root.join(FIELD).join(name);
        let (run, config) = (home.join("run"), home.join("config.yaml"));
        let folder = tempfile::tempdir()?;
        tab.download_to(folder.path())?;
        visit::open(tab, &site.page)?;
        tab.drop_files("main", &[&run])?;
        tab.wait_until_shown("[data-test=tab-yaml]")?;
        tab.drop_files("main", &[&config])?;
        let text = fs::read_to_string(&config)?;
        let first = text.lines().find(|line| line.contains("analysis_name"));
        let typed = format!(
            "document.querySelector('[data-test=yaml]')?.value.includes({})",
            Value::from(first.context("a name")?)
        );
        tab.click("[data-test=tab-yaml]")?;
        tab.wait_for("the config", &typed)?;
        visit::wait_until_opened(tab)?;
        visit::run_proposal(tab)?;
        let file = format!("{}.ckptscope.json", analysis_name(&text)?);
        let saved = saving::save(tab, folder.path(), "save-results", &file)?;
        let native = analyse(site.given, &config, &run, folder.path())?;
        same_results(&results(&saved)?, &results(&native)?).with_context(|| (*name).to_owned())?;
    }
    Ok(())
}

fn analysis_name(config: &str) -> Result<&str> {
    let line = config
        .lines()
        .find_map(|line| line.strip_prefix("analysis_name: "));
    line.context("a config without a name")
}
