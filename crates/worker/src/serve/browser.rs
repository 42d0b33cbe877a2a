//! The person's browser.

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::Result;
use tempfile::NamedTempFile;

use super::data::DataFolder;
use crate::console;

/// Opens an address in the person's browser, if there is one. What has a token in it goes by a
/// file that only the person can read: arguments of programs are seen by everybody on a machine.
pub(super) fn open(address: &str, data: &DataFolder) -> Result<()> {
    let opened = if address.contains('#') {
        let path = data.path().join("open.html");
        let text =
            format!("<!doctype html><meta http-equiv=\"refresh\" content=\"0; url={address}\">");
        // Temporary files are private, and stay so under another name.
        let mut file = NamedTempFile::new_in(data.path())?;
        file.write_all(text.as_bytes())?;
        file.persist(&path)?;
        path.display().to_string()
    } else {
        address.to_owned()
    };
    let mut command = if cfg!(windows) {
        let mut command = Command::new("explorer");
        command.arg(opened);
        command
    } else {
        let mut command = Command::new(if cfg!(target_os = "macos") {
            "open"
        } else {
            "xdg-open"
        });
        command.arg(opened);
        command
    };
    let silent = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Err(error) = silent.spawn() {
        console::say(&format!(
            "no browser could be opened ({error}); open the address above"
        ));
    }
    Ok(())
}
