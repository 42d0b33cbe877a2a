//! Lists the files of the demo run, so that the page knows what to fetch: a static site cannot list a folder.

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

const DEMO_RUN: &str = "../../tests/data/pico-decoder-micro-1";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={DEMO_RUN}");
    let mut paths = Vec::new();
    collect(Path::new(DEMO_RUN), &mut paths)?;
    paths.sort();
    let mut code = "&[\n".to_owned();
    for path in paths {
        let bytes = path.metadata()?.len();
        let path = path.strip_prefix(DEMO_RUN)?.display().to_string();
        writeln!(code, "    DemoFile {{ path: {path:?}, bytes: {bytes} }},")?;
    }
    code.push(']');
    let output = PathBuf::from(env::var("OUT_DIR")?).join("demo_files.rs");
    Ok(fs::write(output, code)?)
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}
