//! `cargo xtask bench`: the benchmarks of all crates.

use anyhow::Result;
use lexopt::prelude::*;

use crate::process;
use crate::workspace::Workspace;

/// `cargo xtask bench [FILTER]`.
pub(crate) fn run(workspace: &Workspace, mut arguments: lexopt::Parser) -> Result<()> {
    let mut command = workspace.cargo();
    command.args(["bench", "--benches", "--"]);
    while let Some(argument) = arguments.next()? {
        match argument {
            Value(filter) => command.arg(filter),
            _ => return Err(argument.unexpected().into()),
        };
    }
    process::run(&mut command)
}
