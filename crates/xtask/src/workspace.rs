//! Where things are.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The packages of the page and its web workers, which are built for wasm32 only, as a pattern that
/// cargo takes for a name.
pub(crate) const PAGE: &str = "ckptscope-web-*";

/// The checkout, and the folder of tools beside it.
#[derive(Clone)]
pub(crate) struct Workspace {
    /// The folder of the root Cargo.toml.
    pub root: PathBuf,
    /// Where `cargo install --root` puts tools; shared by checkouts and kept between runs.
    pub tools: PathBuf,
    /// Where native builds go.
    pub native_target: PathBuf,
}

impl Workspace {
    /// The checkout this binary was built from.
    pub(crate) fn here() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .context("crates/xtask lies two folders below the workspace root")?;
        Ok(Self {
            root: root.to_path_buf(),
            tools: cache_folder()?.join("ckptscope/tools"),
            native_target: match env::var_os("CARGO_TARGET_DIR") {
                Some(folder) => env::current_dir()?.join(folder),
                None => root.join("target"),
            },
        })
    }

    /// `cargo`, called from the root.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.native_target);
        command
    }

    /// Where wasm builds go: apart, so that neither compiler discards the other's work.
    pub(crate) fn wasm_target(&self) -> PathBuf {
        self.root.join("target-wasm")
    }

    /// The built page.
    pub(crate) fn dist(&self) -> PathBuf {
        self.root.join("dist")
    }
}

fn cache_folder() -> Result<PathBuf> {
    if let Some(folder) = env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()) {
        return Ok(folder.into());
    }
    match env::home_dir() {
        Some(home) => Ok(home.join(".cache")),
        None => bail!("no home folder to keep tools in; set XDG_CACHE_HOME"),
    }
}
