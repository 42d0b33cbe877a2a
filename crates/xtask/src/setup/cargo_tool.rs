//! Programs that `cargo install` builds.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;
use crate::workspace::Workspace;

/// Programs from crates.io.
pub(crate) struct CargoTool {
    /// The package.
    pub package: &'static str,
    /// The programs that are wanted of it, the first of which gives its name.
    pub programs: &'static [&'static str],
    /// Whether it is built without its default features.
    pub is_bare: bool,
}

/// What compiles them soon: a tool that runs for seconds need not be optimised for minutes.
const QUICK: &[(&str, &str)] = &[
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "256"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "false"),
];

impl CargoTool {
    /// Installs the programs into the folder of tools unless they are there in this version; where
    /// the first of them is.
    pub(crate) fn find_or_install(&self, workspace: &Workspace, version: &str) -> Result<PathBuf> {
        let folder = workspace.tools.join("bin");
        let mut programs = self.programs.iter().map(|name| folder.join(name));
        if !programs.clone().all(|path| has_version(&path, version)) {
            self.install(workspace, version)?;
        }
        programs.next().context("a tool has a program at least")
    }

    /// Builds them with the dependencies that their authors locked. Where one of these is no
    /// longer to be had, as a withdrawn version is, with the newest that fit.
    fn install(&self, workspace: &Workspace, version: &str) -> Result<()> {
        let (package, folder) = (self.package, workspace.tools.display());
        println!("installing {package} {version} into {folder} (once; a few minutes)");
        let locked = process::run(&mut self.command(workspace, version, true));
        let Err(error) = locked else {
            return Ok(());
        };
        println!("{error:#}; trying with newer dependencies");
        process::run(&mut self.command(workspace, version, false))
            .with_context(|| format!("could not install {package}; is crates.io within reach?"))
    }

    fn command(&self, workspace: &Workspace, version: &str, is_locked: bool) -> Command {
        let mut command = workspace.cargo();
        command.args(["install", self.package, "--version", version]);
        if is_locked {
            command.arg("--locked");
        }
        if self.is_bare {
            command.arg("--no-default-features");
        }
        command.arg("--root").arg(&workspace.tools);
        for program in self.programs {
            command.args(["--bin", program]);
        }
        command.envs(QUICK.iter().copied());
        command.env_remove("CARGO_TARGET_DIR");
        command
    }
}

fn has_version(program: &Path, version: &str) -> bool {
    let text = process::read(Command::new(program).arg("--version"));
    text.is_ok_and(|text| text.split_whitespace().any(|word| word == version))
}
