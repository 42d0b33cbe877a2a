//! Results that were written before, as a person names them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use ckptscope_results::Results;

use crate::Misuse;

/// Its name in an analysis' folder.
pub(crate) const FILE_NAME: &str = "results.json";

/// Reads a results file, or the one in an analysis' folder.
pub(crate) fn read(path: &Path) -> Result<Results> {
    read_with_text(path).map(|(results, _)| results)
}

/// As [`read`], with the text that it read.
pub(crate) fn read_with_text(path: &Path) -> Result<(Results, String)> {
    let file = place(path)?;
    let shown = file.display();
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {shown}"))?;
    match Results::parse(&text) {
        Ok(results) => Ok((results, text)),
        Err(error) => Err(Misuse(format!("{shown}: {error}")).into()),
    }
}

/// A results file, or the one in an analysis' folder.
pub(crate) fn place(path: &Path) -> Result<PathBuf> {
    if !path.exists() {
        let shown = path.display();
        return Err(Misuse(format!("there is no {shown}")).into());
    }
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let inside = path.join(FILE_NAME);
    if inside.is_file() {
        return Ok(inside);
    }
    Err(Misuse(format!(
        "{} has no results.json; give the folder of a finished analysis, or a results file",
        path.display()
    ))
    .into())
}
