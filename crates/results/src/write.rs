//! Results as files: per-step JSON as the reference tool writes it, tables, and `results.json`.
//!
//! The same results give the same bytes: nothing here knows the time.
//!
//! What knows the time is apart: the worker writes `run.json` and `analysis.log` itself.

mod csv;
mod per_step;

use std::collections::BTreeSet;

pub(crate) use self::csv::{EXPERT, KEY_COLUMNS, MoreColumns, STACK, Table};
use crate::{EntryId, Results};

/// The file of everything.
const RESULTS: &str = "results.json";

/// The config as it was written.
const CONFIG: &str = "config.yaml";

/// The table of one metric entry.
fn table_path(entry: &EntryId) -> String {
    format!("{}.csv", entry.stem())
}

/// One file of results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultFile {
    /// Path below the analysis' folder, separated by `/`.
    pub path: String,
    /// Contents.
    pub bytes: Vec<u8>,
}

/// Results that could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// As JSON.
    #[error("results as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// As CSV.
    #[error("results as CSV: {0}")]
    Csv(#[from] ::csv::Error),
    /// To where they were to be written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Results {
    /// The CSV table of one metric entry: a row per number.
    ///
    /// # Errors
    /// [`WriteError::Csv`].
    pub fn csv(&self, entry: &EntryId) -> Result<Vec<u8>, WriteError> {
        csv::of_entry(self, entry)
    }

    /// The CSV table of everything: the entry's label and split, and what [`Results::csv`] has.
    ///
    /// # Errors
    /// [`WriteError::Csv`].
    pub fn long_csv(&self) -> Result<Vec<u8>, WriteError> {
        csv::of_everything(self)
    }

    /// The path of what an entry has at a step, where it has anything.
    #[must_use]
    pub fn step_path(step: u64, entry: &EntryId) -> String {
        per_step::path(step, entry)
    }

    /// The paths of [`Results::files`].
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let tables = self.entries.iter().map(|entry| table_path(&entry.id()));
        let of_steps = self.series.iter().flat_map(|series| {
            let entry = &series.id.entry;
            series
                .steps()
                .iter()
                .map(|step| per_step::path(*step, entry))
        });
        let of_steps: BTreeSet<String> = of_steps.collect();
        let own = [RESULTS, CONFIG].map(str::to_owned);
        tables.chain(of_steps).chain(own).collect()
    }

    /// Every file but those that know the time: per-step JSON, CSV tables, `results.json` and
    /// `config.yaml`.
    ///
    /// # Errors
    /// When a value cannot be written as JSON or CSV, which values that were read from either
    /// cannot be.
    pub fn files(&self) -> Result<Vec<ResultFile>, WriteError> {
        let mut files = Vec::new();
        for entry in &self.entries {
            let id = entry.id();
            files.extend(per_step::of_entry(self, &id)?);
            files.push(ResultFile {
                path: table_path(&id),
                bytes: self.csv(&id)?,
            });
        }
        files.push(ResultFile {
            path: RESULTS.to_owned(),
            bytes: self.to_json()?,
        });
        files.push(ResultFile {
            path: CONFIG.to_owned(),
            bytes: self.config.clone().into_bytes(),
        });
        Ok(files)
    }
}
