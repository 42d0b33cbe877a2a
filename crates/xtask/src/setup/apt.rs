//! Debian packages.

use std::os::unix::fs::MetadataExt;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;

/// Installs packages, as root or by `sudo` without a password.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    let advice = format!(
        "apt-get install -y --no-install-recommends {}",
        packages.join(" ")
    );
    if process::find_on_path(&["apt-get"]).is_none() {
        bail!("there is no apt-get here; on Debian it would be `{advice}`");
    }
    println!("installing with apt-get: {}", packages.join(" "));
    let install = || -> Result<()> {
        process::run(apt_get()?.args(["update", "-qq"]))?;
        process::run(
            apt_get()?
                .args(["install", "-y", "-qq", "--no-install-recommends"])
                .args(packages),
        )
    };
    install().with_context(|| format!("could not install; as root: `{advice}`"))
}

fn apt_get() -> Result<Command> {
    let mut command = if std::fs::metadata("/proc/self")?.uid() == 0 {
        Command::new("apt-get")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "apt-get"]);
        sudo
    };
    command.env("DEBIAN_FRONTEND", "noninteractive");
    Ok(command)
}
