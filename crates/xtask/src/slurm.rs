//! Whether analyses in shards do on a real Slurm what they should, and Kubernetes takes their
//! manifest.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use anyhow::Result;

use crate::demo::RUN;
use crate::process;
use crate::python;
use crate::setup::apt;
use crate::steps::{Outcome, run_tests};
use crate::worker;
use crate::workspace::Workspace;

/// What to do when the step fails.
pub(crate) const ADVICE: &str = "shards end otherwise on a cluster than they should: see \
    crates/worker/tests/on_a_cluster.py and crates/worker/src/fleet";

/// What Slurm is made of here.
const PROGRAMS: &[&str] = &[
    "munged",
    "slurmctld",
    "slurmd",
    "sbatch",
    "squeue",
    "scontrol",
];

/// Starts a Slurm of three nodes on this machine, and analyses on it.
pub(crate) fn step(workspace: &Workspace, only: &str) -> Result<Outcome> {
    if fs::metadata("/proc/self").map(|own| own.uid()).ok() != Some(0) {
        return Ok(Outcome::Skipped(
            "Slurm's daemons want to be started by root".into(),
        ));
    }
    let is_missing = |name: &&str| process::find_on_path(&[name]).is_none();
    if PROGRAMS.iter().any(is_missing)
        && let Err(error) = apt::install(&["slurm-wlm", "munge"])
    {
        return Ok(Outcome::Skipped(format!("{error:#}")));
    }
    let package = "kubernetes-validate";
    let check = "import kubernetes_validate, yaml";
    // Without it the manifest is not checked, and the rest is.
    let python = python::with_packages(workspace, package, &[package], check);
    let python = python.unwrap_or_else(|_| "python3".into());
    let mut command = Command::new(python);
    command
        .arg(workspace.root.join("crates/worker/tests/on_a_cluster.py"))
        .env("WORKER", worker::program(workspace)?)
        .env("CONFIG", workspace.root.join("configs/demo.yaml"))
        .env("RUN", workspace.root.join(RUN));
    if !only.is_empty() {
        command.args(["-k", only]);
    }
    run_tests(&mut command)
}
