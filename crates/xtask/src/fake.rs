//! Servers for tests that are programs of their own.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::process;
use crate::workspace::Workspace;

/// A server that runs until this is dropped.
pub(crate) struct Fake {
    server: Child,
    /// Open for as long as it may print.
    output: BufReader<ChildStdout>,
    /// What its clients want to find in their environment: names and values.
    pub environment: Vec<(String, String)>,
}

impl Fake {
    /// Builds the server in `crates/NAME` and starts it.
    pub(crate) fn start(workspace: &Workspace, name: &str, arguments: &[&str]) -> Result<Self> {
        let program = process::built(workspace, name)?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null());
        let mut server = command.stdout(Stdio::piped()).spawn()?;
        let output = server.stdout.take().context("it has no output")?;
        // From here on it ends, whatever fails.
        let mut fake = Self {
            server,
            output: BufReader::new(output),
            environment: Vec::new(),
        };
        let mut line = String::new();
        fake.output.read_line(&mut line)?;
        for word in line.split_whitespace() {
            let pair = word.split_once('=').context("it printed no environment")?;
            fake.environment.push((pair.0.into(), pair.1.into()));
        }
        ensure!(!fake.environment.is_empty(), "{name} did not start");
        Ok(fake)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
