//! Handing shards over to whoever starts them.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::folder::Folder;
use super::index::in_words;
use super::plan_file::PlanFile;
use super::shell::{LOOP, quoted, write_script};
use super::submissions::Batch;
use super::{kubernetes, shell, slurm};
use crate::arguments::{EngineArgument, TOKEN_VARIABLE};
use crate::{Misuse, console, output};

/// The script that submits; the second one is `submit-2.sh`.
const SUBMIT: &str = "submit";

/// The manifest; the second one is `job-2.yaml`.
const JOB: &str = "job";

/// Writes what is the same in every submission.
///
/// # Errors
/// Where the folder cannot be written.
pub(super) fn write_scripts(folder: &Folder, plan: &PlanFile) -> Result<()> {
    let worker = env::current_exe().context("this program does not find itself")?;
    shell::write_loop(folder, &worker, plan.shards.len())?;
    match plan.settings.engine {
        EngineArgument::None => Ok(()),
        EngineArgument::Slurm => slurm::write_scripts(folder, &worker, plan),
        EngineArgument::Kubernetes => kubernetes::bring_program(folder, &worker),
    }
}

/// Writes what hands batches over, and does so where the engine's command is there.
///
/// # Errors
/// Where the folder cannot be written, or the engine refuses the shards.
pub(super) fn hand_over(
    folder: &Folder,
    plan: &PlanFile,
    batches: &[Batch],
    no_submit: bool,
) -> Result<()> {
    let own = quoted(&folder.path().display().to_string());
    match plan.settings.engine {
        EngineArgument::None => {
            let numbers: Vec<usize> = batches.iter().flat_map(|it| it.shards.clone()).collect();
            if !numbers.is_empty() {
                let numbers = in_words(&numbers);
                console::say(&format!(
                    "elsewhere: worker shard {own} --index N, N of {numbers}"
                ));
            }
            console::say(&format!("compute and merge here: sh {own}/{LOOP}"));
            Ok(())
        }
        EngineArgument::Slurm => {
            let (_, path) = free(folder, SUBMIT, "sh");
            write_script(&path, &slurm::submit_script(folder, plan, batches)?)?;
            start(&path, "sh", &[], "sbatch", no_submit)
        }
        EngineArgument::Kubernetes => {
            let (number, path) = free(folder, JOB, "yaml");
            let manifest = kubernetes::manifest(folder, plan, batches, number)?;
            output::write(&path, manifest.as_bytes())?;
            console::say(&format!("once its Job is complete: worker merge {own}"));
            start(&path, "kubectl", &["apply", "-f"], "kubectl", no_submit)
        }
    }
}

/// A file of this name that is not there yet, and its number.
fn free(folder: &Folder, name: &str, ending: &str) -> (usize, PathBuf) {
    let mut number = 1;
    loop {
        let path = match number {
            1 => folder.file(&format!("{name}.{ending}")),
            _ => folder.file(&format!("{name}-{number}.{ending}")),
        };
        if !path.exists() {
            return (number, path);
        }
        number += 1;
    }
}

/// Starts what hands the shards over, or says how to. No job hears a server's token.
fn start(path: &Path, program: &str, before: &[&str], needs: &str, no_submit: bool) -> Result<()> {
    let words = [&[program], before].concat().join(" ");
    let shown = quoted(&path.display().to_string());
    if no_submit || !is_there(needs) {
        let why = if no_submit {
            String::new()
        } else {
            format!("{needs} is not here; ")
        };
        console::say(&format!("{why}submit it: {words} {shown}"));
        return Ok(());
    }
    let mut command = Command::new(program);
    command.args(before).arg(path).stdout(Stdio::inherit());
    let output = command.env_remove(TOKEN_VARIABLE).output();
    let output = output.with_context(|| format!("cannot start {words}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let (said, status) = (said.trim_end(), output.status);
    if !status.success() {
        bail!("{needs} refused it ({status}): {said}\nchange {shown}, and then: {words} {shown}");
    }
    if !said.is_empty() {
        console::say(said);
    }
    Ok(())
}

/// That Slurm's commands are here.
///
/// # Errors
/// [`Misuse`] where one is not.
pub(super) fn check_slurm() -> Result<()> {
    let Some(missing) = slurm::COMMANDS.iter().find(|name| !is_there(name)) else {
        return Ok(());
    };
    Err(Misuse(format!(
        "analyses are handed to Slurm with {missing}, which is not on PATH: start this on a machine \
         of the cluster that has it, as login nodes do, or without --engine slurm"
    ))
    .into())
}

/// Whether a program is on PATH.
pub(super) fn is_there(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
