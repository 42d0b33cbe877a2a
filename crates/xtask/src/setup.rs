//! Finds what building and testing need, installs what is missing, and says which.

pub(crate) mod apt;
pub(crate) mod cargo_tool;
pub(crate) mod chromium;
pub(crate) mod wasm;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::steps::Outcome;
use crate::workspace::Workspace;
use cargo_tool::CargoTool;
pub(crate) use chromium::Chromium;

/// What to do when something cannot be installed.
pub(crate) const ADVICE: &str = "each line above says what was tried, and what to install instead";

/// `cargo xtask setup`.
pub(crate) fn run(workspace: &Workspace, mut arguments: lexopt::Parser) -> Result<()> {
    if let Some(argument) = arguments.next()? {
        return Err(argument.unexpected().into());
    }
    all(workspace).map(drop)
}

/// Finds or installs what building the page needs.
pub(crate) fn page(workspace: &Workspace) -> Result<Outcome> {
    page_tools(workspace)?;
    Ok(Outcome::Done)
}

fn page_tools(workspace: &Workspace) -> Result<PageTools> {
    let tools = PageTools::find_or_install(workspace)?;
    let compiler = tools.compiler.describe();
    println!("compiler for {}: {compiler}", wasm::TARGET);
    Ok(tools)
}

/// Finds or installs everything.
pub(crate) fn all(workspace: &Workspace) -> Result<Outcome> {
    let tools = page_tools(workspace)?;
    if !tools.compiler.has_clippy() {
        wasm::install_clippy();
    }
    let runner = test_runner(workspace)?;
    println!("runner of tests in a browser: {}", runner.display());
    let Chromium { browser, driver } = Chromium::find_or_install()?;
    println!(
        "browser for tests: {}, {}",
        browser.display(),
        driver.display()
    );
    Ok(Outcome::Done)
}

/// Flags of every build for wasm32. Leptos erases the types of views: less code, and quicker to
/// compile.
const FLAGS: &[&str] = &["-C target-feature=+simd128", "--cfg erase_components"];

/// What building the page needs.
pub(crate) struct PageTools {
    /// The compiler for wasm32.
    pub compiler: wasm::Compiler,
}

impl PageTools {
    /// Finds the tools, and installs those that are missing.
    pub(crate) fn find_or_install(workspace: &Workspace) -> Result<Self> {
        Ok(Self {
            compiler: wasm::Compiler::find_or_install(workspace)?,
        })
    }

    /// Makes `command` compile for wasm32 with these tools, and with these flags on top of those
    /// that every build for wasm32 has.
    pub(crate) fn prepare(&self, workspace: &Workspace, command: &mut Command, flags: &[&str]) {
        self.compiler.prepare(command);
        command
            .env("CARGO_TARGET_DIR", workspace.wasm_target())
            .env("CARGO_INCREMENTAL", "0")
            .env(
                "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
                [FLAGS, flags].concat().join(" "),
            );
    }
}

/// Finds or installs what runs tests for wasm32: of the version of wasm-bindgen that they are built
/// with.
pub(crate) fn test_runner(workspace: &Workspace) -> Result<PathBuf> {
    CargoTool {
        package: "wasm-bindgen-cli",
        program: "wasm-bindgen-test-runner",
        version: locked_version(workspace, "wasm-bindgen")?,
    }
    .find_or_install(workspace)
}

/// The version of a package in Cargo.lock.
fn locked_version(workspace: &Workspace, package: &str) -> Result<String> {
    let path = workspace.root.join("Cargo.lock");
    let lock = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name).skip(1);
    lines
        .next()
        .and_then(|line| line.strip_prefix("version = \"")?.strip_suffix('"'))
        .map(str::to_owned)
        .with_context(|| format!("Cargo.lock has no package {package}"))
}
