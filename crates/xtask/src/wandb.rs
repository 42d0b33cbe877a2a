//! The test that W&B's own tools read what we write, and are sent what we send.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::demo::{CONFIG, RUN};
use crate::fake::Fake;
use crate::process;
use crate::python;
use crate::steps::{Counts, Outcome, count_tests};
use crate::worker;
use crate::workspace::Workspace;

/// What to do when the step fails.
pub(crate) const ADVICE: &str = "W&B's own tools understand a run otherwise than we mean it, or the \
    fake server answers otherwise than the real one: mend crates/wandb or crates/fake-wandb";

/// The last version with a reader of offline runs in Python.
const WITH_READER: &str = "0.29.0";
/// A version of today, whose `wandb sync` is written in Go.
const CURRENT: &str = "0.31.0";

const SCRIPTS: &str = "crates/wandb/tests/python";

/// Writes one run offline and one online, and has W&B's own tools look at them.
pub(crate) fn step(workspace: &Workspace, only: &str) -> Result<Outcome> {
    let pythons = [WITH_READER, CURRENT].map(|version| python_with_wandb(workspace, version));
    let [with_reader, current] = match pythons {
        [Ok(with_reader), Ok(current)] => [with_reader, current],
        [Err(error), _] | [_, Err(error)] => return Ok(Outcome::Skipped(format!("{error:#}"))),
    };
    let analyses = Analyses::write(workspace)?;
    let scripts = [(with_reader, "offline_run.py"), (current, "same_run.py")];
    let mut sum = Counts::default();
    for (python, script) in scripts {
        let mut command = Command::new(python);
        command.arg(workspace.root.join(SCRIPTS).join(script));
        if !only.is_empty() {
            command.args(["-k", only]);
        }
        sum = sum + count_tests(analyses.prepare(&mut command))?;
    }
    Ok(Outcome::Tested(sum))
}

fn python_with_wandb(workspace: &Workspace, version: &str) -> Result<PathBuf> {
    python::with_packages(
        workspace,
        &format!("wandb-{version}"),
        &[&format!("wandb=={version}")],
        &format!("import wandb; assert wandb.__version__ == '{version}'"),
    )
}

/// The same analysis twice: kept here, and sent to a server.
struct Analyses {
    scratch: TempDir,
    server: Fake,
    results: PathBuf,
    offline: PathBuf,
    uploaded: PathBuf,
}

impl Analyses {
    fn write(workspace: &Workspace) -> Result<Self> {
        let scratch = TempDir::new()?;
        let server = Fake::start(workspace, "fake-wandb", &[])?;
        let config = fs::read_to_string(workspace.root.join(CONFIG))?;
        let asking = "save_to_wandb: true\n  wandb: {project: ckptscope}";
        let config = config.replace("save_to_wandb: false", asking);
        ensure!(
            config.contains(asking),
            "{CONFIG} says nothing of save_to_wandb"
        );
        fs::write(scratch.path().join("config.yaml"), config)?;
        let analyze = |mode| analyze(workspace, scratch.path(), &server, mode);
        let (offline, uploaded) = (analyze("offline")?, analyze("online")?);
        Ok(Self {
            results: scratch.path().join("results/demo/results.json"),
            scratch,
            server,
            offline,
            uploaded,
        })
    }

    /// Nothing but this machine can be reached, and nothing of the person's own is read or written.
    fn prepare<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let home = self.scratch.path();
        for name in [
            "HOME",
            "WANDB_CONFIG_DIR",
            "WANDB_CACHE_DIR",
            "WANDB_DATA_DIR",
        ] {
            command.env(name, home);
        }
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
            command.env(name, "http://127.0.0.1:9");
        }
        for name in ["NO_PROXY", "no_proxy"] {
            command.env(name, "127.0.0.1");
        }
        command
            .env("NETRC", home.join("netrc"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("WANDB_ERROR_REPORTING", "false")
            .envs(self.server.environment.iter().cloned())
            .env("RESULTS", &self.results)
            .env("OFFLINE_RUN", &self.offline)
            .env("UPLOADED_RUN", &self.uploaded)
            .current_dir(home)
    }
}

/// Runs the demo's analysis; the folder of its run.
fn analyze(workspace: &Workspace, scratch: &Path, server: &Fake, mode: &str) -> Result<PathBuf> {
    let parent = scratch.join(mode);
    let mut command = Command::new(worker::program(workspace)?);
    command
        .args([
            "analyze",
            "--config",
            "config.yaml",
            "--output-dir",
            "results",
        ])
        .arg("--run-path")
        .arg(workspace.root.join(RUN))
        .env("WANDB_MODE", mode)
        .env("WANDB_DIR", &parent)
        .envs(server.environment.iter().cloned())
        .current_dir(scratch);
    process::run(&mut command)?;
    let mut runs = fs::read_dir(parent.join("wandb"))?;
    let run = runs.next().context("no run was written")??;
    Ok(run.path())
}
