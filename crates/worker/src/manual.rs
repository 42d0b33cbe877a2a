//! `worker completions` and `worker man`, from the arguments themselves.

use std::fs;

use anyhow::{Context, Result};
use clap::CommandFactory;

use crate::arguments::{Arguments, CompletionsArguments, ManArguments};
use crate::{Outcome, console};

/// Prints the script of a shell.
pub(crate) fn completions(arguments: &CompletionsArguments) -> Result<Outcome> {
    let mut script = Vec::new();
    let mut command = Arguments::command();
    let name = command.get_name().to_owned();
    clap_complete::generate(arguments.shell, &mut command, name, &mut script);
    console::print(&String::from_utf8(script)?)?;
    Ok(Outcome::Done)
}

/// Writes the pages.
pub(crate) fn pages(arguments: &ManArguments) -> Result<Outcome> {
    let folder = &arguments.folder;
    let written = fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Arguments::command(), folder));
    written.with_context(|| format!("cannot write into {}", folder.display()))?;
    console::say(&folder.display().to_string());
    Ok(Outcome::Done)
}
