//! Makes the files of the page: of `index.html`, and of the program that cargo compiled for wasm32.

mod bindings;
mod fingerprint;
mod page;
pub mod split;

use std::path::Path;

use anyhow::Result;

/// Writes the page into `dist`, a folder that is made anew: what `index.html` in `root` names, and
/// the compiled `program`.
///
/// A program with the feature [`split::FEATURE`], linked with [`split::LINKER_FLAGS`], is cut into
/// parts if `in_parts`.
///
/// # Errors
/// When a file cannot be read or written, `index.html` asks for something unknown, or the program
/// is not one that cargo compiled for wasm32 with the version of wasm-bindgen that is used here.
pub fn build(root: &Path, program: &Path, dist: &Path, in_parts: bool) -> Result<()> {
    page::write(root, dist)?;
    if in_parts {
        split::write(program, dist)?;
    } else {
        bindings::Kind::Whole.write(program, dist)?;
    }
    fingerprint::rename(dist)
}
