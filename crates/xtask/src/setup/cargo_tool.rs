//! Programs that `cargo install` builds.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;
use crate::workspace::Workspace;

/// A program from crates.io, of one version.
pub(crate) struct CargoTool {
    /// The package.
    pub package: &'static str,
    /// The program it brings.
    pub program: &'static str,
    /// The version, exactly.
    pub version: String,
}

impl CargoTool {
    /// Installs it into the folder of tools unless it is there in this version; where it is.
    pub(crate) fn find_or_install(&self, workspace: &Workspace) -> Result<PathBuf> {
        let program = workspace.tools.join("bin").join(self.program);
        if self.is_installed(&program) {
            return Ok(program);
        }
        let folder = workspace.tools.display();
        println!(
            "installing {} {} into {folder} (once; a few minutes)",
            self.package, self.version
        );
        let mut command = workspace.cargo();
        command.args([
            "install",
            self.package,
            "--version",
            &self.version,
            "--root",
        ]);
        command.arg(&workspace.tools).args(["--bin", self.program]);
        // A tool that runs for seconds need not be optimised for minutes.
        command
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "256")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "false")
            .env_remove("CARGO_TARGET_DIR");
        process::run(&mut command).with_context(|| {
            format!(
                "could not install {}; is crates.io within reach?",
                self.package
            )
        })?;
        Ok(program)
    }

    fn is_installed(&self, program: &Path) -> bool {
        let version = process::read(Command::new(program).arg("--version"));
        version.is_ok_and(|text| text.split_whitespace().any(|word| word == self.version))
    }
}
