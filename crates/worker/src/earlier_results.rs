//! Results of an earlier analysis in the folder that a new one is to write to.
//!
//! A folder of results holds what one analysis wrote. What another config or another run wrote
//! there is not replaced unless somebody asks for it, and neither is what somebody else wrote. Then
//! every file goes that the earlier `results.json` says was written, and nothing else. Where it
//! cannot be read nobody knows which files that are, and nothing is replaced.
//!
//! Whoever looks has the folder's lock.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};
use ckptscope_analysis::{Config, Registry};
use ckptscope_results::{Input, Results, SeriesSet};

use crate::analysis::Analysis;
use crate::output::{self, EarlierRun};
use crate::{Misuse, compare, parquet, report, results_file};

/// What every analysis writes beside the files that depend on what it found.
const OTHERS: [&str; 4] = [
    output::LOG,
    output::RUN_REPORT,
    parquet::FILE_NAME,
    report::FILE_NAME,
];

/// A new analysis, as far as an earlier one is held against it.
pub(crate) struct NewAnalysis<'a> {
    /// The config.
    pub(crate) config: &'a Config,
    /// What results may call the run.
    pub(crate) sources: [&'a str; 2],
    /// Where the run lies.
    pub(crate) place: String,
    /// What the results are made of.
    pub(crate) made_of: String,
    /// The results without numbers.
    pub(crate) planned: Results,
    /// What else to give, so that it has a folder of its own.
    pub(crate) advice: &'static str,
}

/// What to give where a person wrote the config.
pub(crate) const WITH_CONFIG: &str = "give another analysis_name or another --output-dir";

/// The same where nobody did.
pub(crate) const WITHOUT_CONFIG: &str = "give another --output-dir";

impl<'a> NewAnalysis<'a> {
    /// Of a planned analysis.
    pub(crate) fn of(analysis: &'a Analysis, advice: &'static str) -> Self {
        let request = analysis.request();
        Self {
            config: &request.config,
            sources: [&request.source, &request.given],
            place: analysis.place(),
            made_of: analysis.made_of(),
            planned: analysis.results(SeriesSet::default()),
            advice,
        }
    }

    /// Whether there are some files, and the run has all of them, each as long as it is said to be.
    fn has_all(&self, inputs: &[Input]) -> bool {
        let own = &self.planned.inputs;
        let is_there = |input: &Input| {
            let mut own = own.iter();
            own.any(|it| (&it.path, it.bytes) == (&input.path, input.bytes))
        };
        !inputs.is_empty() && inputs.iter().all(is_there)
    }
}

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
    /// The keys by which they differ; none where the earlier one cannot be read any more.
    Config(Vec<&'static str>),
    Run,
    /// Nobody can tell.
    Unreadable,
}

impl EarlierResults {
    /// What is in the folder; none where it has no results.
    fn in_folder(folder: &Path) -> Option<Self> {
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

    /// The results that a new analysis may take the place of; none where there are no files that
    /// it would replace.
    ///
    /// # Errors
    /// [`Misuse`] where it may not, with what to do.
    pub(crate) fn to_be_replaced(
        folder: &Path,
        new: &NewAnalysis<'_>,
        overwrite: bool,
    ) -> Result<Option<Self>> {
        match Self::in_folder(folder) {
            None if overwrite => Ok(None),
            None => refuse_foreign(folder, new).map(|()| None),
            Some(earlier) => earlier
                .refuse_others(new, overwrite)
                .map(|()| Some(earlier)),
        }
    }

    /// Whether the new analysis would find what is there: all files, of the same config and the
    /// same bytes.
    pub(crate) fn are_those_of(&self, new: &NewAnalysis<'_>) -> bool {
        let is_there = |path: &String| self.folder.join(path).is_file();
        let results = self.results.as_ref();
        results.is_some_and(|results| paths_of(results).iter().all(is_there))
            && self.run.made_of == new.made_of
    }

    fn refuse_others(&self, new: &NewAnalysis<'_>, overwrite: bool) -> Result<()> {
        let (shown, advice) = (self.folder.display(), new.advice);
        let source = self.results.as_ref().map(|results| &results.source);
        let source = source.map_or("", String::as_str);
        let of = match self.difference(new) {
            Difference::Unreadable => {
                return Err(Misuse(format!(
                    "{shown} has a results.json that cannot be read, so that nobody knows which \
                     files are its: {advice}, or remove the folder"
                ))
                .into());
            }
            Difference::Nothing => return Ok(()),
            Difference::Config(_) | Difference::Run if overwrite => return Ok(()),
            Difference::Config(keys) => {
                let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
                let keys = match keys.is_empty() {
                    true => String::new(),
                    false => format!(" (other {})", keys.join(", ")),
                };
                format!("holds the results of {source} with another config{keys}")
            }
            Difference::Run => {
                let place = match self.run.place.as_str() {
                    "" => String::new(),
                    place => format!(" ({place})"),
                };
                format!("holds the results of another run, {source}{place}")
            }
        };
        let words = format!("{shown} {of}: {advice}, or replace them with --overwrite");
        Err(Misuse(words).into())
    }

    fn difference(&self, new: &NewAnalysis<'_>) -> Difference {
        let Some(results) = &self.results else {
            return Difference::Unreadable;
        };
        let is_of_run = if self.run.place.is_empty() {
            // Nobody says where it lay: its name is not enough.
            new.sources.contains(&results.source.as_str()) && new.has_all(&results.inputs)
        } else {
            self.run.place == new.place
        };
        if !is_of_run {
            return Difference::Run;
        }
        let Ok(config) = Config::parse(&results.config, &Registry::default()) else {
            return Difference::Config(Vec::new());
        };
        match config.differences(new.config) {
            keys if keys.is_empty() => Difference::Nothing,
            keys => Difference::Config(keys),
        }
    }

    /// Removes every file that the earlier analysis wrote, but for those that were written since,
    /// and the folders that are empty then.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub(crate) fn remove(self, written_since: &BTreeSet<String>) -> Result<()> {
        let paths = self.results.as_ref().map(paths_of).unwrap_or_default();
        let paths = paths.into_iter();
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

/// The name for an analysis of a run, whose config nobody wrote: this one, or with a number behind
/// it where the folder has the results of another run.
pub(crate) fn name_for_run(name: &str, parent: &Path, place: &str) -> String {
    let is_of_other = |name: &String| {
        let earlier = EarlierResults::in_folder(&parent.join(name));
        earlier.is_some_and(|earlier| !["", place].contains(&earlier.run.place.as_str()))
    };
    let numbered = (2_u64..).map(|number| format!("{name}-{number}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    let free = names.find(|name| !is_of_other(name));
    free.unwrap_or_else(|| name.to_owned())
}

/// Refuses to replace files of somebody else: those that the new analysis would write, in a folder
/// where nothing says that an analysis wrote them.
///
/// # Errors
/// [`Misuse`], with what to do.
fn refuse_foreign(folder: &Path, new: &NewAnalysis<'_>) -> Result<()> {
    let (planned, advice) = (&new.planned, new.advice);
    let of_step = |step: &u64| {
        let entries = planned.entries.iter();
        let paths = entries.map(|entry| Results::step_path(*step, &entry.id()));
        paths.collect::<Vec<_>>()
    };
    let of_steps = planned.steps.iter().flat_map(of_step);
    let all: BTreeSet<String> = paths_of(planned).into_iter().chain(of_steps).collect();
    // An unfinished analysis has a log, and nothing else yet.
    let all = all.into_iter().filter(|path| path != output::LOG);
    let mut there = all.filter(|path| folder.join(path).is_file());
    let Some(first) = there.next() else {
        return Ok(());
    };
    let more = match there.count() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Err(Misuse(format!(
        "{}: {first}{more} would be replaced, and no analysis says that it wrote them: {advice}, \
         or replace them with --overwrite",
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

/// The files that an analysis, or a comparison, with these results writes.
pub(crate) fn paths_of(results: &Results) -> BTreeSet<String> {
    if !results.runs.is_empty() {
        return compare::FILES.into_iter().map(str::to_owned).collect();
    }
    let others = OTHERS.into_iter().map(str::to_owned);
    results.paths().into_iter().chain(others).collect()
}
