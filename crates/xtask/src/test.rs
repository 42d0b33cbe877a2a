//! `cargo xtask test`: every check there is.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use lexopt::prelude::*;

use crate::build;
use crate::csv_python;
use crate::extension;
use crate::fake_hub;
use crate::format;
use crate::page_tests;
use crate::process;
use crate::reference;
use crate::setup::{self, Chromium, wasm};
use crate::slurm;
use crate::steps::{Outcome, Report, count_tests, run_tests};
use crate::tidy;
use crate::wandb;
use crate::workspace::{PAGE, Workspace};

/// One check.
struct Check {
    name: &'static str,
    advice: &'static str,
    /// Of the tests, those whose names have the text in them.
    run: fn(&Workspace, &str) -> Result<Outcome>,
}

/// Quick ones first; what needs the wasm tools last.
const CHECKS: &[Check] = &[
    Check {
        name: "fmt",
        advice: "run `cargo xtask fmt`",
        run: |workspace, _| format::step(workspace),
    },
    Check {
        name: "tidy",
        advice: "each line says which rule is broken and why it is there",
        run: |workspace, _| tidy::step(workspace),
    },
    Check {
        name: "clippy",
        advice: "mend what clippy says; an exception needs a reason beside it",
        run: |workspace, _| clippy(workspace),
    },
    Check {
        name: "tests",
        advice: "`cargo test -p CRATE NAME` runs one test",
        run: tests,
    },
    Check {
        name: "docs",
        advice: "mend the doc comments named above",
        run: |workspace, _| docs(workspace),
    },
    Check {
        name: "reference",
        advice: reference::ADVICE,
        run: |workspace, _| reference::step(workspace),
    },
    Check {
        name: "extension",
        advice: extension::ADVICE,
        run: |workspace, _| extension::step(workspace),
    },
    Check {
        name: "hub-python",
        advice: fake_hub::ADVICE,
        run: fake_hub::step,
    },
    Check {
        name: "wandb-python",
        advice: wandb::ADVICE,
        run: wandb::step,
    },
    Check {
        name: "csv-python",
        advice: csv_python::ADVICE,
        run: csv_python::step,
    },
    Check {
        name: "slurm",
        advice: slurm::ADVICE,
        run: slurm::step,
    },
    Check {
        name: "setup",
        advice: setup::ADVICE,
        run: |workspace, _| setup::all(workspace),
    },
    Check {
        name: "clippy-wasm",
        advice: "mend what clippy says; `cargo xtask setup` installs the tools",
        run: |workspace, _| clippy_wasm(workspace),
    },
    Check {
        name: "tests-wasm",
        advice: "`cargo xtask test tests-wasm` repeats this step alone",
        run: tests_wasm,
    },
    Check {
        name: "page",
        advice: build::ADVICE,
        run: |workspace, _| page(workspace),
    },
    Check {
        name: "browser",
        advice: page_tests::ADVICE,
        run: page_tests::step,
    },
    Check {
        name: "firefox",
        advice: page_tests::ADVICE,
        run: page_tests::in_firefox,
    },
    Check {
        name: "deny",
        advice: "see deny.toml for what is allowed, and why",
        run: |workspace, _| deny(workspace),
    },
];

/// `cargo xtask test [STEP]... [--only NAME]`.
pub(crate) fn run(workspace: &Workspace, mut arguments: lexopt::Parser) -> Result<()> {
    let (mut wanted, mut only) = (Vec::new(), String::new());
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("only") => only = arguments.value()?.string()?,
            Value(name) => wanted.push(find(&name.string()?)?),
            _ => return Err(argument.unexpected().into()),
        }
    }
    let checks = if wanted.is_empty() {
        CHECKS.iter().collect()
    } else {
        wanted
    };
    let mut report = Report::default();
    for check in checks {
        report.step(check.name, check.advice, || (check.run)(workspace, &only));
    }
    report.finish_with_sum()
}

fn find(name: &str) -> Result<&'static Check> {
    CHECKS
        .iter()
        .find(|check| check.name == name)
        .with_context(|| {
            let names: Vec<_> = CHECKS.iter().map(|check| check.name).collect();
            format!("there is no step {name}; there are {}", names.join(", "))
        })
}

fn clippy(workspace: &Workspace) -> Result<Outcome> {
    let mut command = workspace.cargo();
    command.args(["clippy", "--workspace", "--exclude", PAGE, "--all-targets"]);
    process::run(command.args(["--", "-D", "warnings"]))?;
    Ok(Outcome::Done)
}

fn tests(workspace: &Workspace, only: &str) -> Result<Outcome> {
    let mut command = workspace.cargo();
    command.args(["test", "--workspace", "--exclude", PAGE, "--no-fail-fast"]);
    // Property tests try the same here every time; `cargo test` alone tries something new.
    command.env("PROPTEST_RNG_SEED", "1");
    run_tests(having(&mut command, only))
}

fn docs(workspace: &Workspace) -> Result<Outcome> {
    let mut command = workspace.cargo();
    command.args([
        "doc",
        "--workspace",
        "--exclude",
        PAGE,
        "--no-deps",
        "--document-private-items",
    ]);
    process::run(command.env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Outcome::Done)
}

fn clippy_wasm(workspace: &Workspace) -> Result<Outcome> {
    let compiler = wasm::Compiler::find_or_install(workspace)?;
    let Some(mut command) = compiler.clippy(workspace) else {
        return Ok(Outcome::Skipped(
            "this compiler has no clippy; `cargo xtask setup` tries to install it".into(),
        ));
    };
    compiler.prepare(workspace, &mut command, &[]);
    command.args(["-p", PAGE, "--all-targets"]);
    command.args(["--target", wasm::TARGET, "--", "-D", "warnings"]);
    process::run(&mut command)?;
    Ok(Outcome::Done)
}

/// Runs the page's unit tests and every `tests/browser*.rs` of the crates and of the page in
/// headless Chromium.
fn tests_wasm(workspace: &Workspace, only: &str) -> Result<Outcome> {
    let compiler = wasm::Compiler::find_or_install(workspace)?;
    let chromium = Chromium::find_or_install()?;
    let tests = || {
        let mut command = workspace.cargo();
        compiler.prepare(workspace, &mut command, &[]);
        chromium.prepare_tests(workspace, &mut command)?;
        command.args(["test", "--no-fail-fast"]);
        command.args(["--target", wasm::TARGET]);
        anyhow::Ok(command)
    };
    // By itself: `--lib` would mean that of every package named.
    let (mut unit, mut others) = (tests()?, tests()?);
    unit.args(["-p", PAGE, "--lib"]);
    for (package, test) in browser_tests(workspace)? {
        others.args(["-p", &package, "--test", &test]);
    }
    let unit = count_tests(having(&mut unit, only))?;
    let others = count_tests(having(&mut others, only))?;
    Ok(Outcome::Tested(unit + others))
}

/// Has `command`, a `cargo test`, run the tests whose names have `only` in them.
fn having<'a>(command: &'a mut Command, only: &str) -> &'a mut Command {
    if !only.is_empty() {
        command.args(["--", only]);
    }
    command
}

/// The integration tests that are written for a browser: (package, name of the test).
fn browser_tests(workspace: &Workspace) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for package in tidy::packages(workspace)? {
        for path in tests_of(&package.folder)? {
            let name = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if name.starts_with("browser") {
                found.push((package.name.clone(), name));
            }
        }
    }
    if found.is_empty() {
        bail!("no crate has a test named tests/browser*.rs");
    }
    Ok(found)
}

fn tests_of(package: &std::path::Path) -> Result<Vec<PathBuf>> {
    let folder = package.join("tests");
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let mut files = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    files.sort();
    Ok(files)
}

fn page(workspace: &Workspace) -> Result<Outcome> {
    let built = build::page(workspace, build::Purpose::Release)?;
    page_tests::check_first_load(workspace)?;
    Ok(built)
}

/// Licences, sources and banned crates. (Advisories need the network: `cargo deny check`.)
fn deny(workspace: &Workspace) -> Result<Outcome> {
    let own = workspace.tools.join("bin/cargo-deny");
    let found = process::find_on_path(&["cargo-deny"]).or_else(|| own.is_file().then_some(own));
    let Some(program) = found else {
        return Ok(Outcome::Skipped("cargo-deny is not installed".into()));
    };
    let mut command = Command::new(program);
    command.args([
        "--offline",
        "check",
        "--hide-inclusion-graph",
        "bans",
        "licenses",
        "sources",
    ]);
    process::run(command.current_dir(&workspace.root))?;
    Ok(Outcome::Done)
}
