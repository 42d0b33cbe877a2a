//! Finds what building and testing need, installs what is missing, and says which.

pub(crate) mod apt;
pub(crate) mod cargo_tool;
pub(crate) mod chromium;
pub(crate) mod wasm;

use std::process::Command;

use anyhow::{Context, Result};

use crate::process;
use crate::workspace::Workspace;
use cargo_tool::CargoTool;
pub(crate) use chromium::Chromium;

/// `cargo xtask setup`.
pub(crate) fn run(workspace: &Workspace, mut arguments: lexopt::Parser) -> Result<()> {
    if let Some(argument) = arguments.next()? {
        return Err(argument.unexpected().into());
    }
    let tools = PageTools::find_or_install(workspace)?;
    println!(
        "compiler for {}: {}",
        wasm::TARGET,
        tools.compiler.describe()
    );
    for tool in cargo_tools(workspace)? {
        println!(
            "{} {}: {}",
            tool.program,
            tool.version,
            workspace.tools.join("bin").display()
        );
    }
    if !tools.compiler.has_clippy() {
        wasm::install_clippy();
    }
    let chromium = Chromium::find_or_install()?;
    println!(
        "browser for tests: {}, {}",
        chromium.browser.display(),
        chromium.driver.display()
    );
    Ok(())
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
        let compiler = wasm::Compiler::find_or_install(workspace)?;
        for tool in cargo_tools(workspace)? {
            tool.find_or_install(workspace)?;
        }
        Ok(Self { compiler })
    }

    /// Makes `command` compile for wasm32 with these tools, and with these flags on top of those
    /// that every build for wasm32 has.
    pub(crate) fn prepare(
        &self,
        workspace: &Workspace,
        command: &mut Command,
        flags: &[&str],
    ) -> Result<()> {
        self.compiler.prepare(command);
        command
            .env("PATH", process::path_with(&workspace.tools.join("bin"))?)
            .env("CARGO_TARGET_DIR", workspace.wasm_target())
            .env("CARGO_INCREMENTAL", "0")
            .env(
                "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
                [FLAGS, flags].concat().join(" "),
            );
        Ok(())
    }
}

/// trunk, and wasm-bindgen's command line of the version that the page is built with.
fn cargo_tools(workspace: &Workspace) -> Result<[CargoTool; 2]> {
    let version = locked_version(workspace, "wasm-bindgen")?;
    Ok([
        // 0.22 wants rustc 1.96.1.
        CargoTool {
            package: "trunk",
            program: "trunk",
            version: "0.21.14".into(),
            locked: true,
        },
        CargoTool {
            package: "wasm-bindgen-cli",
            program: "wasm-bindgen",
            version,
            // It is published without a lock file.
            locked: false,
        },
    ])
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
