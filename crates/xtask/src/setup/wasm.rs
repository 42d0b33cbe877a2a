//! The compiler for wasm32-unknown-unknown.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::apt;
use crate::process;
use crate::workspace::Workspace;

/// The target's name.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_PACKAGES: &[&str] = &["rustc-web", "cargo-web", "rust-web-src"];
const DEBIAN_CLIPPY: &str = "rust-web-clippy";

/// Flags of every build for wasm32. Leptos erases the types of views: less code, and quicker to
/// compile.
const FLAGS: &[&str] = &["-C target-feature=+simd128", "--cfg erase_components"];

/// A way to compile for wasm32.
pub(crate) enum Compiler {
    /// The default toolchain, which has the target.
    Default,
    /// Debian's compiler for browsers, which has the standard library's source and builds it along.
    Debian {
        /// The default toolchain's linker, where it has one.
        linker: Option<PathBuf>,
    },
}

impl Compiler {
    /// The first of these that works: the target is installed, Debian's compiler is installed,
    /// `rustup target add`, `apt-get install` of Debian's compiler. (What is there comes before
    /// what must be fetched, so that only the first run asks the network.)
    pub(crate) fn find_or_install(workspace: &Workspace) -> Result<Self> {
        if let Some(found) = Self::find(workspace) {
            return Ok(found);
        }
        if rustup_target_add(workspace) {
            return Ok(Self::Default);
        }
        apt::install(DEBIAN_PACKAGES).with_context(|| {
            format!(
                "there is no compiler for {TARGET}: run `rustup target add {TARGET}`, or on Debian \
                 `apt-get install {}`",
                DEBIAN_PACKAGES.join(" ")
            )
        })?;
        Self::find(workspace).with_context(|| {
            format!("{DEBIAN_RUSTC} was installed but is older than this project needs")
        })
    }

    /// Says which compiler it is.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Self::Default => "the default toolchain",
            Self::Debian { .. } => "Debian's /usr/bin/rustc, the standard library built along",
        }
    }

    fn find(workspace: &Workspace) -> Option<Self> {
        if default_has_target(workspace) {
            return Some(Self::Default);
        }
        debian_is_usable().then(|| Self::Debian {
            linker: default_linker(workspace),
        })
    }

    /// Makes `command`, a cargo or something that calls it, compile for wasm32 with this compiler,
    /// and with these flags on top of those that every build for wasm32 has.
    pub(crate) fn prepare(&self, workspace: &Workspace, command: &mut Command, flags: &[&str]) {
        command
            .env("CARGO_TARGET_DIR", workspace.wasm_target())
            .env("CARGO_INCREMENTAL", "0")
            .env(
                "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
                [FLAGS, flags].concat().join(" "),
            );
        let Self::Debian { linker } = self else {
            return;
        };
        command
            .env("RUSTC", DEBIAN_RUSTC)
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort");
        if let Some(linker) = linker {
            command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
    }

    /// Whether clippy is there for it.
    pub(crate) fn has_clippy(&self) -> bool {
        match self {
            Self::Default => true,
            Self::Debian { .. } => debian_clippy().is_some(),
        }
    }

    /// `cargo clippy` of this compiler; `None` where it has no clippy.
    pub(crate) fn clippy(&self, workspace: &Workspace) -> Option<Command> {
        match self {
            Self::Default => {
                let mut command = workspace.cargo();
                command.arg("clippy");
                Some(command)
            }
            Self::Debian { .. } => {
                let mut command = Command::new(debian_clippy()?);
                command
                    .arg("clippy")
                    .env("CARGO", "/usr/bin/cargo")
                    .current_dir(&workspace.root);
                Some(command)
            }
        }
    }
}

/// Installs clippy for Debian's compiler where that is possible; it is not needed to build.
pub(crate) fn install_clippy() {
    if let Err(error) = apt::install(&[DEBIAN_CLIPPY]) {
        println!("going on without clippy for {TARGET}: {error:#}");
    }
}

fn default_rustc(workspace: &Workspace) -> Command {
    let mut command = Command::new("rustc");
    command.current_dir(&workspace.root).env_remove("RUSTC");
    command
}

fn default_has_target(workspace: &Workspace) -> bool {
    let query = process::read(default_rustc(workspace).args([
        "--print",
        "target-libdir",
        "--target",
        TARGET,
    ]));
    query.is_ok_and(|folder| Path::new(folder.trim()).is_dir())
}

fn rustup_target_add(workspace: &Workspace) -> bool {
    if process::find_on_path(&["rustup"]).is_none() {
        return false;
    }
    println!("installing with rustup: target {TARGET}");
    let added = process::run(
        Command::new("rustup")
            .args(["target", "add", TARGET])
            .current_dir(&workspace.root),
    );
    if let Err(error) = &added {
        println!("that did not work ({error:#})");
    }
    added.is_ok() && default_has_target(workspace)
}

/// Whether Debian's compiler is there, with the library's source, and new enough.
fn debian_is_usable() -> bool {
    let Ok(sysroot) = process::read(Command::new(DEBIAN_RUSTC).args(["--print", "sysroot"])) else {
        return false;
    };
    let source = Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/std/Cargo.toml");
    let version = process::read(Command::new(DEBIAN_RUSTC).arg("--version")).unwrap_or_default();
    source.is_file() && minor_version(&version) >= minor_version(env!("CARGO_PKG_RUST_VERSION"))
}

/// The 96 of `rustc 1.96.0 (...)` or of `1.96`.
fn minor_version(text: &str) -> Option<u32> {
    let number = text
        .split_whitespace()
        .find(|word| word.starts_with("1."))?;
    number.split('.').nth(1)?.parse().ok()
}

/// rust-lld of the default toolchain.
fn default_linker(workspace: &Workspace) -> Option<PathBuf> {
    let sysroot = process::read(default_rustc(workspace).args(["--print", "sysroot"])).ok()?;
    let hosts = Path::new(sysroot.trim()).join("lib/rustlib");
    let linkers = std::fs::read_dir(hosts).ok()?.filter_map(Result::ok);
    linkers
        .map(|host| host.path().join("bin/rust-lld"))
        .find(|path| path.is_file())
}

fn debian_clippy() -> Option<PathBuf> {
    let program = PathBuf::from("/usr/bin/cargo-clippy");
    let driver = Path::new("/usr/bin/clippy-driver");
    (program.is_file() && driver.is_file()).then_some(program)
}

#[cfg(test)]
mod tests {
    use super::minor_version;

    #[test]
    fn minor_version_of_long_and_short_forms() {
        assert_eq!(
            minor_version("rustc 1.96.0 (ac68faa20 2026-05-25)"),
            Some(96)
        );
        assert_eq!(minor_version("1.95"), Some(95));
        assert_eq!(minor_version("nothing"), None);
    }
}
