//! The JavaScript between the browser and the program, which wasm-bindgen writes.

use std::path::Path;

use anyhow::Result;
use wasm_bindgen_cli_support::Bindgen;

/// The name of the program's files.
const NAME: &str = "app";

/// What the program is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// All of it.
    Whole,
    /// What is left when the other parts are cut off, which use what it exports.
    Main,
}

impl Kind {
    /// Writes `app.js` and `app_bg.wasm`.
    pub(crate) fn write(self, program: &Path, dist: &Path) -> Result<()> {
        let is_main = self == Self::Main;
        Bindgen::new()
            .input_path(program)
            .out_name(NAME)
            .web(true)?
            .typescript(false)
            .keep_lld_exports(is_main)
            .remove_name_section(is_main)
            .remove_producers_section(is_main)
            .generate(dist)
    }
}
