//! Cutting the page's program into parts that are fetched when they are first needed.
//!
//! The places are marked in `web/browser/src/part.rs` and its users. What several parts need stays in the
//! main program.
//!
//! wasm_split_cli_support does the cutting, the other half of Leptos' own lazy loading.
//! `app_bg.wasm` opens the page and has what several parts need. `split_workbench.wasm` is what the
//! page does with a run, `split_compute.wasm` what web workers do, `chunk_*.wasm` what those two
//! share.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, anyhow, ensure};
use wasm_encoder::{Module, RawSection};
use wasm_split_cli_support::Options;
use wasmparser::{Parser, Payload};

/// The script that fetches the parts.
const LOADER: &str = "parts.js";

/// The file of the part that web workers run; the other parts' files begin like this, too.
const PART: &str = "split_";
const COMPUTE: &str = "split_compute";

/// The part that every visitor fetches after that.
const WORKBENCH: &str = "workbench";

/// What several parts need is in files that begin like this, what web workers do not need in those,
/// and what the workbench does not need either in these.
const SHARED: &str = "chunk_";
const SHARED_LATER: &str = "later_";
const SHARED_RARE: &str = "asked_";

/// Whether a file of the built page is one of a part that neither the page needs when it opens nor
/// its first web worker.
#[must_use]
pub fn comes_later(name: &str) -> bool {
    let is_part = name.starts_with(PART) && !name.starts_with(COMPUTE);
    is_part || name.starts_with(SHARED_LATER) || name.starts_with(SHARED_RARE)
}

/// Whether a file is fetched when a visitor asks for what it does.
#[must_use]
pub fn is_rare(name: &str) -> bool {
    let is_part = name.starts_with(PART) && !name.starts_with(COMPUTE);
    is_part && !is_of(WORKBENCH, name) || name.starts_with(SHARED_RARE)
}

/// Whether a file is of the part of that name.
#[must_use]
pub fn is_of(part: &str, name: &str) -> bool {
    let rest = name
        .strip_prefix(PART)
        .and_then(|rest| rest.strip_prefix(part));
    rest.is_some_and(|rest| rest.starts_with(['-', '.']))
}

/// Writes the program into `dist` in parts, in place of the whole one, and announces them in the page
/// there. The program is what cargo compiled for wasm32, with its relocations; `bindgen` is
/// wasm-bindgen's command line.
///
/// # Errors
/// When a file cannot be read or written, or the program cannot be cut.
pub fn write(program: &Path, bindgen: &Path, dist: &Path) -> Result<()> {
    let parts = tempfile::tempdir()?;
    let main = parts.path().join("app.wasm");
    cut(program, parts.path(), &main)
        .with_context(|| format!("cutting {} into parts", program.display()))?;
    bind(bindgen, &main, dist)?;
    fs::remove_file(main)?;
    let mut first = Vec::new();
    for part in fs::read_dir(parts.path())? {
        let path = part?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut content = fs::read(&path)?;
        if path
            .extension()
            .is_some_and(|extension| extension == "wasm")
        {
            content = without_names(&content)?;
            first.extend((!comes_later(&name)).then(|| name.clone().into_owned()));
        }
        fs::write(dist.join(&*name), content)?;
    }
    first.sort();
    announce(&dist.join("index.html"), &first)
}

/// Has wasm-bindgen write `app.js` and `app_bg.wasm` of what is left when the other parts are cut
/// off, which use what it exports.
fn bind(bindgen: &Path, main: &Path, dist: &Path) -> Result<()> {
    let mut command = Command::new(bindgen);
    command.args(["--target", "web", "--no-typescript", "--keep-lld-exports"]);
    command.args(["--remove-name-section", "--remove-producers-section"]);
    command.arg("--out-dir").arg(dist).arg(main);
    let status = command.status();
    let status = status.with_context(|| bindgen.display().to_string())?;
    ensure!(
        status.success(),
        "{} ended with {status}",
        bindgen.display()
    );
    Ok(())
}

/// Names the files that web workers are going to ask for, so that the page fetches them ahead.
fn announce(page: &Path, parts: &[String]) -> Result<()> {
    let text = fs::read_to_string(page).with_context(|| page.display().to_string())?;
    let mut tags = String::new();
    for part in parts {
        writeln!(tags, "<meta name=\"compute-part\" content=\"./{part}\">")?;
    }
    let end = "</head>";
    ensure!(text.contains(end), "{} has no {end}", page.display());
    fs::write(page, text.replacen(end, &(tags + end), 1))?;
    Ok(())
}

fn cut(built: &Path, folder: &Path, main: &Path) -> Result<()> {
    let program = fs::read(built)?;
    let loader = format!("./{LOADER}");
    let mut options = Options::new(&program);
    options.output_dir = folder;
    options.main_out_path = main;
    options.main_module = "./app.js";
    options.link_name = &loader;
    let split = wasm_split_cli_support::transform(options);
    let split = split.map_err(|error| anyhow!("{error:#}"))?;
    let compute = split.prefetch_map.get("compute");
    let compute = compute.context("web workers have no part of their own")?;
    let workbench = split.prefetch_map.get(WORKBENCH);
    let workbench = workbench.context("the workbench is no part of its own")?;
    rename_shared(folder, compute, workbench)
}

/// Gives what web workers do not need names that say so, and what the workbench does not need.
fn rename_shared(folder: &Path, compute: &[String], workbench: &[String]) -> Result<()> {
    let loader = folder.join(LOADER);
    let mut text = fs::read_to_string(&loader).with_context(|| loader.display().to_string())?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let Some(number) = stem.strip_prefix(SHARED) else {
            continue;
        };
        if compute.iter().any(|needed| *needed == stem) {
            continue;
        }
        let beginning = match workbench.iter().any(|needed| *needed == stem) {
            true => SHARED_LATER,
            false => SHARED_RARE,
        };
        let name = format!("{beginning}{number}.wasm");
        text = text.replace(&format!("{stem}.wasm"), &name);
        fs::rename(&path, folder.join(name))?;
    }
    fs::write(&loader, text).with_context(|| loader.display().to_string())
}

/// The same program without the names of its functions, which are a quarter of it.
fn without_names(program: &[u8]) -> Result<Vec<u8>> {
    let mut module = Module::new();
    for payload in Parser::new(0).parse_all(program) {
        let payload = payload?;
        if matches!(payload, Payload::CustomSection(_)) {
            continue;
        }
        if let Some((id, range)) = payload.as_section() {
            let range = usize::try_from(range.start)?..usize::try_from(range.end)?;
            let data = program.get(range).unwrap_or_default();
            module.section(&RawSection { id, data });
        }
    }
    Ok(module.finish())
}

#[cfg(test)]
mod tests {
    use super::without_names;
    use wasm_encoder::{CustomSection, Module, TypeSection};

    #[test]
    fn only_names_are_left_out() {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let (mut bare, mut named) = (Module::new(), Module::new());
        bare.section(&types);
        named.section(&types);
        named.section(&CustomSection {
            name: "name".into(),
            data: b"\x01\x02\x03".into(),
        });
        assert_eq!(without_names(&named.finish()).unwrap(), bare.finish());
    }
}
