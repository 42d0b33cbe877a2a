//! What an analysis has finished so far, on disk, so that an interrupted one can go on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use trainscope_analysis::protocol::Record;

use crate::Misuse;
use crate::identity::Unit;

/// The file's name in the analysis' folder; it is gone when the analysis is complete.
const FILE_NAME: &str = "unfinished.jsonl";

/// A line of the journal per finished layer and step, after a first line that says of what.
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    /// What each layer's and step's numbers are made of.
    units: BTreeMap<Unit, String>,
    /// The layers and steps that are finished.
    pub(crate) finished: BTreeSet<Unit>,
    /// Their records.
    pub(crate) records: Vec<Record>,
    /// What was found of an earlier computation.
    pub(crate) earlier: Earlier,
}

/// What a journal had when it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Earlier {
    /// There was none.
    Nothing,
    /// It was of an interrupted computation, and nobody asked to go on with it.
    Discarded,
    /// It was gone on with.
    TakenOver {
        /// Layers and steps of it that still hold.
        kept: usize,
        /// Those whose files have changed since.
        outdated: usize,
    },
}

#[derive(Serialize, Deserialize)]
struct Head {
    /// Of the config and the program's version; a journal of others cannot be gone on with.
    config: String,
}

#[derive(Serialize, Deserialize)]
struct Line {
    layer: u64,
    step: u64,
    /// What the records are made of; where that has changed, they no longer hold.
    made_of: String,
    records: Vec<Record>,
}

impl Journal {
    /// Starts the journal of an analysis in its folder, or goes on with the one that is there.
    /// `units` says what each layer's and step's numbers are made of.
    pub(crate) fn open(
        folder: &Path,
        config: &str,
        units: BTreeMap<Unit, String>,
        resume: bool,
    ) -> Result<Self> {
        let path = folder.join(FILE_NAME);
        let cannot = || format!("cannot write {}", path.display());
        let file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(&path)
            .with_context(cannot)?;
        lock(&file, folder)?;
        let bytes = file.metadata().with_context(cannot)?.len();
        let found = if resume { read(&file, &path)? } else { None };
        let mut journal = Self {
            path,
            file,
            units,
            finished: BTreeSet::new(),
            records: Vec::new(),
            earlier: Earlier::Nothing,
        };
        match found {
            Some(found) => journal.take_over(found, config)?,
            None => journal.start(bytes > 0, config)?,
        }
        Ok(journal)
    }

    /// Notes a finished layer and step.
    pub(crate) fn add(&mut self, layer: u64, step: u64, records: Vec<Record>) -> Result<()> {
        let made_of = self.units.get(&(layer, step)).cloned().unwrap_or_default();
        let line = Line {
            layer,
            step,
            made_of,
            records,
        };
        self.write(&line)?;
        self.finished.insert((layer, step));
        self.records.extend(line.records);
        Ok(())
    }

    /// Removes it: the results are written.
    pub(crate) fn remove(self) -> Result<()> {
        fs::remove_file(&self.path)
            .with_context(|| format!("cannot remove {}", self.path.display()))
    }

    fn start(&mut self, discards: bool, config: &str) -> Result<()> {
        self.shorten(0)?;
        if discards {
            self.earlier = Earlier::Discarded;
        }
        let config = config.to_owned();
        self.write(&Head { config })
    }

    fn take_over(&mut self, found: Found, config: &str) -> Result<()> {
        if found.head.config != config {
            return Err(Misuse(format!(
                "{} is of another config or another version of this program; \
                 give that config, or start over without --resume",
                self.path.display()
            ))
            .into());
        }
        // What follows the last whole line was being written when it stopped.
        self.shorten(found.whole_bytes)?;
        let mut outdated = BTreeSet::new();
        for line in found.lines {
            let unit = (line.layer, line.step);
            match self.units.get(&unit) {
                Some(made_of) if *made_of == line.made_of => {
                    if self.finished.insert(unit) {
                        self.records.extend(line.records);
                    }
                }
                _ => drop(outdated.insert(unit)),
            }
        }
        self.earlier = Earlier::TakenOver {
            kept: self.finished.len(),
            outdated: outdated.difference(&self.finished).count(),
        };
        Ok(())
    }

    fn shorten(&self, bytes: u64) -> Result<()> {
        self.file
            .set_len(bytes)
            .with_context(|| format!("cannot write {}", self.path.display()))
    }

    fn write(&mut self, value: &impl Serialize) -> Result<()> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        self.file
            .write_all(&line)
            .with_context(|| format!("cannot write {}", self.path.display()))
    }
}

/// Two analyses in one folder would spoil each other's files.
fn lock(file: &File, folder: &Path) -> Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(Misuse(format!(
            "another analysis is at work in {}; wait for it, or choose another folder with \
             --output-dir",
            folder.display()
        ))
        .into()),
        // Not every file system has locks; there nobody is stopped.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

/// The whole lines of a journal.
struct Found {
    head: Head,
    lines: Vec<Line>,
    /// Their length.
    whole_bytes: u64,
}

/// What a journal holds; `None` where it has no whole line.
fn read(file: &File, path: &Path) -> Result<Option<Found>> {
    let cannot = || format!("cannot read {}", path.display());
    let mut reader = BufReader::new(file);
    let mut text = Vec::new();
    let mut found: Option<Found> = None;
    while reader.read_until(b'\n', &mut text).with_context(cannot)? > 0 {
        if text.last() != Some(&b'\n') {
            break;
        }
        let bytes = text.len() as u64;
        match &mut found {
            None => {
                found = Some(Found {
                    head: parse(&text, path)?,
                    lines: Vec::new(),
                    whole_bytes: bytes,
                });
            }
            Some(found) => {
                found.lines.push(parse(&text, path)?);
                found.whole_bytes += bytes;
            }
        }
        text.clear();
    }
    Ok(found)
}

fn parse<'a, T: Deserialize<'a>>(line: &'a [u8], path: &Path) -> Result<T> {
    serde_json::from_slice(line)
        .with_context(|| format!("{} is damaged; start over without --resume", path.display()))
}
