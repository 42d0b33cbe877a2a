//! `ckptscope-page-build ROOT PROGRAM DIST [--in-parts]`: what `cargo xtask build` runs when cargo
//! has compiled the page's program.

use std::env;
use std::path::Path;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (root, program, dist, in_parts) = match words.as_slice() {
        [root, program, dist] => (root, program, dist, false),
        [root, program, dist, "--in-parts"] => (root, program, dist, true),
        _ => bail!("this is called by `cargo xtask build`: ROOT PROGRAM DIST [--in-parts]"),
    };
    ckptscope_page_build::build(
        Path::new(root),
        Path::new(program),
        Path::new(dist),
        in_parts,
    )
}
