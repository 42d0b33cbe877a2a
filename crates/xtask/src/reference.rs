//! `cargo xtask reference`: the pages in `docs/` and the example config, from the code that they
//! describe.
//!
//! What exists is asked of the worker, so that an unregistered metric is not documented and a
//! registered one cannot be forgotten; what it is stands in the doc comment of its type.

mod command_line;
mod config;
mod entries;
mod example;
mod http_api;
mod rust_docs;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::steps::Outcome;
use crate::worker;
use crate::workspace::Workspace;

/// What to do when a page is not current.
pub(crate) const ADVICE: &str =
    "`cargo xtask reference` writes docs/ and the example config again; commit what it changes";

/// A page of the reference.
struct Page {
    /// Its name in `docs/`.
    file: &'static str,
    /// Its Markdown.
    write: fn(&Sources) -> Result<String>,
}

const PAGES: &[Page] = &[
    Page {
        file: "metrics.md",
        write: entries::metrics,
    },
    Page {
        file: "components.md",
        write: entries::components,
    },
    Page {
        file: "config.md",
        write: config::page,
    },
    Page {
        file: "command-line.md",
        write: command_line::page,
    },
    Page {
        file: "http-api.md",
        write: http_api::page,
    },
];

/// Stands at the top of every page.
const ORIGIN: &str = "<!-- Written by `cargo xtask reference`; change the code instead. -->\n\n";

/// What pages are made of.
struct Sources<'a> {
    workspace: &'a Workspace,
    worker: PathBuf,
}

/// `cargo xtask reference`.
pub(crate) fn run(workspace: &Workspace, mut arguments: lexopt::Parser) -> Result<()> {
    if let Some(argument) = arguments.next()? {
        return Err(argument.unexpected().into());
    }
    write(workspace)
}

/// Writes all pages.
pub(crate) fn write(workspace: &Workspace) -> Result<()> {
    for (path, text) in pages(workspace)? {
        fs::create_dir_all(path.parent().unwrap_or(&path))?;
        fs::write(&path, text).with_context(|| path.display().to_string())?;
        println!("wrote {}", path.display());
    }
    Ok(())
}

/// Compares what is in `docs/` with what the code says.
pub(crate) fn step(workspace: &Workspace) -> Result<Outcome> {
    let mut outdated = Vec::new();
    for (path, text) in pages(workspace)? {
        if fs::read_to_string(&path).unwrap_or_default() != text {
            outdated.push(path.display().to_string());
        }
    }
    if !outdated.is_empty() {
        bail!("not what the code says: {}", outdated.join(", "));
    }
    Ok(Outcome::Done)
}

fn pages(workspace: &Workspace) -> Result<Vec<(PathBuf, String)>> {
    let sources = Sources {
        workspace,
        worker: worker::program(workspace)?,
    };
    let page = |page: &Page| {
        let text = (page.write)(&sources).with_context(|| page.file.to_owned())?;
        let path = workspace.root.join("docs").join(page.file);
        Ok((path, format!("{ORIGIN}{text}")))
    };
    let example = workspace.root.join(example::FILE);
    let example = Ok((example, example::whole(&sources)?));
    PAGES.iter().map(page).chain([example]).collect()
}

impl Sources<'_> {
    /// What the worker prints.
    fn worker(&self, arguments: &[&str]) -> Result<String> {
        let mut command = std::process::Command::new(&self.worker);
        // Away from any .env, whatever the width of the terminal.
        command
            .current_dir(std::env::temp_dir())
            .env("COLUMNS", "100");
        let output = command.args(arguments).output()?;
        if !output.status.success() {
            bail!(
                "worker {}: {}",
                arguments.join(" "),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// A source file, from the root.
    fn source(&self, path: &str) -> Result<syn::File> {
        let whole = self.workspace.root.join(path);
        let text = fs::read_to_string(&whole).with_context(|| whole.display().to_string())?;
        syn::parse_file(&text).with_context(|| path.to_owned())
    }
}
