//! `cargo xtask demo`: everything at once, on the bundled real run.

use std::thread;

use anyhow::Result;
use lexopt::prelude::*;

use crate::build::{self, Purpose};
use crate::page_tests;
use crate::process;
use crate::serve::Served;
use crate::steps::{Outcome, Report};
use crate::workspace::Workspace;

/// The bundled run.
pub(crate) const RUN: &str = "tests/data/pico-decoder-micro-1";
/// What to compute of it.
pub(crate) const CONFIG: &str = "configs/demo.yaml";

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
    report.step("page", build::ADVICE, || {
        build::page(workspace, options.purpose)
    });
    if options.purpose == Purpose::Release {
        report.step("worker", "look at the first error above", || {
            build::worker(workspace)
        });
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
    report.finish_quietly()?;
    if options.serve {
        show(workspace, options)?;
    }
    Ok(())
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
    let worker = workspace.native_target().join("release/worker");
    let mut command = std::process::Command::new(worker);
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
