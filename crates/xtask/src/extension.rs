//! Whether a metric is added by one file and its line, as CONTRIBUTING.md says: in a copy of the
//! tree, where everything that walks the registry must hold afterwards.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::reference;
use crate::steps::{Outcome, count_tests};
use crate::tidy;
use crate::workspace::{PAGE, Workspace};

/// What to do when the step fails.
pub(crate) const ADVICE: &str = "something lists metrics by hand: have it ask the registry, or the \
    metric, instead";

/// The metric's file in a crate of its own, and where built-in ones lie.
const METRIC: &str = "tests/extension/src/negative_share.rs";
const BUILT_IN: &str = "crates/metrics/src/single/negative_share.rs";

/// The list that it joins, the line that it stands before there, and its own.
const LIST: &str = "crates/metrics/src/single/mod.rs";
const NEXT_LINE: &str = "        norm: Norm;\n";
const LINE: &str = "        negative_share: NegativeShare;\n";

/// The version of the copy's crates. With the tree's own, cargo would take what was compiled of the
/// tree for what the copy needs, and the metric would not be there.
const VERSION: &str = "version = \"0.0.0\"";

/// The tests that walk the registry: those of metrics, of configs and of what the worker lists.
const TESTS: &[&str] = &["metrics", "config", "run", "report", "command_line"];

/// Of the tests with many others beside them, those that are about the registry.
const ABOUT_THE_REGISTRY: &[&str] = &["metric", "example", "problem", "parameters"];

/// Adds a metric to a copy of the tree, writes the reference there, and runs those tests.
pub(crate) fn step(workspace: &Workspace) -> Result<Outcome> {
    let copy = Workspace {
        // Always there, so that what was compiled last time serves again.
        root: workspace.native_target.join("extension"),
        ..workspace.clone()
    };
    copy_tree(workspace, &copy.root)?;
    set_version(workspace, &copy.root)?;
    add_metric(workspace, &copy.root)?;
    reference::write(&copy)?;
    let mut command = copy.cargo();
    // As the tests are built here: with other features, dependencies would be compiled again.
    command.args(["test", "--workspace", "--exclude", PAGE, "--no-fail-fast"]);
    for test in TESTS {
        command.args(["--test", test]);
    }
    let walked = count_tests(command.arg("--").args(ABOUT_THE_REGISTRY))?;
    let mut command = copy.cargo();
    command.args(["test", "--workspace", "--exclude", PAGE, "--doc"]);
    let example = count_tests(command.arg("negative_share"))?;
    ensure!(
        example.passed > 0,
        "the metric's own example was not tested"
    );
    Ok(Outcome::Tested(walked + example))
}

fn copy_tree(workspace: &Workspace, root: &Path) -> Result<()> {
    if root.exists() {
        fs::remove_dir_all(root)?;
    }
    for path in tidy::tracked_files(workspace)? {
        let (source, target) = (workspace.root.join(&path), root.join(&path));
        fs::create_dir_all(target.parent().unwrap_or(&target))?;
        write(&target, &fs::read(&source)?, &source)?;
    }
    Ok(())
}

fn set_version(workspace: &Workspace, root: &Path) -> Result<()> {
    let source = workspace.root.join("Cargo.toml");
    let text = fs::read_to_string(&source)?;
    let version = text.lines().find(|line| line.starts_with("version = "));
    let version = version.context("Cargo.toml says no version")?;
    let text = text.replacen(version, VERSION, 1);
    write(&root.join("Cargo.toml"), text.as_bytes(), &source)
}

fn add_metric(workspace: &Workspace, root: &Path) -> Result<()> {
    let source = workspace.root.join(METRIC);
    let metric = fs::read_to_string(&source)?;
    // Its own crate uses the crate that it is put into.
    let metric = metric.replace("\nuse ckptscope_metrics::", "\nuse crate::");
    write(&root.join(BUILT_IN), metric.as_bytes(), &source)?;
    let source = workspace.root.join(LIST);
    let text = fs::read_to_string(&source).with_context(|| LIST.to_owned())?;
    ensure!(text.contains(NEXT_LINE), "{LIST} has no line {NEXT_LINE}");
    let text = text.replacen(NEXT_LINE, &format!("{LINE}{NEXT_LINE}"), 1);
    write(&root.join(LIST), text.as_bytes(), &source)
}

/// Writes a file that is as old as another, or cargo would take it for a change.
fn write(path: &Path, content: &[u8], source: &Path) -> Result<()> {
    let write = || {
        let mut file = fs::File::create(path)?;
        file.write_all(content)?;
        file.set_modified(fs::metadata(source)?.modified()?)
    };
    write().with_context(|| path.display().to_string())
}
