//! The browser that tests run in.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::apt;
use crate::process;
use crate::workspace::Workspace;

/// Chromium and its driver.
pub(crate) struct Chromium {
    /// The browser.
    pub browser: PathBuf,
    /// chromedriver.
    pub driver: PathBuf,
}

impl Chromium {
    /// Finds both (`CHROME` and `CHROMEDRIVER`, else PATH), and installs Debian's when one is missing.
    pub(crate) fn find_or_install() -> Result<Self> {
        if let Some(found) = Self::find() {
            return Ok(found);
        }
        apt::install(&["chromium", "chromium-driver"]).context(
            "tests in a browser need Chromium and chromedriver on PATH (or in CHROME and CHROMEDRIVER)",
        )?;
        Self::find().context("chromium and chromedriver were installed but are not on PATH")
    }

    /// Makes `command`, a `cargo test` for wasm32, run its tests in this browser.
    pub(crate) fn prepare_tests(&self, workspace: &Workspace, command: &mut Command) -> Result<()> {
        let runner = super::test_runner(workspace)?;
        command
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner)
            .env("CHROMEDRIVER", &self.driver)
            .env(
                "WASM_BINDGEN_TEST_WEBDRIVER_JSON",
                workspace.root.join("web/webdriver.json"),
            )
            .env("WASM_BINDGEN_TEST_TIMEOUT", "300")
            .env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", "60");
        Ok(())
    }

    fn find() -> Option<Self> {
        let browser = named_by("CHROME").or_else(|| {
            process::find_on_path(&["chromium", "chromium-browser", "google-chrome"])
        })?;
        let driver =
            named_by("CHROMEDRIVER").or_else(|| process::find_on_path(&["chromedriver"]))?;
        Some(Self { browser, driver })
    }
}

fn named_by(variable: &str) -> Option<PathBuf> {
    env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_file())
}
