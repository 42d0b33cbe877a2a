//! Results of an earlier analysis in the folder that a new one is to write to.
//!
//! A folder of results holds what one analysis wrote. What another config or another run wrote
//! there is not replaced unless somebody asks for it, and neither is what somebody else wrote. Then
//! every file goes that the earlier `results.json` says was written, and nothing else.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};
use ckptscope_analysis::{Config, Registry};
use ckptscope_results::{Results, SeriesSet};

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

    /// Whether the new analysis would find what is there: all files, of the same config and the
    /// same bytes.
    pub(crate) fn are_those_of(&self, analysis: &Analysis) -> bool {
        let is_there = |path: &String| self.folder.join(path).is_file();
        let results = self.results.as_ref();
        results.is_some_and(|results| paths_of(results).iter().all(is_there))
            && self.run.made_of == analysis.made_of()
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
            // Nobody says where it lay: its name is not enough.
            [&request.source, &request.given].contains(&&results.source)
                && analysis.has_all(&results.inputs)
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

/// Refuses to replace files of somebody else: those that the new analysis would write, in a folder
/// where nothing says that an analysis wrote them.
///
/// # Errors
/// [`Misuse`], with what to do.
pub(crate) fn refuse_foreign(folder: &Path, analysis: &Analysis) -> Result<()> {
    let planned = analysis.results(SeriesSet::default());
    let of_step = |step: &u64| {
        let entries = planned.entries.iter();
        let paths = entries.map(|entry| Results::step_path(*step, &entry.id()));
        paths.collect::<Vec<_>>()
    };
    let of_steps = planned.steps.iter().flat_map(of_step);
    let all: BTreeSet<String> = paths_of(&planned).into_iter().chain(of_steps).collect();
    let mut there = all.into_iter().filter(|path| folder.join(path).is_file());
    let Some(first) = there.next() else {
        return Ok(());
    };
    let more = match there.count() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Err(Misuse(format!(
        "{}: {first}{more} would be replaced, and no analysis says that it wrote them: give \
         another analysis_name or another --output-dir, or replace them with --overwrite",
        folder.display()
    ))
    .into())
}

/// Whether an analysis may have written a path: a file of its folder, or of a step's folder in it.
/// Labels of a file that somebody else wrote may lead anywhere.
fn is_below(path: &str) -> bool {
    let parts: Vec<Component<'_>> = Path::new(path).components().collect();
    let is_step = |name: &OsStr| {
        let number = name.to_str().and_then(|name| name.strip_prefix("step_"));
        number.is_some_and(|number| number.parse::<u64>().is_ok())
    };
    match parts.as_slice() {
        [Component::Normal(_)] => true,
        [Component::Normal(folder), Component::Normal(_)] => is_step(folder),
        _ => false,
    }
}

/// The files that an analysis with these results writes.
pub(crate) fn paths_of(results: &Results) -> BTreeSet<String> {
    let others = OTHERS.into_iter().map(str::to_owned);
    results.paths().into_iter().chain(others).collect()
}
