//! Firefox, in which tests take the main path.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::apt;
use crate::process;

/// What Debian calls it.
const PACKAGE: &str = "firefox-esr";

/// Finds it (`FIREFOX`, else PATH), and installs Debian's where it is missing.
pub(crate) fn find_or_install() -> Result<PathBuf> {
    if let Some(found) = find() {
        return Ok(found);
    }
    apt::install(&[PACKAGE]).context("there is no Firefox on PATH or in FIREFOX")?;
    find().with_context(|| format!("{PACKAGE} was installed but is not on PATH"))
}

fn find() -> Option<PathBuf> {
    let named = env::var_os("FIREFOX").map(PathBuf::from);
    let named = named.filter(|path| path.is_file());
    named.or_else(|| process::find_on_path(&[PACKAGE, "firefox"]))
}
