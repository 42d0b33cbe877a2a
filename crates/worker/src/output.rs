//! The analysis' folder: files written whole or not at all.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use serde::Serialize;
use tempfile::NamedTempFile;
use trainscope_analysis::results::ResultFile;
use trainscope_checkpoint::http::Traffic;

/// What is particular to one computation of an analysis: the contents of `run.json`.
#[derive(Debug, Serialize)]
pub(crate) struct RunReport {
    /// Version of the program.
    pub(crate) program: String,
    /// When it started, with the time zone.
    pub(crate) started: String,
    /// How long it took.
    pub(crate) seconds: f64,
    /// Threads.
    pub(crate) threads: usize,
    /// Tensor bytes read.
    pub(crate) read_bytes: u64,
    /// Floating-point operations, estimated from shapes.
    pub(crate) flops: f64,
    /// Memory of one thread at its widest, estimated from shapes.
    pub(crate) peak_bytes_per_thread: u64,
    /// Numbers computed.
    pub(crate) records: u64,
    /// Layers and steps taken over from an interrupted computation.
    pub(crate) resumed_units: u64,
    /// What went over the network; none for what needs none.
    pub(crate) network: Option<TrafficReport>,
}

/// What went over the network.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct TrafficReport {
    /// Requests sent.
    pub(crate) requests: u64,
    /// Bytes received.
    pub(crate) bytes: u64,
}

impl TrafficReport {
    /// As the client counted.
    pub(crate) const fn of(traffic: Traffic) -> Self {
        Self {
            requests: traffic.requests,
            bytes: traffic.bytes,
        }
    }
}

/// Makes the analysis' folder and shows that it can be written, before anything is computed.
pub(crate) fn prepare(folder: &Path) -> Result<()> {
    let made = fs::create_dir_all(folder).and_then(|()| NamedTempFile::new_in(folder));
    made.map(drop).map_err(|error| {
        let folder = folder.display();
        anyhow!(
            "cannot write results into {folder}: {error}; choose another folder with --output-dir"
        )
    })
}

/// Writes every file, each to a temporary one that then takes its name.
pub(crate) fn write_all(folder: &Path, files: &[ResultFile]) -> Result<()> {
    for file in files {
        write(&folder.join(&file.path), &file.bytes)?;
    }
    Ok(())
}

/// Writes one file, to a temporary one that then takes its name.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_as(path, bytes, make_readable)
}

/// The same of a file that is nobody else's business.
pub(crate) fn write_privately(path: &Path, bytes: &[u8]) -> Result<()> {
    write_as(path, bytes, |_| Ok(()))
}

fn write_as(
    path: &Path,
    bytes: &[u8],
    prepare: impl FnOnce(&NamedTempFile) -> std::io::Result<()>,
) -> Result<()> {
    let context = || format!("cannot write {}", path.display());
    let folder = path
        .parent()
        .map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    fs::create_dir_all(&folder).with_context(context)?;
    let mut file = NamedTempFile::new_in(&folder).with_context(context)?;
    file.write_all(bytes).with_context(context)?;
    prepare(&file).with_context(context)?;
    file.persist(path).with_context(context)?;
    Ok(())
}

/// Temporary files are private; results are as readable as other files.
#[cfg(unix)]
fn make_readable(file: &NamedTempFile) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.as_file()
        .set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_: &NamedTempFile) -> std::io::Result<()> {
    Ok(())
}
