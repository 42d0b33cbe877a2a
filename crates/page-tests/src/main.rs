//! Tests of the built page, which `cargo xtask` runs: a program of its own, so that nothing else
//! waits until it is compiled.

mod browser;
mod firefox;
mod first_load;
mod given;
mod page_tests;
mod process;
mod screenshots;

use std::process::ExitCode;

use anyhow::{Result, bail};
use lexopt::Arg;

use given::Given;

fn main() -> ExitCode {
    match dispatch() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// `browser [NAME]`, `firefox [NAME]`, `first-load` or `screenshots [OPTION]... [STATE]...`.
fn dispatch() -> Result<ExitCode> {
    let mut arguments = lexopt::Parser::from_env();
    let verb = match arguments.next()? {
        Some(Arg::Value(verb)) => verb,
        _ => bail!("this is called by `cargo xtask`: browser, firefox, first-load or screenshots"),
    };
    match &*verb.to_string_lossy() {
        "browser" => page_tests::run(&Given::by_xtask()?, arguments),
        "firefox" => {
            let only = match arguments.next()? {
                Some(Arg::Value(name)) => name.to_string_lossy().into_owned(),
                _ => String::new(),
            };
            firefox::run(&Given::by_xtask()?, &only)
        }
        "screenshots" => screenshots::run(&Given::by_xtask()?, arguments),
        "first-load" => {
            first_load::check(&given::root()?.join("dist"))?;
            Ok(ExitCode::SUCCESS)
        }
        other => bail!("there is no {other}"),
    }
}
