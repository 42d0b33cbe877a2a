//! Repositories with a revision for each of many steps: opened with few requests, and audited.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use ckptscope_fake_hub::suite::{
    FINAL_TOO_SOON, LACKING, LIKE_ITS_NEIGHBOUR, SUITE, WITHOUT_WEIGHTS, sound, suite,
};
use ckptscope_fake_hub::{FakeHub, Fault, Logged, Origin};
use serde_json::Value;

use super::{World, says};
use crate::browser::Tab;
use crate::page_tests::command_line::{results, same_results};
use crate::page_tests::{PageTest, Site, saving, visit};
use crate::process;

pub(in crate::page_tests) const TESTS: &[PageTest] = page_tests![
    hub_a_suite_opens_with_a_handful_of_requests,
    hub_some_steps_of_a_suite_are_computed_as_the_command_line_does,
    hub_the_four_wrong_steps_of_a_suite_are_found,
    hub_a_sound_suite_is_said_to_be_sound,
    hub_an_audit_is_shown_and_cancelled_at_once,
];

/// A repository that is sound.
const SOUND: &str = "ckptscope/sound";

/// At most so many requests open a suite.
const MOST_REQUESTS: usize = 12;

/// Some steps, of which one was not listed when the run was opened.
const SOME_STEPS: &str = "
analysis_name: some
steps: [0, 512, 143000]
metrics:
  - metric_name: norm
    data_split: val
    components:
      - component_name: simple
        data_type: weights
        layer_suffixes: self_attn.v_proj
        layers: [0, 1]
";

impl World {
    /// With a suite of 154 steps of which four are wrong, and a sound one.
    fn of_suites(site: &Site) -> Result<Self> {
        let steps: Vec<u64> = (0..9).map(|step| step * 1000).collect();
        let fake = FakeHub::start(vec![suite(), sound(SOUND, &steps)])?;
        let page = site.page_for_hub(fake.endpoint())?;
        Ok(Self { fake, page })
    }

    /// What was asked since this was last asked, without what browsers ask for permission.
    fn asked(&self) -> Vec<Logged> {
        let mut log = self.fake.take_log();
        log.retain(|request| request.method != "OPTIONS");
        log
    }
}

/// How many of some requests list the files of a commit.
fn listings(log: &[Logged]) -> usize {
    let trees = log.iter().filter(|it| it.target.contains("/tree/"));
    trees.count()
}

fn hub_a_suite_opens_with_a_handful_of_requests(tab: &Tab, site: &Site) -> Result<()> {
    let world = World::of_suites(site)?;
    world.open(tab, SUITE)?;
    tab.click("[data-test=tab-explore]")?;
    tab.wait_until_shown("[data-test=tensor-count]")?;
    tab.wait_until_still()?;
    let log = world.asked();
    println!("    opened with {} requests", log.len());
    ensure!(
        log.len() <= MOST_REQUESTS,
        "{} requests: {log:#?}",
        log.len()
    );
    says(&tab.words("header .source")?, &["154 steps"])?;
    let warnings = tab.words("[data-test=run-warnings]")?;
    says(&warnings, &["152 of 154 steps are not listed yet"])?;
    // A step is listed when it is looked at, and once.
    choose_step(tab, 512)?;
    tab.wait_for_words("[data-test=tensors] header", "step 512")?;
    tab.wait_for_words("[data-test=run-warnings]", "151 of 154 steps")?;
    ensure!(
        listings(&world.asked()) == 1,
        "step 512 was not listed once"
    );
    // One that turns out to be wrong says so, and is marked.
    choose_step(tab, WITHOUT_WEIGHTS)?;
    tab.wait_for_words("[data-test=tensors-failed]", "it has no weights")?;
    tab.wait_for_words(
        "[data-test=explore-step] option:disabled",
        "99000 · cannot be read",
    )
}

/// Chooses a step at once: who types its number passes by others.
fn choose_step(tab: &Tab, step: u64) -> Result<()> {
    tab.run(&format!(
        "const steps = document.querySelector('[data-test=explore-step]');
        steps.value = '{step}';
        steps.dispatchEvent(new Event('change', {{bubbles: true}}))"
    ))?;
    Ok(())
}

fn hub_some_steps_of_a_suite_are_computed_as_the_command_line_does(
    tab: &Tab,
    site: &Site,
) -> Result<()> {
    let world = World::of_suites(site)?;
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("some.yaml");
    std::fs::write(&config, SOME_STEPS)?;
    tab.download_to(folder.path())?;
    world.open(tab, SUITE)?;
    tab.drop_files("main", &[&config])?;
    tab.wait_for_words(
        "[data-test=steps-count], [data-test=yaml-cost], .footer",
        "3 steps",
    )?;
    visit::wait_until_opened(tab)?;
    world.asked();
    visit::run_proposal(tab)?;
    let log = world.asked();
    ensure!(listings(&log) == 1, "{} listings: {log:#?}", listings(&log));
    let saved = saving::save(tab, folder.path(), "save-results", "some.ckptscope.json")?;
    let saved = results(&saved)?;
    let native = by_command_line(site, &world, &config)?;
    same_results(&saved, &native)?;
    ensure!(
        saved.warnings == native.warnings,
        "{:?} and not {:?}",
        saved.warnings,
        native.warnings
    );
    Ok(())
}

/// What the command line computes of the suite.
fn by_command_line(
    site: &Site,
    world: &World,
    config: &std::path::Path,
) -> Result<ckptscope_results::Results> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(&site.given.worker);
    command.env("HF_ENDPOINT", world.fake.endpoint());
    command.env("HF_HOME", folder.path());
    command.arg("analyze").arg("--config").arg(config);
    command.args(["--repo-id", SUITE]);
    command
        .arg("--output-dir")
        .arg(folder.path().join("native"));
    process::run(command.current_dir(folder.path()))?;
    let mut folders = std::fs::read_dir(folder.path().join("native"))?;
    let analysis = folders.next().context("no folder of results")??;
    results(&analysis.path().join("results.json"))
}

/// Opens a repository and has it audited; gives the summary.
fn audit(tab: &Tab, world: &World, repository: &str) -> Result<String> {
    world.open(tab, repository)?;
    tab.click("[data-test=tab-explore]")?;
    tab.click_when_shown("[data-test=audit-begin]")?;
    tab.wait_until_shown("[data-test=audit-summary]")?;
    tab.words("[data-test=audit-summary]")
}

fn hub_the_four_wrong_steps_of_a_suite_are_found(tab: &Tab, site: &Site) -> Result<()> {
    let world = World::of_suites(site)?;
    let said = audit(tab, &world, SUITE)?;
    says(&said, &["154 steps: 4 things are odd"])?;
    let shown = tab.run(
        "return [...document.querySelectorAll('[data-test=audit-finding] > span:first-child')]\
         .map(one => one.textContent)",
    )?;
    let shown: Vec<String> = serde_json::from_value(shown)?;
    ensure!(shown == told_by_command_line(site, &world)?, "{shown:#?}");
    for step in [FINAL_TOO_SOON, LIKE_ITS_NEIGHBOUR, WITHOUT_WEIGHTS, LACKING] {
        let step = step.to_string();
        let of_it = shown.iter().filter(|message| message.contains(&step));
        ensure!(
            of_it.count() == 1,
            "step {step} is not told once: {shown:#?}"
        );
    }
    // Each step once, and no tensor.
    let log = world.asked();
    let most = 154 + 1 + MOST_REQUESTS;
    ensure!(listings(&log) <= most, "{} listings", listings(&log));
    ensure!(
        !tab.words("[data-test=run-warnings]")?
            .contains("not listed yet"),
        "the run does not know what the audit listed"
    );
    // From a finding to its step, which nobody lists again.
    tab.click("[data-test=audit-finding]:last-child [data-test=audit-step]")?;
    tab.wait_for_words("[data-test=tensors] header", "step 120000")?;
    tab.wait_for_words("[data-test=tensor-count]", "4 tensors")?;
    ensure!(listings(&world.asked()) == 0, "a step was listed again");
    Ok(())
}

/// What `worker audit` says is odd.
fn told_by_command_line(site: &Site, world: &World) -> Result<Vec<String>> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(&site.given.worker);
    command.env("HF_ENDPOINT", world.fake.endpoint());
    command.env("HF_HOME", folder.path());
    let output = command.args(["audit", SUITE, "--json"]).output()?;
    world.fake.take_log();
    let report: Value = serde_json::from_slice(&output.stdout)?;
    let findings = report["findings"].as_array().context("no findings")?;
    let messages = findings.iter().filter_map(|it| it["message"].as_str());
    Ok(messages.map(str::to_owned).collect())
}

fn hub_a_sound_suite_is_said_to_be_sound(tab: &Tab, site: &Site) -> Result<()> {
    let world = World::of_suites(site)?;
    let said = audit(tab, &world, SOUND)?;
    says(&said, &["9 steps: nothing is odd about their weights"])?;
    ensure!(tab.count("[data-test=audit-finding]")? == 0, "something is");
    Ok(())
}

fn hub_an_audit_is_shown_and_cancelled_at_once(tab: &Tab, site: &Site) -> Result<()> {
    let world = World::of_suites(site)?;
    world.open(tab, SUITE)?;
    tab.click("[data-test=tab-explore]")?;
    tab.wait_until_still()?;
    world.inject(Origin::Hub, "/tree/", 20, 1, Fault::Silence);
    tab.click_when_shown("[data-test=audit-begin]")?;
    tab.wait_for_words(
        "[data-test=audit-progress]",
        "Listing the files of 152 steps",
    )?;
    tab.click("[data-test=audit-cancel]")?;
    tab.wait_until_shown("[data-test=audit-begin]")?;
    tab.wait_until_still()?;
    world.asked();
    tab.wait_until_still()?;
    let after = world.asked();
    ensure!(after.is_empty(), "requests after the end: {after:?}");
    // And another one goes through.
    tab.click("[data-test=audit-begin]")?;
    tab.wait_for_words("[data-test=audit-summary]", "4 things are odd")?;
    tab.complaints()?;
    Ok(())
}
