//! A run as the folder that `wandb sync` uploads.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::block_log::BlockLog;
use crate::error::OfflineError;
use crate::record::Record;
use crate::run::{Row, Run};

/// An offline run under way. Every row is with the operating system when [`OfflineRun::log`]
/// returns, so what a crash leaves behind can be synced too, as a run that failed.
pub struct OfflineRun {
    folder: PathBuf,
    file: PathBuf,
    log: BlockLog<BufWriter<File>>,
    /// Records so far.
    records: i64,
    started: SystemTime,
    last_step: Option<u64>,
    /// Since the start, at the last row.
    runtime: Duration,
}

impl OfflineRun {
    /// Makes `wandb/offline-run-YYYYMMDD_HHMMSS-{id}` in a folder, named by the local time at
    /// which the run started, and writes what is known of the run.
    ///
    /// # Errors
    /// When it cannot be made or written, or is there already.
    pub fn create(parent: &Path, run: &Run) -> Result<Self, OfflineError> {
        let folder = parent.join("wandb").join(folder_name(run));
        let file = folder.join(format!("run-{}.wandb", run.id));
        let log = begin(&folder, &file).map_err(|source| OfflineError::Unwritable {
            path: file.clone(),
            source,
        })?;
        let mut offline = Self {
            folder,
            file,
            log,
            records: 0,
            started: run.started,
            last_step: None,
            runtime: Duration::ZERO,
        };
        offline.write(&[Record::header(), Record::run(run), Record::config(run)])?;
        Ok(offline)
    }

    /// Writes a row and what it changes of the summary.
    ///
    /// # Errors
    /// When it cannot be written, or its step does not come after the last one: the server would
    /// drop it.
    pub fn log(&mut self, row: &Row) -> Result<(), OfflineError> {
        if let Some(last) = self.last_step.filter(|last| *last >= row.step()) {
            let step = row.step();
            return Err(OfflineError::StepNotAfter { step, last });
        }
        self.last_step = Some(row.step());
        self.runtime = row.runtime(self.started);
        self.write(&[
            Record::history(row, self.started),
            Record::summary(row, self.started),
        ])
    }

    /// Writes how the run ended, 0 for well; where the run is.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self, exit_code: i32) -> Result<PathBuf, OfflineError> {
        self.write(&[
            Record::summary_runtime(self.runtime),
            Record::exit(exit_code, self.runtime),
        ])?;
        self.write(&Record::end())?;
        Ok(self.folder)
    }

    /// Where the run is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn write(&mut self, records: &[Record]) -> Result<(), OfflineError> {
        for record in records {
            self.records += 1;
            let written = self.log.append(&record.encode(self.records));
            written.map_err(|source| self.failed(source))?;
        }
        self.log.flush().map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> OfflineError {
        let path = self.file.clone();
        OfflineError::Unwritable { path, source }
    }
}

fn folder_name(run: &Run) -> String {
    let started = Timestamp::try_from(run.started).unwrap_or_default();
    let started = started.to_zoned(TimeZone::system());
    format!(
        "offline-run-{}-{}",
        started.strftime("%Y%m%d_%H%M%S"),
        run.id
    )
}

fn begin(folder: &Path, file: &Path) -> io::Result<BlockLog<BufWriter<File>>> {
    fs::create_dir_all(folder.join("files"))?;
    BlockLog::begin(BufWriter::new(File::create_new(file)?))
}
