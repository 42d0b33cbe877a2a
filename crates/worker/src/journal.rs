//! What an analysis has finished so far, on disk, so that an interrupted one can go on.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use trainscope_analysis::Config;
use trainscope_analysis::protocol::Record;
use trainscope_checkpoint::Tree;

use crate::Misuse;

/// The file's name in the analysis' folder; it is gone when the analysis is complete.
const FILE_NAME: &str = "unfinished.jsonl";

/// A line of the journal per finished layer and step, after a first line that says of what.
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    /// The layers and steps that are finished.
    pub(crate) finished: BTreeSet<(u64, u64)>,
    /// Their records.
    pub(crate) records: Vec<Record>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    /// Of the config and the run's files; a journal of others cannot be gone on with.
    fingerprint: String,
}

#[derive(Serialize, Deserialize)]
struct Unit {
    layer: u64,
    step: u64,
    records: Vec<Record>,
}

impl Journal {
    /// Starts a journal, or goes on with the one that is there.
    pub(crate) fn open(folder: &Path, fingerprint: &str, resume: bool) -> Result<Self> {
        let path = folder.join(FILE_NAME);
        let found = if resume {
            read(&path, fingerprint)?
        } else {
            None
        };
        let is_new = found.is_none();
        let (units, length) = found.unwrap_or_default();
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        // What follows the last whole line was being written when it stopped.
        file.set_len(length)
            .with_context(|| path.display().to_string())?;
        if is_new {
            let head = Head {
                fingerprint: fingerprint.to_owned(),
            };
            write_line(&mut file, &path, &head)?;
        }
        let finished = units.iter().map(|unit| (unit.layer, unit.step)).collect();
        let records = units.into_iter().flat_map(|unit| unit.records).collect();
        Ok(Self {
            path,
            file,
            finished,
            records,
        })
    }

    /// Notes a finished layer and step.
    pub(crate) fn add(&mut self, layer: u64, step: u64, records: Vec<Record>) -> Result<()> {
        let unit = Unit {
            layer,
            step,
            records,
        };
        write_line(&mut self.file, &self.path, &unit)?;
        self.finished.insert((layer, step));
        self.records.extend(unit.records);
        Ok(())
    }

    /// Removes it: the results are written.
    pub(crate) fn remove(self) -> Result<Vec<Record>> {
        fs::remove_file(&self.path).with_context(|| self.path.display().to_string())?;
        Ok(self.records)
    }
}

/// What a config asks of a run's files: equal for equal work.
pub(crate) fn fingerprint(config: &Config, tree: &dyn Tree) -> String {
    let mut hash = Sha256::new();
    hash.update(env!("CARGO_PKG_VERSION"));
    hash.update(config.to_yaml());
    for file in tree.files() {
        hash.update(format!("\n{} {}", file.path, file.bytes));
    }
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn write_line(file: &mut File, path: &Path, value: &impl Serialize) -> Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    file.write_all(&line).with_context(|| {
        format!(
            "cannot write {} (is the disk full? what is computed so far is kept)",
            path.display()
        )
    })
}

/// The whole lines of a journal, and their length in bytes; `None` where there is none.
fn read(path: &Path, fingerprint: &str) -> Result<Option<(Vec<Unit>, u64)>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    let mut length = 0;
    let mut units = Vec::new();
    while reader
        .read_until(b'\n', &mut line)
        .with_context(|| path.display().to_string())?
        > 0
    {
        if line.last() != Some(&b'\n') {
            break;
        }
        if length == 0 {
            let head: Head = serde_json::from_slice(&line)
                .with_context(|| format!("{} is not a journal", path.display()))?;
            if head.fingerprint != fingerprint {
                return Err(Misuse(format!(
                    "{} is of another config or another run; start over without --resume",
                    path.display()
                ))
                .into());
            }
        } else {
            let unit = serde_json::from_slice(&line).with_context(|| {
                format!("{} is damaged; start over without --resume", path.display())
            })?;
            units.push(unit);
        }
        length += line.len() as u64;
        line.clear();
    }
    Ok((length > 0).then_some((units, length)))
}
