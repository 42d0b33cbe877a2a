//! `ckptscope-page-build DIST [PROGRAM BINDGEN]`: what `cargo xtask build` runs when trunk has built
//! the page into DIST. PROGRAM is what cargo compiled, to be cut into parts, and BINDGEN is
//! wasm-bindgen's command line.

use std::env;
use std::path::Path;

use anyhow::{Result, bail};
use ckptscope_page_build::{fingerprint, split};

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let paths: Vec<&Path> = arguments.iter().map(Path::new).collect();
    let dist = match *paths.as_slice() {
        [dist] => dist,
        [dist, program, bindgen] => {
            split::write(program, bindgen, dist)?;
            dist
        }
        _ => bail!("this is called by `cargo xtask build`: DIST [PROGRAM BINDGEN]"),
    };
    fingerprint::rename(dist)
}
