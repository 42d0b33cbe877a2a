//! `cargo xtask tidy`: house rules that a compiler does not check.

mod dependencies;
mod files;
mod modules;
mod names;
mod source;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process;
use crate::steps::Outcome;
use crate::workspace::Workspace;
use modules::Modules;
use names::Names;

/// A broken rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The file, from the root, with the line where there is one.
    pub place: String,
    /// What is wrong, and why that is a rule.
    pub message: String,
}

/// A crate of the workspace.
pub(crate) struct Package {
    /// Its name.
    pub name: String,
    /// The folder of its Cargo.toml.
    pub folder: PathBuf,
    /// The packages it depends on directly, tests' and build scripts' not counted.
    pub dependencies: Vec<String>,
}

/// `cargo xtask tidy`.
pub(crate) fn run(workspace: &Workspace, mut arguments: lexopt::Parser) -> Result<()> {
    if let Some(argument) = arguments.next()? {
        return Err(argument.unexpected().into());
    }
    step(workspace).map(drop)
}

/// Checks every rule and prints what is broken.
pub(crate) fn step(workspace: &Workspace) -> Result<Outcome> {
    let mut findings = Vec::new();
    for package in packages(workspace)? {
        findings.extend(dependencies::check(&package));
    }
    let (mut modules, mut names) = (Modules::default(), Names::default());
    for path in tracked_files(workspace)? {
        findings.extend(files::check(&workspace.root, &path)?);
        if path.extension().is_some_and(|extension| extension == "rs") {
            findings.extend(source::check(&workspace.root, &path)?);
            names.read(&workspace.root, &path)?;
            if path.starts_with(modules::FOLDER) {
                modules.read(&workspace.root, &path)?;
            }
        }
    }
    findings.extend(modules.check());
    findings.extend(names.check());
    for Finding { place, message } in &findings {
        println!("{place}: {message}");
    }
    if !findings.is_empty() {
        bail!("{} house rules are broken", findings.len());
    }
    Ok(Outcome::Done)
}

/// The crates of the workspace, with their direct dependencies.
pub(crate) fn packages(workspace: &Workspace) -> Result<Vec<Package>> {
    let arguments = ["metadata", "--format-version", "1", "--no-deps"];
    let text = process::read(workspace.cargo().args(arguments))?;
    let metadata: Value = serde_json::from_str(&text)?;
    metadata["packages"]
        .as_array()
        .context("cargo metadata lists packages")?
        .iter()
        .map(package)
        .collect()
}

fn package(value: &Value) -> Result<Package> {
    let manifest = Path::new(
        value["manifest_path"]
            .as_str()
            .context("a package has a manifest")?,
    );
    let dependencies = value["dependencies"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    Ok(Package {
        name: value["name"].as_str().unwrap_or_default().to_owned(),
        folder: manifest
            .parent()
            .context("a manifest lies in a folder")?
            .to_path_buf(),
        dependencies: dependencies
            .iter()
            .filter(|dependency| dependency["kind"].is_null())
            .map(|dependency| dependency["name"].as_str().unwrap_or_default().to_owned())
            .collect(),
    })
}

/// The files that git tracks or would add, from the root.
pub(crate) fn tracked_files(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let mut git = std::process::Command::new("git");
    git.args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let list = process::read(git.current_dir(&workspace.root))?;
    let paths = list
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(PathBuf::from);
    Ok(paths
        .filter(|path| workspace.root.join(path).is_file())
        .collect())
}
