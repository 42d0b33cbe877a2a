//! Finds what building and testing need, installs what is missing, and says which.

pub(crate) mod apt;
pub(crate) mod cargo_tool;
pub(crate) mod chromium;
pub(crate) mod firefox;
pub(crate) mod wasm;

use std::path::PathBuf;
use std::thread;

use anyhow::{Context, Result, anyhow};

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
    PageTools::find_or_install(workspace)?.describe();
    Ok(Outcome::Done)
}

/// Finds or installs everything.
pub(crate) fn all(workspace: &Workspace) -> Result<Outcome> {
    let tools = PageTools::find_or_install(workspace)?;
    tools.describe();
    if !tools.compiler.has_clippy() {
        wasm::install_clippy();
    }
    let Chromium { browser, driver } = Chromium::find_or_install()?;
    println!(
        "browser for tests: {}, {}",
        browser.display(),
        driver.display()
    );
    Ok(Outcome::Done)
}

/// What building the page needs.
pub(crate) struct PageTools {
    /// The compiler for wasm32.
    pub compiler: wasm::Compiler,
    /// trunk.
    pub trunk: PathBuf,
    /// wasm-bindgen's command line, which trunk calls.
    pub bindgen: PathBuf,
}

impl PageTools {
    /// Finds the tools, and installs those that are missing, side by side: each build ends on a
    /// single core.
    pub(crate) fn find_or_install(workspace: &Workspace) -> Result<Self> {
        let compiler = wasm::Compiler::find_or_install(workspace)?;
        let (trunk, bindgen) = thread::scope(|scope| {
            let trunk = scope.spawn(|| TRUNK.find_or_install(workspace, TRUNK_VERSION));
            let bindgen = bindgen(workspace);
            (trunk.join(), bindgen)
        });
        Ok(Self {
            compiler,
            trunk: trunk.map_err(|_| anyhow!("installing trunk panicked"))??,
            bindgen: bindgen?,
        })
    }

    fn describe(&self) {
        let compiler = self.compiler.describe();
        println!("compiler for {}: {compiler}", wasm::TARGET);
        println!("trunk {TRUNK_VERSION}: {}", self.trunk.display());
        println!("wasm-bindgen: {}", self.bindgen.display());
    }
}

/// 0.22 wants rustc 1.96.1.
const TRUNK_VERSION: &str = "0.21.14";

/// Without TLS and the search for updates, a fifth of its dependencies: it is called offline.
const TRUNK: CargoTool = CargoTool {
    package: "trunk",
    programs: &["trunk"],
    is_bare: true,
};

const BINDGEN: CargoTool = CargoTool {
    package: "wasm-bindgen-cli",
    programs: &["wasm-bindgen", TEST_RUNNER],
    is_bare: false,
};

/// The program of wasm-bindgen's command line that runs tests for wasm32.
const TEST_RUNNER: &str = "wasm-bindgen-test-runner";

/// Finds or installs wasm-bindgen's command line, of the version that the page is compiled with.
fn bindgen(workspace: &Workspace) -> Result<PathBuf> {
    BINDGEN.find_or_install(workspace, &locked_version(workspace, "wasm-bindgen")?)
}

/// Finds or installs what runs tests for wasm32.
pub(crate) fn test_runner(workspace: &Workspace) -> Result<PathBuf> {
    Ok(bindgen(workspace)?.with_file_name(TEST_RUNNER))
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
