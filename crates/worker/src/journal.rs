//! What an analysis has finished so far, on disk, so that an interrupted one can go on, and that
//! others can be told of it.
//!
//! A line says what a layer's numbers at a step are made of. That is tensors, also the target's,
//! their files with length and modification time, and the model's shape. `--resume` goes on if the
//! config is the same, and computes only the steps whose files changed. The run may have grown
//! meanwhile.
//!
//! Lines are only ever added. Where files of the run changed and lines are taken back, a new file
//! takes the journal's place. Its first line has another generation, which ids of events repeat.
//!
//! A complete analysis of the command line has no journal. The server keeps those of finished
//! analyses, so that a listener who comes later hears the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use ckptscope_protocol::Progress;
use ckptscope_protocol::service::FinishedUnit;
use ckptscope_results::{Number, Numbers, SeriesSet};
use serde::{Deserialize, Serialize};

use crate::Misuse;
use crate::analysis::counted;
use crate::identity::{PROGRAM, Unit};
use crate::output;

/// The file's name in the folder of an analysis of the command line's; it is gone when the
/// analysis is complete.
pub(crate) const FILE_NAME: &str = "unfinished.jsonl";

/// A line of the journal per finished layer and step, a [`FinishedUnit`], after a first line that
/// says of what. Lines are only ever added: whoever has read some of them reads on from there.
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    /// What each layer's and step's numbers are made of.
    units: BTreeMap<Unit, String>,
    /// What changes when lines that were there are there no more.
    pub(crate) generation: u64,
    /// The layers and steps that are finished.
    pub(crate) finished: BTreeSet<Unit>,
    /// Their numbers.
    pub(crate) series: SeriesSet,
    /// What was found of an earlier computation.
    pub(crate) earlier: Earlier,
}

/// Whether to go on with a journal that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resume {
    /// No; one in which something is finished is thrown away.
    Never,
    /// No; one in which something is finished is an error.
    RefuseToDiscard,
    /// Yes; one that cannot be gone on with is an error.
    OrRefuse,
    /// Yes; one that cannot be gone on with is started over.
    OrStartOver,
}

/// What a journal had when it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Earlier {
    /// There was none.
    Nothing,
    /// It was of an interrupted computation, and was not gone on with.
    Discarded,
    /// It was gone on with.
    TakenOver {
        /// Layers and steps of it that still hold.
        kept: usize,
        /// Those whose files have changed since.
        outdated: usize,
    },
}

/// A journal's first line.
#[derive(Serialize, Deserialize)]
pub(crate) struct Head {
    /// Of the config and the program; a journal of others cannot be gone on with.
    config: String,
    /// The program that wrote it; empty where an older one did.
    #[serde(default)]
    program: String,
    /// Milliseconds since 1970 when the first of its lines was written.
    pub(crate) generation: u64,
}

impl Journal {
    /// Starts the journal of an analysis, or goes on with the one that is there. `units` says what
    /// each layer's and step's numbers are made of.
    pub(crate) fn open(
        path: &Path,
        config: &str,
        units: BTreeMap<Unit, String>,
        resume: Resume,
    ) -> Result<Self> {
        let cannot = || format!("cannot write {}", path.display());
        let file = open(path)?;
        lock(&file, path)?;
        let bytes = file.metadata().with_context(cannot)?.len();
        let found = match resume {
            Resume::Never => Ok(None),
            Resume::RefuseToDiscard => refuse_to_discard(&file, path).map(|()| None),
            Resume::OrRefuse | Resume::OrStartOver => read(&file, path, config),
        };
        let found = match found {
            Err(_) if resume == Resume::OrStartOver => None,
            found => found?,
        };
        let mut journal = Self {
            path: path.to_owned(),
            file,
            units,
            generation: 0,
            finished: BTreeSet::new(),
            series: SeriesSet::default(),
            earlier: Earlier::Nothing,
        };
        match found {
            Some(found) => journal.take_over(found, config)?,
            None => journal.start(bytes > 0, config)?,
        }
        Ok(journal)
    }

    /// Notes a finished layer and step.
    pub(crate) fn add(&mut self, progress: Progress, numbers: Vec<Number>) -> Result<()> {
        let unit = (progress.layer, progress.step);
        let made_of = self.units.get(&unit).cloned().unwrap_or_default();
        let line = FinishedUnit {
            made_of,
            progress,
            numbers: Numbers(numbers),
        };
        self.write(&line)?;
        self.finished.insert(unit);
        self.series.extend(line.numbers.0);
        Ok(())
    }

    /// Notes what another process has finished, where it holds and is news; says whether it is.
    /// Its numbers are not gathered here: whoever merges reads them where they were written first.
    pub(crate) fn take(&mut self, line: &FinishedUnit) -> Result<bool> {
        let unit = (line.progress.layer, line.progress.step);
        if self.units.get(&unit) != Some(&line.made_of) || self.finished.contains(&unit) {
            return Ok(false);
        }
        self.write(line)?;
        self.finished.insert(unit);
        Ok(true)
    }

    /// Removes it: the results are written.
    pub(crate) fn remove(self) -> Result<()> {
        fs::remove_file(&self.path)
            .with_context(|| format!("cannot remove {}", self.path.display()))
    }

    fn start(&mut self, discards: bool, config: &str) -> Result<()> {
        if discards {
            self.earlier = Earlier::Discarded;
        }
        self.rewrite(config, &[])
    }

    /// Takes over what still holds.
    fn take_over(&mut self, found: Found, config: &str) -> Result<()> {
        let (mut kept, mut outdated, all) = (Vec::new(), BTreeSet::new(), found.lines.len());
        self.generation = found.head.generation;
        for line in found.lines {
            let unit = (line.progress.layer, line.progress.step);
            if self.units.get(&unit) != Some(&line.made_of) {
                outdated.insert(unit);
            } else if self.finished.insert(unit) {
                kept.push(line);
            }
        }
        self.earlier = Earlier::TakenOver {
            kept: kept.len(),
            outdated: outdated.difference(&self.finished).count(),
        };
        if kept.len() == all {
            // What follows the last whole line was being written when it stopped.
            let shortened = self.file.set_len(found.whole_bytes);
            shortened.with_context(|| format!("cannot write {}", self.path.display()))?;
        } else {
            self.rewrite(config, &kept)?;
        }
        let numbers = kept.into_iter().flat_map(|line| line.numbers.0);
        self.series.extend(numbers);
        Ok(())
    }

    /// Puts another file in its place, whole or not at all; who reads the old one can read on.
    fn rewrite(&mut self, config: &str, lines: &[FinishedUnit]) -> Result<()> {
        self.generation = milliseconds(SystemTime::now()).max(self.generation + 1);
        let head = Head {
            config: config.to_owned(),
            program: PROGRAM.to_owned(),
            generation: self.generation,
        };
        let mut text = line_of(&head)?;
        for line in lines {
            text.extend(line_of(line)?);
        }
        output::write(&self.path, &text)?;
        self.file = open(&self.path)?;
        lock(&self.file, &self.path)
    }

    fn write(&mut self, value: &impl Serialize) -> Result<()> {
        self.file
            .write_all(&line_of(value)?)
            .with_context(|| format!("cannot write {}", self.path.display()))
    }
}

/// A time in milliseconds since 1970.
pub(crate) fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0))
}

fn open(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    let opened = options.create(true).read(true).append(true).open(path);
    opened.with_context(|| format!("cannot write {}", path.display()))
}

fn line_of(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}

/// Two analyses in one folder would spoil each other's files.
fn lock(file: &File, path: &Path) -> Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(Misuse(format!(
            "another analysis is at work in {}; wait for it, or choose another folder with \
             --output-dir",
            path.parent().unwrap_or(path).display()
        ))
        .into()),
        // Not every file system has locks; there nobody is stopped.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

/// The whole lines of a journal.
struct Found {
    head: Head,
    lines: Vec<FinishedUnit>,
    /// Their length.
    whole_bytes: u64,
}

/// What a journal holds; `None` where it has no whole line. One of another config is refused.
fn read(file: &File, path: &Path, config: &str) -> Result<Option<Found>> {
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
                    head: head_of(&text, path, config)?,
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

/// Nobody loses what is finished by forgetting an option.
fn refuse_to_discard(file: &File, path: &Path) -> Result<()> {
    let cannot = || format!("cannot read {}", path.display());
    let (mut reader, mut line, mut lines) = (BufReader::new(file), Vec::new(), 0_usize);
    while reader.read_until(b'\n', &mut line).with_context(cannot)? > 0 {
        // What follows the last line end was being written when it stopped.
        lines += usize::from(line.last() == Some(&b'\n'));
        line.clear();
    }
    // The first says of what it is.
    let finished = lines.saturating_sub(1);
    if finished == 0 {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(path).display();
    let finished = counted(finished as u64, "layer-step");
    Err(Misuse(format!(
        "{folder} holds an unfinished analysis with {finished} done: go on with \
         --resume, or throw it away with --restart"
    ))
    .into())
}

fn head_of(line: &[u8], path: &Path, config: &str) -> Result<Head> {
    let head: Head = parse(line, path)?;
    let shown = path.display();
    if head.program != PROGRAM {
        let program = match head.program.as_str() {
            "" => "an older version of this program",
            program => program,
        };
        return Err(Misuse(format!(
            "{shown} was begun by {program}, whose numbers may be others than those of {PROGRAM}; \
             go on with that one, or start over with --restart"
        ))
        .into());
    }
    if head.config != config {
        return Err(Misuse(format!(
            "{shown} is of another config; give that config, or start over with --restart"
        ))
        .into());
    }
    Ok(head)
}

fn parse<'a, T: Deserialize<'a>>(line: &'a [u8], path: &Path) -> Result<T> {
    serde_json::from_slice(line)
        .with_context(|| format!("{} is damaged; start over with --restart", path.display()))
}
