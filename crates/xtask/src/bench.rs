//! `cargo xtask bench`: the benchmarks of all crates, on this machine or in a browser, and a table of
//! kernels beside what numpy and torch take.

mod table;

use std::process::Command;

use anyhow::{Result, bail};
use lexopt::prelude::*;

use crate::process;
use crate::setup::{Chromium, wasm};
use crate::workspace::Workspace;

/// `cargo xtask bench [--browser | --table] [FILTER]`.
pub(crate) fn run(workspace: &Workspace, mut arguments: lexopt::Parser) -> Result<()> {
    let (mut in_browser, mut as_table, mut filter) = (false, false, None);
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("browser") => in_browser = true,
            Long("table") => as_table = true,
            Value(word) if filter.is_none() => filter = Some(word.string()?),
            Value(_) => bail!("one FILTER at most; put words with spaces in quotes"),
            _ => return Err(argument.unexpected().into()),
        }
    }
    let filter = filter.unwrap_or_default();
    if as_table {
        table::print(workspace, &filter)
    } else if in_browser {
        bench_in_browser(workspace, &filter)
    } else {
        bench_natively(workspace, &filter)
    }
}

fn bench_natively(workspace: &Workspace, filter: &str) -> Result<()> {
    let mut command = workspace.cargo();
    command.args(["bench", "--bench", "*", "--", filter]);
    process::run(&mut command)
}

/// What is timed in a browser: packages and their benchmarks.
const IN_BROWSER: [(&str, &str); 2] = [
    ("ckptscope-metrics", "kernels"),
    ("ckptscope-web-page", "redraw"),
];

/// Kernels and redraws in headless Chromium, compiled as the page is.
fn bench_in_browser(workspace: &Workspace, filter: &str) -> Result<()> {
    for (package, bench) in IN_BROWSER {
        process::run(&mut in_browser(workspace, package, bench, filter)?)?;
    }
    Ok(())
}

/// One benchmark in headless Chromium.
fn in_browser(workspace: &Workspace, package: &str, bench: &str, filter: &str) -> Result<Command> {
    let compiler = wasm::Compiler::find_or_install(workspace)?;
    let chromium = Chromium::find_or_install()?;
    let mut command = workspace.cargo();
    compiler.prepare(workspace, &mut command, &[]);
    chromium.prepare_tests(workspace, &mut command)?;
    // The runner takes `cargo bench` to mean its own kind of benchmarks; ours are one long test.
    command
        .args(["test", "-p", package, "--bench", bench])
        .args(["--profile", "web", "--target", wasm::TARGET])
        .args(["--", "--nocapture"])
        .env("CKPTSCOPE_BENCH_FILTER", filter)
        .env("WASM_BINDGEN_TEST_TIMEOUT", "3600");
    Ok(command)
}
