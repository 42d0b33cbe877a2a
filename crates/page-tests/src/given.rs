//! What `cargo xtask` hands over.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The bundled run.
pub(crate) const RUN: &str = "tests/data/pico-decoder-micro-1";
/// What the demo computes of it.
pub(crate) const CONFIG: &str = "configs/demo.yaml";

/// Where things are.
#[derive(Clone)]
pub(crate) struct Given {
    /// The folder of the root Cargo.toml.
    pub root: PathBuf,
    /// The native worker, which `CKPTSCOPE_WORKER` names.
    pub worker: PathBuf,
    /// Chromium, which `CHROME` names.
    pub browser: PathBuf,
    /// chromedriver, which `CHROMEDRIVER` names.
    pub driver: PathBuf,
}

impl Given {
    /// What the environment names.
    pub(crate) fn by_xtask() -> Result<Self> {
        Ok(Self {
            root: root()?,
            worker: named_by("CKPTSCOPE_WORKER")?,
            browser: named_by("CHROME")?,
            driver: named_by("CHROMEDRIVER")?,
        })
    }

    /// The built page.
    pub(crate) fn dist(&self) -> PathBuf {
        self.root.join("dist")
    }
}

/// The checkout that this program was built from.
pub(crate) fn root() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    Ok(root.context("this crate lies two folders deep")?.to_owned())
}

fn named_by(variable: &str) -> Result<PathBuf> {
    let path = env::var_os(variable);
    Ok(path
        .with_context(|| format!("{variable} is not set"))?
        .into())
}
