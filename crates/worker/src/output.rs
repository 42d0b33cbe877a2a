//! The analysis' folder: files written whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use ckptscope_checkpoint::http::Traffic;
use ckptscope_results::ResultFile;
use serde::{Deserialize, Serialize};

use crate::{Misuse, console};

/// What is particular to one computation of an analysis: the contents of `run.json`.
#[derive(Debug, Serialize)]
pub(crate) struct RunReport {
    /// The run, as a person gave it.
    pub(crate) run: String,
    /// Where it lies, however it was given.
    pub(crate) place: String,
    /// What the results are made of: equal for the same config and the same bytes.
    pub(crate) made_of: String,
    /// Version of the program.
    pub(crate) program: String,
    /// When it started (RFC 3339).
    pub(crate) started: String,
    /// How long it took.
    pub(crate) seconds: f64,
    /// Threads.
    pub(crate) threads: usize,
    /// Tensor bytes read.
    pub(crate) read_bytes: u64,
    /// Operations of all kinds, estimated from shapes.
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

/// What a later analysis wants to know of an earlier one in its folder.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct EarlierRun {
    /// As [`RunReport::run`]; empty where an older version wrote it.
    pub(crate) run: String,
    /// As [`RunReport::place`]; empty where an older version wrote it.
    pub(crate) place: String,
    /// As [`RunReport::made_of`]; empty where an older version wrote it.
    pub(crate) made_of: String,
}

/// The name of the file that [`RunReport`] is written to.
pub(crate) const RUN_REPORT: &str = "run.json";

/// The name of the log.
pub(crate) const LOG: &str = "analysis.log";

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
    let tried = unfinished(&folder.join("results"));
    let made = fs::create_dir_all(folder)
        .and_then(|()| fs::write(&tried, b"this folder can be written"))
        .and_then(|()| fs::remove_file(&tried));
    made.map_err(|error| cannot_write_into(folder, &error))
}

/// A folder that results cannot be written into.
pub(crate) fn cannot_write_into(folder: &Path, error: &io::Error) -> anyhow::Error {
    let folder = folder.display();
    anyhow!("cannot write results into {folder}: {error}; choose another folder with --output-dir")
}

/// Makes a folder that was not there: the wanted one, or that with a number behind its name. Two
/// programs that want the same one at the same time get two. Gives name and folder.
pub(crate) fn take_free(name: &str, wanted: &Path) -> Result<(String, PathBuf)> {
    let cannot = || {
        format!(
            "cannot make {}; choose another with --output-dir",
            wanted.display()
        )
    };
    if let Some(parent) = wanted.parent() {
        fs::create_dir_all(parent).with_context(cannot)?;
    }
    let mut number = 1_u32;
    loop {
        let name = match number {
            1 => name.to_owned(),
            number => format!("{name}-{number}"),
        };
        let folder = wanted.with_file_name(&name);
        match fs::create_dir(&folder) {
            Ok(()) => return Ok((name, folder)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error).with_context(cannot),
        }
    }
}

/// Writes every file, each to another one that then takes its name.
pub(crate) fn write_all(folder: &Path, files: &[ResultFile]) -> Result<()> {
    for file in files {
        write(&folder.join(&file.path), &file.bytes)?;
    }
    Ok(())
}

/// Writes one file, to another one that then takes its name. A link stays one: what it leads to is
/// written. What is no file, such as a pipe or a terminal, is written to as it is.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_by(path, |file| Ok(file.write_all(bytes)?))
}

/// The same, by whoever writes it piece by piece.
pub(crate) fn write_by(path: &Path, content: impl FnOnce(&mut File) -> Result<()>) -> Result<()> {
    let written = match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => match fs::canonicalize(path) {
            Ok(file) => replace(&file, content),
            Err(error) => Err(error.into()),
        },
        Err(_) if !path.is_symlink() => replace(path, content),
        Ok(_) | Err(_) => File::create(path)
            .map_err(Into::into)
            .and_then(|mut file| content(&mut file)),
    };
    written.with_context(|| format!("cannot write {}", path.display()))
}

fn replace(path: &Path, content: impl FnOnce(&mut File) -> Result<()>) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let unfinished = unfinished(path);
    let written = File::create(&unfinished).map_err(Into::into);
    let written = written.and_then(|mut file| content(&mut file));
    let written = written.and_then(|()| Ok(fs::rename(&unfinished, path)?));
    if written.is_err() {
        // Nobody needs half a file; why it is half is what counts.
        let _ = fs::remove_file(&unfinished);
    }
    written
}

/// Whether a path stands for the standard output. Where that goes to a file, nobody may put another
/// one in its place.
pub(crate) fn is_standard_output(path: &Path) -> bool {
    path == Path::new("-") || path == Path::new("/dev/stdout")
}

/// A path as messages call it.
pub(crate) fn shown(path: &Path) -> String {
    if is_standard_output(path) {
        "the standard output".to_owned()
    } else {
        path.display().to_string()
    }
}

/// As [`write()`]; to the standard output where the path stands for it. No terminal gets what is no
/// text.
pub(crate) fn write_or_print(path: &Path, bytes: &[u8], is_binary: bool) -> Result<()> {
    if !is_standard_output(path) {
        return write(path, bytes);
    }
    if is_binary && console::is_terminal() {
        let words = "the standard output is a terminal: send it to a file or a program";
        return Err(Misuse(words.to_owned()).into());
    }
    console::print_bytes(bytes)
}

/// The file that is written in another's place until it is whole. It has the same name every time,
/// so that one that a killed program left behind is gone when the file is written again.
pub(crate) fn unfinished(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".unfinished");
    path.with_file_name(name)
}
