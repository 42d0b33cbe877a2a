//! An analysis from a config and a run to files of results, whoever asked for it.
//!
//! Command line and server conduct an analysis with this code: plan, journal, lanes, files. They
//! differ in who watches (`progress::Watcher`).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use ckptscope_analysis::plan::{self, PlanProblem};
use ckptscope_analysis::{Config, Lane, Plan, PlanErrors, results};
use ckptscope_checkpoint::Run;
use ckptscope_checkpoint::http::client::REQUESTS_AT_ONCE;
use ckptscope_protocol::{ConfigProblem, Cost};
use ckptscope_results::{Results, SeriesSet, Status, UNREADABLE};
use jiff::Zoned;

use crate::executor::Executor;
use crate::find::find_run;
use crate::identity::PROGRAM;
use crate::journal::{Earlier, Journal, Resume, Work};
use crate::locked_file::LockedFile;
use crate::output::{self, RunReport, TrafficReport};
use crate::place::{Address, Place};
use crate::progress::{Reporter, bytes, duration};
use crate::time::rfc3339;
use crate::{Outcome, identity, lanes, parquet, report, results_file};

/// What is to be analyzed, and where results go.
pub(crate) struct Request {
    /// When it was asked for.
    pub(crate) started: Zoned,
    /// What to compute.
    pub(crate) config: Config,
    /// What messages call the config.
    pub(crate) config_name: String,
    /// The run.
    pub(crate) address: Address,
    /// What messages call the run: as it was given.
    pub(crate) given: String,
    /// What results call the run, where it is not of the Hub.
    pub(crate) source: String,
    /// The analysis' name.
    pub(crate) name: String,
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// Threads that compute.
    pub(crate) threads: usize,
}

/// An analysis of which everything is known but its numbers.
pub(crate) struct Analysis {
    request: Request,
    run: Run,
    place: Place,
    plan: Plan,
}

/// A config that does not fit its run, or a run that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Misfit {
    /// All of it in words.
    pub(crate) message: String,
    /// Each problem, with its place in the config.
    pub(crate) problems: Vec<ConfigProblem>,
    /// Whether the config is at fault, and not the files.
    pub(crate) is_misuse: bool,
}

impl Analysis {
    /// Reads the directories of the run's files; none when the person stopped it.
    pub(crate) fn plan(request: Request, executor: &Executor) -> Result<Option<Self>> {
        let planned = executor.block_on(async {
            let config = &request.config;
            let wanted = |all: &[u64]| steps_listed(config, all);
            let (run, place) = find_run(&request.address, executor, wanted).await?;
            let plan = Plan::make(config, &run, place.tree()).await;
            let plan = plan.map_err(|errors| misfit(&errors, &request))?;
            anyhow::Ok((run, place, plan))
        });
        let Some(planned) = planned else {
            return Ok(None);
        };
        let (run, place, plan) = planned?;
        Ok(Some(Self {
            request,
            run,
            place,
            plan,
        }))
    }

    /// What was asked for.
    pub(crate) const fn request(&self) -> &Request {
        &self.request
    }

    /// Layers and steps that give numbers.
    pub(crate) fn units(&self) -> u64 {
        units(&self.plan.lanes)
    }

    /// What it costs.
    pub(crate) const fn cost(&self) -> Cost {
        self.plan.cost
    }

    /// Its lanes, and what is known of them.
    pub(crate) const fn as_planned(&self) -> &Plan {
        &self.plan
    }

    /// The run's files.
    pub(crate) const fn files(&self) -> &Place {
        &self.place
    }

    /// Lanes under way at the same time, at most.
    pub(crate) fn lanes_at_once(&self) -> usize {
        let lanes = self.plan.split(self.request.threads).len();
        self.reading_threads().min(lanes)
    }

    /// Its results with these numbers.
    pub(crate) fn results(&self, series: SeriesSet) -> Results {
        let Request { name, config, .. } = &self.request;
        let source = self.source();
        let mut results = results::planned(name, &source, config, &self.run, &self.plan);
        results.program = PROGRAM.to_owned();
        results.inputs = identity::of_inputs(&self.plan, &self.place);
        results.series = series;
        results.sort();
        results.tell_unreadable();
        results
    }

    /// What results call the run: its own name, whatever path led to it, or the repository with
    /// the commit that was read.
    fn source(&self) -> String {
        let (Place::Hub(tree), Address::Hub(address)) = (&self.place, &self.request.address) else {
            return self.request.source.clone();
        };
        tree.pin().map_or_else(
            || self.request.given.clone(),
            |commit| format!("{}@{commit}", address.repository),
        )
    }

    /// Where the run lies, however it was given.
    pub(crate) fn place(&self) -> String {
        self.request.address.place()
    }

    /// What the results are made of: equal for the same config and the same bytes.
    pub(crate) fn made_of(&self) -> String {
        identity::of_analysis(&self.request.config, &self.plan, &self.place)
    }

    /// Takes a folder that nobody else has: the wanted one, or that with a number behind it.
    pub(crate) fn take_free_folder(&mut self) -> Result<()> {
        let (name, folder) = (&self.request.name, &self.request.folder);
        let (name, folder) = output::take_free(name, folder)?;
        (self.request.name, self.request.folder) = (name, folder);
        Ok(())
    }

    /// Threads that run lanes. While one waits for the network others compute, so there are more
    /// of them than cores then.
    fn reading_threads(&self) -> usize {
        match self.place {
            Place::Folder(_) | Place::Confined(_) => self.request.threads,
            Place::Hub(_) => self.request.threads.max(REQUESTS_AT_ONCE),
        }
    }

    /// Makes the folder of results, and opens the journal at `path`.
    pub(crate) fn open_journal(&self, path: &Path, resume: Resume) -> Result<Journal> {
        output::prepare(&self.request.folder)?;
        self.journal_in(LockedFile::take(path)?, resume)
    }

    /// Opens the journal in a file.
    pub(crate) fn journal_in(&self, file: LockedFile, resume: Resume) -> Result<Journal> {
        let units = identity::of_units(&self.plan, &self.place);
        let work = Work {
            config: identity::of_config(&self.request.config),
            place: self.place(),
        };
        Journal::open(file, work, units, resume)
    }

    /// Computes what the journal does not have, and writes the results; none when the person
    /// stopped it.
    pub(crate) fn run(
        &self,
        journal: &mut Journal,
        reporter: &mut Reporter<'_>,
        executor: &Executor,
    ) -> Result<Option<Results>> {
        let resumed_units = journal.finished.len() as u64;
        let lanes = remaining(&self.plan, self.request.threads, journal);
        let computed = self.compute(&lanes, journal, reporter, executor);
        reporter.finish();
        let Some(read_bytes) = computed? else {
            return Ok(None);
        };
        let results = self.results(std::mem::take(&mut journal.series));
        say_unread(&results, self.plan.warnings.len(), reporter)?;
        let report = RunReport {
            program: results.program.clone(),
            run: self.request.given.clone(),
            place: self.place(),
            made_of: self.made_of(),
            started: rfc3339(&self.request.started),
            seconds: reporter.elapsed().as_secs_f64(),
            threads: self.request.threads,
            read_bytes,
            flops: self.plan.cost.work.operations(),
            peak_bytes_per_thread: self.plan.cost.peak_bytes,
            records: results.series.numbers() as u64,
            resumed_units,
            network: self.place.traffic().map(TrafficReport::of),
        };
        write_files(&self.request.folder, &results, &report)?;
        say_results(reporter, &results.series, &self.request.folder);
        Ok(Some(results))
    }

    /// Runs the lanes; the tensor bytes read, or `None` when the person stopped it.
    fn compute(
        &self,
        lanes: &[Lane],
        journal: &mut Journal,
        reporter: &mut Reporter<'_>,
        executor: &Executor,
    ) -> Result<Option<u64>> {
        let done = journal.finished.len() as u64;
        reporter.start(units(lanes) + done, done);
        let (tree, threads) = (self.place.tree(), self.reading_threads());
        let read_bytes = lanes::run_units(lanes, tree, threads, executor, |progress, numbers| {
            journal.add(progress, numbers)?;
            reporter.advance();
            Ok(())
        })?;
        Ok((!executor.is_stopped()).then_some(read_bytes))
    }

    /// Says what will be computed, and what was skipped or assumed.
    pub(crate) fn say_plan(&self, reporter: &mut Reporter<'_>) {
        for warning in &self.plan.warnings {
            reporter.warn(warning);
        }
        reporter.say(&self.plan_in_words());
    }

    /// `12 layers and tensors outside of layers at 3 steps: 3600 numbers from 33 MiB`.
    pub(crate) fn plan_in_words(&self) -> String {
        let (cost, plan) = (&self.plan.cost, &self.plan);
        let (outside, layers): (Vec<&Lane>, Vec<&Lane>) =
            plan.lanes.iter().partition(|lane| lane.layer.is_none());
        let layers = (!layers.is_empty()).then(|| counted(layers.len() as u64, "layer"));
        let outside = (!outside.is_empty()).then(|| "tensors outside of layers".to_owned());
        let parts: Vec<String> = layers.into_iter().chain(outside).collect();
        format!(
            "{} at {}: {} from {}",
            parts.join(" and "),
            counted(plan.steps.len() as u64, "step"),
            counted(cost.numbers, "number"),
            bytes(cost.read_bytes)
        )
    }

    /// What will be skipped or assumed.
    pub(crate) fn plan_warnings(&self) -> &[String] {
        &self.plan.warnings
    }
}

/// The steps of a repository that are listed: those that the plan reads. Of a run that has none of
/// them the last is, so that the plan can say what there is.
fn steps_listed(config: &Config, all: &[u64]) -> BTreeSet<u64> {
    let read = plan::steps_read(config, all);
    if read.is_empty() {
        all.last().copied().into_iter().collect()
    } else {
        read
    }
}

/// A config that does not fit its run is misuse; files that cannot be read are a failure.
fn misfit(errors: &PlanErrors, request: &Request) -> Misfit {
    let is_unreadable = |problem: &PlanProblem| matches!(problem, PlanProblem::Unreadable { .. });
    let is_misuse = !errors.0.iter().all(is_unreadable);
    let (config, run) = (&request.config_name, &request.given);
    let message = if is_misuse {
        format!("{config} does not fit {run}:\n{errors}")
    } else {
        format!(
            "{run} cannot be read:\n{errors}\n\
             leave these steps out of `steps`, or mend their files"
        )
    };
    Misfit {
        message,
        problems: errors.problems(),
        is_misuse,
    }
}

/// Layers and steps that give numbers.
pub(crate) fn units(lanes: &[Lane]) -> u64 {
    let steps = lanes.iter().flat_map(|lane| &lane.steps);
    steps.filter(|step| step.recorded).count() as u64
}

/// The lanes without what is finished, split over the threads; a finished target is still read for
/// what is compared.
fn remaining(plan: &Plan, threads: usize, journal: &Journal) -> Vec<Lane> {
    let mut plan = plan.clone();
    for lane in &mut plan.lanes {
        let layer = lane.layer;
        lane.forget(|step| journal.finished.contains(&(layer, step)));
    }
    plan.lanes
        .retain(|lane| lane.steps.iter().any(|step| step.recorded));
    plan.split(threads)
}

/// Nothing could be read, so that another attempt at the same files would find the same.
#[derive(Debug, thiserror::Error)]
#[error("nothing could be read; {0}")]
pub(crate) struct NothingRead(String);

/// Says which steps proved broken while they were read; `planned` of the warnings were told before.
///
/// # Errors
/// When nothing could be read at all.
pub(crate) fn say_unread(
    results: &Results,
    planned: usize,
    reporter: &mut Reporter<'_>,
) -> Result<()> {
    let mut found_later = results.warnings.iter().skip(planned);
    for warning in found_later.clone() {
        reporter.warn(warning);
    }
    let is_unread = |status: Option<&Status>| status.is_some_and(|it| *it.code == *UNREADABLE);
    let mut statuses = results.rows().map(|(_, point)| point.status);
    match found_later.next() {
        Some(first) if statuses.all(is_unread) => Err(NothingRead(first.clone()).into()),
        _ => Ok(()),
    }
}

/// Writes every file of an analysis but its log. The first says which others there are, so that
/// whoever is killed meanwhile leaves nothing that nobody knows of.
pub(crate) fn write_files(folder: &Path, results: &Results, run: &RunReport) -> Result<()> {
    let mut files = results.files()?;
    files.sort_by_key(|file| file.path != results_file::FILE_NAME);
    output::write_all(folder, &files)?;
    output::write(&folder.join(parquet::FILE_NAME), &parquet::of(results)?)?;
    report::write(results, &folder.join(report::FILE_NAME))?;
    let mut run = serde_json::to_vec_pretty(run)?;
    run.push(b'\n');
    output::write(&folder.join(output::RUN_REPORT), &run)
}

/// Writes what was said; what an interrupted computation said stays before it.
pub(crate) fn write_log(folder: &Path, reporter: &Reporter<'_>, earlier: Earlier) -> Result<()> {
    let path = folder.join(output::LOG);
    let mut log = match earlier {
        Earlier::TakenOver { .. } => fs::read_to_string(&path).unwrap_or_default(),
        Earlier::Nothing | Earlier::Discarded => String::new(),
    };
    log.push_str(reporter.log());
    output::write(&path, log.as_bytes())
}

/// The code of what is said of matrices without an entry that is not zero.
const ALL_ZERO: &str = "all_zero";

/// Says how many numbers there are, and where.
pub(crate) fn say_results(reporter: &mut Reporter<'_>, series: &SeriesSet, folder: &Path) {
    let of_all = counted(series.numbers() as u64, "number");
    let undefined = series.undefined();
    if undefined > 0 && undefined < series.numbers() {
        reporter.say(&format!(
            "{undefined} of {of_all} are undefined; the `status` column of the CSV files says why"
        ));
    }
    let points = series.iter().flat_map(|series| series.points());
    let of_zeros = |status: Option<&Status>| status.is_some_and(|it| *it.code == *ALL_ZERO);
    let zeros = points.filter(|point| point.value.is_some() && of_zeros(point.status));
    match zeros.count() {
        0 => {}
        zeros => reporter.say(&format!(
            "{zeros} of {of_all} are of matrices that have nothing but zeros: such as a model \
             begins with, or a file that was not written to its end; the `status` column of the \
             CSV files says which"
        )),
    }
    let elapsed = duration(reporter.elapsed());
    reporter.say(&format!("{of_all} in {elapsed}: {}", folder.display()));
}

/// What came of an analysis, for whoever started it: results without one number are a failure,
/// though they are written and say why.
pub(crate) fn outcome_of(results: &Results) -> Result<Outcome> {
    let numbers = results.series.numbers();
    ensure!(
        numbers == 0 || results.series.undefined() < numbers,
        "no number is defined, of {}; the `status` column of the CSV files says why",
        counted(numbers as u64, "number")
    );
    Ok(Outcome::Done)
}

/// `1 step`, `2 steps`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
