//! Results of an earlier analysis in the folder that a new one is to write to.
//!
//! A folder of results holds what one analysis wrote. What another config or another run wrote
//! there is not replaced unless somebody asks for it. Then every file goes that the earlier
//! `results.json` says was written, and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};
use ckptscope_analysis::{Config, Registry};
use ckptscope_results::Results;

use crate::analysis::Analysis;
use crate::output::{self, EarlierRun};
use crate::{Misuse, parquet, report, results_file};

/// What every analysis writes beside the files that depend on what it found.
const OTHERS: [&str; 4] = [
    output::LOG,
    output::RUN_REPORT,
    parquet::FILE_NAME,
    report::FILE_NAME,
];

/// Results that are in a folder.
pub(crate) struct EarlierResults {
    folder: PathBuf,
    /// None where the file is damaged, or is none of ours.
    results: Option<Results>,
    run: EarlierRun,
}

/// How earlier results and a new analysis differ.
enum Difference {
    Nothing,
    Config,
    Run,
    /// Nobody can tell.
    Unreadable,
}

impl EarlierResults {
    /// What is in the folder; none where it has no results.
    pub(crate) fn in_folder(folder: &Path) -> Option<Self> {
        let file = folder.join("results.json");
        if !file.is_file() {
            return None;
        }
        let run = fs::read(folder.join(output::RUN_REPORT)).ok();
        let run = run.and_then(|text| serde_json::from_slice(&text).ok());
        Some(Self {
            folder: folder.to_owned(),
            results: results_file::read(&file).ok(),
            run: run.unwrap_or_default(),
        })
    }

    /// Whether the new analysis would find what is there: of the same config and the same bytes.
    pub(crate) fn are_those_of(&self, analysis: &Analysis) -> bool {
        self.results.is_some() && self.run.made_of == analysis.made_of()
    }

    /// Refuses to replace results of another config or run.
    ///
    /// # Errors
    /// [`Misuse`], with what to do.
    pub(crate) fn refuse_others(&self, analysis: &Analysis) -> Result<()> {
        let shown = self.folder.display();
        let source = self.results.as_ref().map(|results| &results.source);
        let source = source.map_or("", String::as_str);
        let of = match self.difference(analysis) {
            Difference::Nothing => return Ok(()),
            Difference::Config => format!("holds the results of {source} with another config"),
            Difference::Run => format!("holds the results of another run, {source}"),
            Difference::Unreadable => "has a results.json that cannot be read".to_owned(),
        };
        Err(Misuse(format!(
            "{shown} {of}: give another analysis_name or another --output-dir, or replace them \
             with --overwrite"
        ))
        .into())
    }

    fn difference(&self, analysis: &Analysis) -> Difference {
        let Some(results) = &self.results else {
            return Difference::Unreadable;
        };
        let request = analysis.request();
        let is_of_run = if self.run.place.is_empty() {
            [&request.source, &request.given].contains(&&results.source)
        } else {
            self.run.place == analysis.place()
        };
        let config = Config::parse(&results.config, &Registry::default());
        match config {
            _ if !is_of_run => Difference::Run,
            Ok(config) if config == request.config => Difference::Nothing,
            Ok(_) | Err(_) => Difference::Config,
        }
    }

    /// Removes every file that the earlier analysis wrote, but for those that were written since,
    /// and the folders that are empty then.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub(crate) fn remove(self, written_since: &BTreeSet<String>) -> Result<()> {
        let results = self.results.unwrap_or_default();
        let others = OTHERS.into_iter().map(str::to_owned);
        let paths = results.paths().into_iter().chain(others);
        for path in paths.filter(|path| is_below(path) && !written_since.contains(path)) {
            let file = self.folder.join(&path);
            // Who looks into the folder may have removed it already.
            if file.is_file() {
                let cannot = || format!("cannot remove {}", file.display());
                fs::remove_file(&file).with_context(cannot)?;
            }
            if let Some(folder) = file.parent().filter(|folder| *folder != self.folder) {
                // One that has other files stays.
                let _ = fs::remove_dir(folder);
            }
        }
        Ok(())
    }
}

/// Whether a path stays in its folder: labels of a file that somebody else wrote may lead anywhere.
fn is_below(path: &str) -> bool {
    let mut parts = Path::new(path).components();
    parts.all(|part| matches!(part, Component::Normal(_)))
}

/// The files that an analysis with these results writes.
pub(crate) fn paths_of(results: &Results) -> BTreeSet<String> {
    let others = OTHERS.into_iter().map(str::to_owned);
    results.paths().into_iter().chain(others).collect()
}
