//! `.env`: variables for every command that is run in its folder.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, Result, anyhow};

/// The file, in the working directory.
const FILE: &str = ".env";

/// Reads it, if there is one; what is set already stays. A folder of that name, as Python's
/// environments have, is none. What stands in it is never told: it has keys and tokens.
pub(crate) fn load() -> Result<()> {
    if !Path::new(FILE).is_file() {
        return Ok(());
    }
    let text = fs::read_to_string(FILE).context("cannot read .env")?;
    // Setting such a variable would end the program, and tell its value.
    if let Some(line) = text.lines().position(|line| line.contains('\0')) {
        return Err(not_understood(line + 1));
    }
    let mut lines = Lines(text.as_bytes());
    let loaded = dotenvy::from_read(&mut lines);
    loaded.map_err(|error| {
        let read = text.len() - lines.0.len();
        let last = text.get(..read).unwrap_or_default().lines().count();
        let broken = match error {
            dotenvy::Error::LineParse(broken, _) => broken.lines().count(),
            _ => 1,
        };
        not_understood((last + 1).saturating_sub(broken))
    })
}

fn not_understood(line: usize) -> anyhow::Error {
    anyhow!(
        "cannot understand .env, line {line}: NAME=value is expected, with quotation marks around \
         a value that has spaces"
    )
}

/// A text that is handed out by lines, so that it is known how far its reader came.
struct Lines<'a>(&'a [u8]);

impl Read for Lines<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut lines = self.0.split_inclusive(|byte| *byte == b'\n');
        let count = lines.next().unwrap_or_default().read(buffer)?;
        self.0 = self.0.get(count..).unwrap_or_default();
        Ok(count)
    }
}
