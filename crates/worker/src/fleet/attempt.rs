//! The journal of an attempt: what one process has finished of a shard.
//!
//! Its lines are those of an analysis' journal (`journal.rs`), so that whoever follows one can
//! follow the other. Nobody else writes to the file: its name is taken by whoever makes it first,
//! which file systems without locks do too. A last line says how the attempt ended; where there is
//! none, somebody killed it.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::folder::Folder;
use crate::identity::PROGRAM;
use crate::journal::milliseconds;
use crate::{Misuse, hardware};

/// A journal's first line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Head {
    /// Of the config and the program, as plans have it.
    config: String,
    /// The program that wrote it.
    program: String,
    /// Milliseconds since 1970 when it was begun.
    pub(super) generation: u64,
    /// Where it was computed.
    pub(super) at: Place,
}

/// Where an attempt is computed, for people, and to see whether it is still under way.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Place {
    /// The machine.
    pub(super) host: String,
    /// The process.
    pub(super) process: u32,
    /// What the machine's processor can do that numbers may depend on in their last digits.
    pub(super) processor: String,
}

impl Place {
    fn here() -> Self {
        Self {
            host: hardware::host_name(),
            process: std::process::id(),
            processor: hardware::processor(),
        }
    }
}

/// How an attempt ended, by its own account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Ended {
    /// How.
    pub(super) how: End,
    /// Why, where it failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) message: String,
    /// How long it took.
    pub(super) seconds: f64,
    /// Memory at its widest; none where the machine does not say.
    pub(super) peak_bytes: Option<u64>,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum End {
    /// All is computed.
    Done,
    /// Somebody asked it to end.
    Stopped,
    /// It could not go on.
    Failed,
}

/// The last line.
#[derive(Serialize, Deserialize)]
struct LastLine {
    ended: Ended,
}

/// What the last line begins with.
const LAST_LINE: &[u8] = br#"{"ended":"#;

/// An attempt under way.
pub(super) struct Attempt {
    path: PathBuf,
    file: File,
    /// Counts the attempts of its shard from 0.
    pub(super) number: u32,
}

impl Attempt {
    /// Begins the next attempt of a shard.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub(super) fn begin(
        folder: &Folder,
        journals: &Journals,
        shard: usize,
        config: &str,
    ) -> Result<Self> {
        let last = journals.get(&shard).and_then(BTreeMap::last_key_value);
        let mut number = last.map_or(0, |(last, _)| last + 1);
        let (path, file) = loop {
            let path = folder.journal(shard, number);
            let opened = OpenOptions::new().append(true).create_new(true).open(&path);
            match opened {
                Ok(file) => break (path, file),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
                Err(error) => {
                    return Err(error).with_context(|| cannot_write(&path));
                }
            }
        };
        let mut attempt = Self { path, file, number };
        attempt.add(&Head {
            config: config.to_owned(),
            program: PROGRAM.to_owned(),
            generation: milliseconds(SystemTime::now()),
            at: Place::here(),
        })?;
        Ok(attempt)
    }

    /// Adds a line, in one piece.
    ///
    /// # Errors
    /// Where the folder cannot be written: the disk may be full.
    pub(super) fn add(&mut self, line: &impl Serialize) -> Result<()> {
        let mut line = serde_json::to_vec(line)?;
        line.push(b'\n');
        let written = self.file.write_all(&line);
        written.with_context(|| cannot_write(&self.path))
    }

    /// Says how it ended.
    ///
    /// # Errors
    /// As [`Attempt::add`].
    pub(super) fn end(mut self, ended: Ended) -> Result<()> {
        self.add(&LastLine { ended })
    }
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

/// What an attempt has told so far. `T` is what is wanted of a line.
pub(super) struct Told<T> {
    /// Its file.
    pub(super) path: PathBuf,
    /// Its first line; none where that is not whole yet.
    pub(super) head: Option<Head>,
    /// The layer-steps that it finished.
    pub(super) units: Vec<T>,
    /// How it ended, if it said so.
    pub(super) ended: Option<Ended>,
    /// Whole lines that nobody can read; what they told of is computed again.
    pub(super) damaged: usize,
    /// When it told something last.
    pub(super) changed: Option<SystemTime>,
    /// The length of the lines that were read.
    whole_bytes: u64,
}

/// Every attempt's journal, by shard and attempt.
pub(super) type Journals = BTreeMap<usize, BTreeMap<u32, PathBuf>>;

/// The journals that there are.
///
/// # Errors
/// When their folder cannot be read.
pub(super) fn journals(folder: &Folder) -> Result<Journals> {
    let path = folder.journals();
    let cannot = || format!("cannot read {}", path.display());
    let mut journals = Journals::new();
    for entry in fs::read_dir(&path).with_context(cannot)? {
        let entry = entry.with_context(cannot)?;
        if let Some((shard, attempt)) = entry.file_name().to_str().and_then(numbers_of) {
            let of_shard = journals.entry(shard).or_default();
            of_shard.insert(attempt, entry.path());
        }
    }
    Ok(journals)
}

/// Shard and attempt of `0007.r0.jsonl`; none of what is no journal.
fn numbers_of(name: &str) -> Option<(usize, u32)> {
    let (shard, attempt) = name.strip_suffix(".jsonl")?.split_once(".r")?;
    Some((shard.parse().ok()?, attempt.parse().ok()?))
}

/// The attempts of a shard, the first one first.
///
/// # Errors
/// [`Misuse`] where one is of another config or another program; else where one cannot be read.
pub(super) fn attempts<T: DeserializeOwned>(
    journals: &Journals,
    shard: usize,
    config: &str,
) -> Result<Vec<Told<T>>> {
    let paths = journals.get(&shard).into_iter().flat_map(BTreeMap::values);
    let told = paths.map(|path| {
        let mut told = Told::unread(path);
        told.read_on(config)?;
        Ok(told)
    });
    told.collect()
}

impl<T: DeserializeOwned> Told<T> {
    /// A journal of which nothing is read yet.
    pub(super) fn unread(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            head: None,
            units: Vec::new(),
            ended: None,
            damaged: 0,
            changed: None,
            whole_bytes: 0,
        }
    }

    /// Reads the whole lines behind those that were read.
    ///
    /// # Errors
    /// As [`attempts`].
    pub(super) fn read_on(&mut self, config: &str) -> Result<()> {
        let shown = self.path.display().to_string();
        let cannot = || format!("cannot read {shown}");
        let mut file = File::open(&self.path).with_context(cannot)?;
        self.changed = file.metadata().and_then(|data| data.modified()).ok();
        let place = SeekFrom::Start(self.whole_bytes);
        file.seek(place).with_context(cannot)?;
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        loop {
            line.clear();
            reader.read_until(b'\n', &mut line).with_context(cannot)?;
            if line.last() != Some(&b'\n') {
                // The end, or a line that is being written, or one whose writer was killed.
                return Ok(());
            }
            self.whole_bytes += line.len() as u64;
            self.hear(&line, config)?;
        }
    }

    /// Takes a whole line.
    fn hear(&mut self, line: &[u8], config: &str) -> Result<()> {
        if self.head.is_none() {
            self.head = Some(head_of(line, &self.path, config)?);
        } else if line.starts_with(LAST_LINE) {
            let last: Option<LastLine> = serde_json::from_slice(line).ok();
            self.ended = last.map(|LastLine { ended }| ended);
        } else {
            match serde_json::from_slice(line) {
                Ok(unit) => self.units.push(unit),
                Err(_) => self.damaged += 1,
            }
        }
        Ok(())
    }
}

/// The first line, of this program and this config.
fn head_of(line: &[u8], path: &Path, config: &str) -> Result<Head> {
    let shown = path.display();
    let head: Head = serde_json::from_slice(line).map_err(|_| {
        Misuse(format!(
            "{shown} does not begin as a journal does: move it away, and what it told of is \
             computed again"
        ))
    })?;
    if head.program != PROGRAM {
        let program = &head.program;
        return Err(Misuse(format!(
            "{shown} is of {program}, whose numbers may be others than those of {PROGRAM}: start \
             that one, or submit again into another folder"
        ))
        .into());
    }
    if head.config != config {
        return Err(Misuse(format!(
            "{shown} is of another config: it belongs to another folder"
        ))
        .into());
    }
    Ok(head)
}
