//! `cargo xtask`: set-up, build, demo and tests of ckptscope, with nothing but cargo to begin with.

mod bench;
mod build;
mod csv_python;
mod demo;
mod dist;
mod extension;
mod fake;
mod fake_hub;
mod format;
mod page_tests;
mod process;
mod python;
mod reference;
mod setup;
mod slurm;
mod steps;
mod test;
mod tidy;
mod wandb;
mod worker;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};
use workspace::Workspace;

/// One thing `cargo xtask` does.
struct Verb {
    name: &'static str,
    arguments: &'static str,
    summary: &'static str,
    run: fn(&Workspace, lexopt::Parser) -> Result<()>,
}

const VERBS: &[Verb] = &[
    Verb {
        name: "setup",
        arguments: "",
        summary: "find or install what building and testing need, and say what was done",
        run: setup::run,
    },
    Verb {
        name: "build",
        arguments: "[--quick]",
        summary: "build the page (into dist/) and the native worker, optimised; --quick: the page only, compiled soon",
        run: build::run,
    },
    Verb {
        name: "dist",
        arguments: "[--profile NAME]",
        summary: "build a worker that starts on any Linux of x86-64 with glibc 2.17, and a Python wheel with it",
        run: dist::run,
    },
    Verb {
        name: "demo",
        arguments: "[--quick] [--port N] [--hub ADDRESS] [--no-serve] [--check]",
        summary: "build, analyse the bundled run, serve the page on 127.0.0.1; --quick: the page only",
        run: demo::run,
    },
    Verb {
        name: "test",
        arguments: "[STEP]... [--only NAME]",
        summary: "run every check, or the named ones, or of their tests only those with NAME in their names",
        run: test::run,
    },
    Verb {
        name: "bench",
        arguments: "[--browser | --table] [FILTER]",
        summary: "time the kernels, natively or in headless Chromium; --table: beside numpy and torch",
        run: bench::run,
    },
    Verb {
        name: "fake-hub",
        arguments: "[--port N] [--file-host-port N] [--delay-ms N]",
        summary: "serve a Hugging Face Hub on 127.0.0.1 that has the bundled run",
        run: fake_hub::run,
    },
    Verb {
        name: "screenshots",
        arguments: "",
        summary: "write pictures of the built page to target/screenshots",
        run: page_tests::screenshots,
    },
    Verb {
        name: "reference",
        arguments: "",
        summary: "write docs/ from the code: metrics, components, config, command line, HTTP API",
        run: reference::run,
    },
    Verb {
        name: "fmt",
        arguments: "",
        summary: "format every Rust file",
        run: format::run,
    },
    Verb {
        name: "tidy",
        arguments: "",
        summary: "check what each crate must not know, and other house rules",
        run: tidy::run,
    },
];

fn main() -> ExitCode {
    match dispatch() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<steps::AlreadyReported>() => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch() -> Result<()> {
    let mut arguments = lexopt::Parser::from_env();
    let Some(lexopt::Arg::Value(name)) = arguments.next()? else {
        print_usage();
        return Ok(());
    };
    let Some(verb) = VERBS.iter().find(|verb| name == verb.name) else {
        print_usage();
        bail!("there is no `cargo xtask {}`", name.display());
    };
    (verb.run)(&Workspace::here()?, arguments)
}

fn print_usage() {
    println!("cargo xtask VERB\n");
    for verb in VERBS {
        let call = format!("{} {}", verb.name, verb.arguments);
        println!("  {call:<50} {}", verb.summary);
    }
}
