//! `cargo xtask demo`: everything at once, on the bundled real run.

use std::process::Command;
use std::thread;

use anyhow::{Result, anyhow};
use ckptscope_loopback::Served;
use lexopt::prelude::*;

use crate::build::{self, Purpose};
use crate::page_tests;
use crate::process;
use crate::setup;
use crate::steps::{Outcome, Report, timed};
use crate::workspace::Workspace;

/// The bundled run.
pub(crate) const RUN: &str = "tests/data/pico-decoder-micro-1";
/// What to compute of it.
pub(crate) const CONFIG: &str = "configs/demo.yaml";

/// The program that computes it.
const WORKER: &str = "worker";

/// What was asked for.
struct Options {
    port: u16,
    /// The hub that the page names in place of the public one.
    hub: Option<String>,
    purpose: Purpose,
    serve: bool,
    check: bool,
}

/// `cargo xtask demo`.
pub(crate) fn run(workspace: &Workspace, arguments: lexopt::Parser) -> Result<()> {
    let options = Options::parse(arguments)?;
    let mut report = Report::default();
    build_all(workspace, options.purpose, &mut report);
    if options.purpose == Purpose::Release && report.is_good() {
        report.step(
            "analysis",
            "the command above can be run by hand, from the root",
            || analyse(workspace),
        );
    }
    if options.check {
        report.step("browser", page_tests::ADVICE, || {
            page_tests::step(workspace, "")
        });
    }
    report.finish()?;
    if options.serve {
        show(workspace, options)?;
    }
    Ok(())
}

/// Compiles what runs on this machine while the page's tools are installed and the page is built,
/// which ends with minutes on a single core.
fn build_all(workspace: &Workspace, purpose: Purpose, report: &mut Report) {
    println!("\n== native, setup, page");
    let (native, setup, page) = thread::scope(|scope| {
        let native = scope.spawn(|| timed(|| native(workspace, purpose)));
        let setup = timed(|| setup::page(workspace));
        let is_set_up = setup.1.is_ok();
        let page = is_set_up.then(|| timed(|| build::page(workspace, purpose)));
        (native.join(), setup, page)
    });
    let (seconds, outcome) = native.unwrap_or((0.0, Err(anyhow!("it panicked"))));
    report.note("native", build::NATIVE_ADVICE, seconds, outcome);
    report.note("setup", setup::ADVICE, setup.0, setup.1);
    if let Some((seconds, outcome)) = page {
        report.note("page", build::ADVICE, seconds, outcome);
    }
}

/// The worker, and what is run when trunk has built the page.
fn native(workspace: &Workspace, purpose: Purpose) -> Result<Outcome> {
    build::page_build(workspace)?;
    if purpose == Purpose::Release {
        process::built(workspace, WORKER)?;
    }
    Ok(Outcome::Done)
}

impl Options {
    fn parse(mut arguments: lexopt::Parser) -> Result<Self> {
        let mut options = Self {
            port: 8080,
            hub: None,
            purpose: Purpose::Release,
            serve: true,
            check: false,
        };
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("port") => options.port = arguments.value()?.parse()?,
                Long("hub") => options.hub = Some(arguments.value()?.string()?),
                Long("quick") => options.purpose = Purpose::Development,
                Long("no-serve") => options.serve = false,
                Long("check") => (options.check, options.serve) = (true, false),
                _ => return Err(argument.unexpected().into()),
            }
        }
        Ok(options)
    }
}

/// The main job on the bundled run, results to disk.
fn analyse(workspace: &Workspace) -> Result<Outcome> {
    let mut command = Command::new(process::built(workspace, WORKER)?);
    command.args(["analyze", "--config", CONFIG, "--run-path", RUN]);
    command.current_dir(&workspace.root);
    println!("{}", process::shown(&command));
    process::run(&mut command)?;
    Ok(Outcome::Done)
}

/// Serves the page until interrupted; on another port where the wished one is taken.
fn show(workspace: &Workspace, options: Options) -> Result<()> {
    let page = Served {
        hub: options.hub,
        ..Served::folder(workspace.dist())
    };
    let address = page
        .clone()
        .start(options.port)
        .or_else(|_| page.start(0))?;
    println!("\nOpen {address} and click \"Try the demo run\". Ctrl-C ends it.");
    loop {
        thread::park();
    }
}
