//! Checkpoints as trainers leave them: the page says of each what the command line says.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::command_line::{analyse, results, same_results};
use super::hub::says;
use super::{PageTest, Site, checkpoints, saving, visit};
use crate::browser::Tab;
use crate::given::Given;

pub(super) const TESTS: &[PageTest] = page_tests![
    the_page_says_of_troubles_what_the_command_line_says,
    the_page_computes_troubled_checkpoints_as_the_command_line_does,
    stacks_and_broken_steps_are_told_in_explore,
    configs_in_utf_16_are_read,
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

fn the_page_says_of_troubles_what_the_command_line_says(tab: &Tab, site: &Site) -> Result<()> {
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

fn the_page_computes_troubled_checkpoints_as_the_command_line_does(
    tab: &Tab,
    site: &Site,
) -> Result<()> {
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

fn stacks_and_broken_steps_are_told_in_explore(tab: &Tab, site: &Site) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let run = folder.path().join("run");
    checkpoints::write_troubled(&run)?;
    visit::drop_run(tab, &site.page, &[&run])?;
    tab.click("[data-test=tab-explore]")?;
    tab.wait_until_shown("[data-test=tensor-count]")?;
    let facts = tab.words("[data-test=run-facts]")?;
    let stacks = "decoder.block (2 layers), encoder.block (2 layers)";
    says(&facts, &[stacks, "4, from 100 to 700", "2 steps"])?;
    let script = "return [...document.querySelectorAll('[data-test=explore-step] option')]\
                  .map(one => one.textContent)";
    let steps: Vec<String> = serde_json::from_value(tab.run(script)?)?;
    let expected = [
        "100",
        "200 · cannot be read",
        "300",
        "400 · cannot be read",
        "500 · cannot be read",
        "700",
    ];
    ensure!(steps == expected, "{steps:?}");
    says(
        &tab.words("[data-test=run-warnings]")?,
        &["shards are missing", "no weights", "half written"],
    )
}

/// A text as PowerShell's `>` writes it, or with its bytes the other way round.
fn in_utf_16(text: &str, bytes_of: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(bytes_of).collect()
}

fn configs_in_utf_16_are_read(tab: &Tab, site: &Site) -> Result<()> {
    let folder = tempfile::tempdir()?;
    for bytes_of in [u16::to_le_bytes as fn(u16) -> [u8; 2], u16::to_be_bytes] {
        // A model's config.
        let run = folder.path().join("run");
        fs::create_dir_all(&run)?;
        checkpoints::write_whole(&run)?;
        let model = r#"{"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 8}"#;
        fs::write(run.join("config.json"), in_utf_16(model, bytes_of))?;
        visit::drop_run(tab, &site.page, &[&run])?;
        says(&tab.words("header .source")?, &["8 heads"])?;
        // A config of an analysis.
        let config = folder.path().join("config.yaml");
        let text = "analysis_name: Größe\nsteps: all\nmetrics: []\n";
        fs::write(&config, in_utf_16(text, bytes_of))?;
        tab.drop_files("main", &[&config])?;
        tab.wait_until_shown("[data-test=yaml]")?;
        tab.wait_for(
            "the config",
            "document.querySelector('[data-test=yaml]').value.includes('Größe')",
        )?;
        ensure!(tab.value("[data-test=yaml]")? == text, "another text");
    }
    // What is neither is told, and not shown with holes.
    let latin = folder.path().join("latin.yaml");
    fs::write(&latin, b"analysis_name: Gr\xf6\xdfe\n")?;
    tab.drop_files("main", &[&latin])?;
    tab.wait_for_words(
        "[data-test=state-failed]",
        "it is not UTF-8; save it as UTF-8",
    )
}

fn analysis_name(config: &str) -> Result<&str> {
    let line = config
        .lines()
        .find_map(|line| line.strip_prefix("analysis_name: "));
    line.context("a config without a name")
}
