//! Lists the page's files for the program to carry, where the page was built before it, and tells
//! the program which commit it is built of, where git knows.

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// What `cargo xtask build` writes, from the root of the workspace.
const PAGE: &str = "../../dist";

/// What the program calls the commit; packagers without a repository may set it.
const COMMIT: &str = "CKPTSCOPE_COMMIT";

fn main() -> Result<(), Box<dyn Error>> {
    tell_commit();
    list_page()
}

fn tell_commit() {
    println!("cargo::rerun-if-env-changed={COMMIT}");
    if env::var_os(COMMIT).is_some() {
        return;
    }
    // Every commit adds a line to this file.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={log}");
    }
    if let Some(commit) = git(&["rev-parse", "--short=9", "HEAD"]) {
        println!("cargo::rustc-env={COMMIT}={commit}");
    }
}

fn git(arguments: &[&str]) -> Option<String> {
    let told = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(told.stdout).ok()?;
    let text = text.trim();
    (told.status.success() && !text.is_empty()).then(|| text.to_owned())
}

fn list_page() -> Result<(), Box<dyn Error>> {
    let page = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join(PAGE);
    println!("cargo::rerun-if-changed={}", page.display());
    // While working on it the page is read from its folder, so that it may change.
    let is_carried = env::var("PROFILE")? == "release" && page.join("index.html").is_file();
    let files = if is_carried {
        files_below(&page)?
    } else {
        Vec::new()
    };
    let mut table = "&[".to_owned();
    let mut named = Vec::new();
    for file in files {
        let name = file
            .strip_prefix(&page)?
            .to_string_lossy()
            .replace('\\', "/");
        named.push((name, file));
    }
    // Looked up by bisection.
    named.sort();
    for (name, file) in named {
        writeln!(table, "({name:?}, include_bytes!({file:?})),")?;
    }
    table.push(']');
    fs::write(Path::new(&env::var("OUT_DIR")?).join("page.rs"), table)?;
    Ok(())
}

/// All files below a folder.
fn files_below(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    Ok(files)
}
