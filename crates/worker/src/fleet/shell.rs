//! What shells are given: words in quotes, and the loop for who has no scheduler.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context, Result};

use super::folder::Folder;
use crate::output;

/// The loop's name.
pub(super) const LOOP: &str = "run.sh";

/// Writes the loop over all shards, and the merge after it.
///
/// # Errors
/// Where the folder cannot be written.
pub(super) fn write_loop(folder: &Folder, worker: &Path, shards: usize) -> Result<()> {
    let worker = quoted(&worker.display().to_string());
    let own = quoted(&folder.path().display().to_string());
    let text = format!(
        "#!/bin/sh\n\
         # Computes all shards on this machine, one after the other, and merges them.\n\
         # What is done already is not computed again.\n\
         index=0\n\
         while [ \"$index\" -lt {shards} ]; do\n    \
             {worker} shard {own} --index \"$index\" || echo \"shard $index ended with $?\" >&2\n    \
             index=$((index + 1))\n\
         done\n\
         exec {worker} merge {own}\n"
    );
    write_script(&folder.file(LOOP), &text)
}

/// Writes a script that can be started.
///
/// # Errors
/// Where the folder cannot be written.
pub(super) fn write_script(path: &Path, text: &str) -> Result<()> {
    output::write(path, text.as_bytes())?;
    let made = make_executable(path);
    made.with_context(|| format!("cannot write {}", path.display()))
}

/// Makes a file one that can be started.
#[cfg(unix)]
pub(super) fn make_executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mut permissions = fs::metadata(path)?.permissions();
    // Whoever may read it may start it.
    let mode = permissions.mode();
    permissions.set_mode(mode | ((mode & 0o444) >> 2));
    fs::set_permissions(path, permissions)
}

/// Makes a file one that can be started.
#[cfg(not(unix))]
pub(super) fn make_executable(path: &Path) -> io::Result<()> {
    fs::metadata(path).map(drop)
}

/// A word as a shell takes it for itself.
pub(super) fn quoted(word: &str) -> String {
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || "/._-+=:,@%".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_for_shells() {
        assert_eq!(quoted("/scratch/run-1"), "/scratch/run-1");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quoted(""), "''");
    }
}
