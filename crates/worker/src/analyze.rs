//! `worker analyze`: a config and a run to numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::future::ready;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result, anyhow};
use futures_util::stream::{self, StreamExt};
use jiff::Zoned;
use trainscope_analysis::config::{StepSelection, Target};
use trainscope_analysis::plan::{Catalogs, PlanProblem};
use trainscope_analysis::protocol::{Event, Progress, Record};
use trainscope_analysis::results::Results;
use trainscope_analysis::{Config, Lane, Plan, PlanErrors, Registry};
use trainscope_checkpoint::http::client::REQUESTS_AT_ONCE;
use trainscope_checkpoint::{DataKind, Part, Run, Split, Tree};

use crate::arguments::AnalyzeArguments;
use crate::executor::Executor;
use crate::find::find_run;
use crate::journal::{Earlier, Journal};
use crate::output::{self, RunReport, TrafficReport};
use crate::place::{Address, Place};
use crate::progress::{Reporter, bytes, duration};
use crate::{INTERRUPTED, Misuse, Outcome, identity, lanes};

/// Runs the command.
pub(crate) fn run(arguments: &AnalyzeArguments) -> Result<Outcome> {
    let mut reporter = Reporter::new();
    let executor = Executor::start(stop_on_signal(&reporter)?)?;
    let Some(analysis) = Analysis::prepare(arguments, &executor)? else {
        return Ok(Outcome::Interrupted);
    };
    let mut journal = analysis.open_journal()?;
    let outcome = analysis.run(&mut journal, &mut reporter, &executor);
    if let Err(error) = &outcome {
        reporter.note(&format!("error: {error:#}"));
    }
    let log = analysis.write_log(&reporter, journal.earlier);
    let outcome = outcome?;
    log?;
    if outcome == Outcome::Done {
        journal.remove()?;
    }
    Ok(outcome)
}

/// An analysis of which everything is known but its numbers.
struct Analysis<'a> {
    arguments: &'a AnalyzeArguments,
    started: Zoned,
    address: Address,
    config: Config,
    run: Run,
    place: Place,
    plan: Plan,
    name: String,
    folder: PathBuf,
    threads: usize,
}

impl<'a> Analysis<'a> {
    /// Reads the config and the directories of the run's files, and makes the folder of results;
    /// none when the person stopped it.
    fn prepare(arguments: &'a AnalyzeArguments, executor: &Executor) -> Result<Option<Self>> {
        let started = Zoned::now();
        let config = read_config(&arguments.config)?;
        let address = Address::of(&arguments.source)?;
        let planned = executor.block_on(async {
            let wants = |all: &[u64], step| is_read(&config, all, step);
            let (run, place) = find_run(&address, executor, wants).await?;
            let catalogs = read_catalogs(&config, &run, place.tree()).await;
            let plan = Plan::make_again(&config, &run, place.tree(), &catalogs).await;
            let plan = plan.map_err(|errors| misfit(&errors, arguments, &address))?;
            anyhow::Ok((run, place, plan))
        });
        let Some(planned) = planned else {
            return Ok(None);
        };
        let (run, place, plan) = planned?;
        let name = analysis_name(&config, arguments, &address, &started)?;
        let folder = output_folder(arguments, &config).join(&name);
        output::prepare(&folder)?;
        Ok(Some(Self {
            arguments,
            started,
            address,
            config,
            run,
            place,
            plan,
            name,
            folder,
            threads: threads(arguments),
        }))
    }

    /// Threads that run lanes. While one waits for the network others compute, so there are more
    /// of them than cores then.
    fn reading_threads(&self) -> usize {
        match self.place {
            Place::Folder(_) => self.threads,
            Place::Hub(_) => self.threads.max(REQUESTS_AT_ONCE),
        }
    }

    fn open_journal(&self) -> Result<Journal> {
        let units = identity::of_units(&self.plan, &self.place);
        let config = identity::of_config(&self.config);
        Journal::open(&self.folder, &config, units, self.arguments.resume)
    }

    /// Computes what the journal does not have, and writes the results.
    fn run(
        &self,
        journal: &mut Journal,
        reporter: &mut Reporter,
        executor: &Executor,
    ) -> Result<Outcome> {
        let resumed_units = journal.finished.len() as u64;
        self.say_plan(reporter);
        self.say_earlier(journal.earlier, reporter);
        let lanes = remaining(&self.plan, self.threads, journal);
        let computed = self.compute(&lanes, journal, reporter, executor);
        reporter.finish();
        let Some(read_bytes) = computed.map_err(|error| self.with_advice(&error))? else {
            let (done, all) = (journal.finished.len(), units(&self.plan.lanes));
            let advice = self.advice();
            reporter.say(&format!(
                "interrupted after {done} of {all} layer-steps; {advice}"
            ));
            return Ok(Outcome::Interrupted);
        };
        let source = self.address.shown();
        let records = std::mem::take(&mut journal.records);
        let (config, run, plan) = (&self.config, &self.run, &self.plan);
        let results = Results::new(&self.name, &source, config, run, plan, records);
        let report = RunReport {
            program: results.program.clone(),
            started: self.started.to_string(),
            seconds: reporter.elapsed().as_secs_f64(),
            threads: self.threads,
            read_bytes,
            flops: self.plan.cost.flops,
            peak_bytes_per_thread: self.plan.cost.peak_bytes,
            records: results.records.len() as u64,
            resumed_units,
            network: self.place.traffic().map(TrafficReport::of),
        };
        self.write(&results, &report)
            .map_err(|error| self.with_advice(&error))?;
        say_results(reporter, &results.records, &self.folder);
        Ok(Outcome::Done)
    }

    /// Runs the lanes; the tensor bytes read, or `None` when the person stopped it.
    fn compute(
        &self,
        lanes: &[Lane],
        journal: &mut Journal,
        reporter: &mut Reporter,
        executor: &Executor,
    ) -> Result<Option<u64>> {
        let done = journal.finished.len() as u64;
        reporter.start(units(lanes) + done, done);
        let mut open: BTreeMap<(u64, u64), Vec<Record>> = BTreeMap::new();
        let mut read_bytes = 0;
        let (tree, threads) = (self.place.tree(), self.reading_threads());
        lanes::run(lanes, tree, threads, executor, |event| {
            match event {
                Event::Record(record) => {
                    let unit = (record.layer, record.step);
                    open.entry(unit).or_default().push(record);
                }
                Event::Progress(Progress {
                    layer,
                    step,
                    recorded,
                    read_bytes: read,
                }) => {
                    read_bytes += read;
                    if recorded {
                        journal.add(
                            layer,
                            step,
                            open.remove(&(layer, step)).unwrap_or_default(),
                        )?;
                        reporter.advance();
                    }
                }
                Event::Warning { message } => reporter.warn(&message),
                Event::Planned(_) | Event::Done => {}
            }
            Ok(())
        })?;
        Ok((!executor.is_stopped()).then_some(read_bytes))
    }

    fn write(&self, results: &Results, report: &RunReport) -> Result<()> {
        output::write_all(&self.folder, &results.files()?)?;
        let mut report = serde_json::to_vec_pretty(report)?;
        report.push(b'\n');
        output::write(&self.folder.join("run.json"), &report)
    }

    /// Writes what was said; what an interrupted computation said stays before it.
    fn write_log(&self, reporter: &Reporter, earlier: Earlier) -> Result<()> {
        let path = self.folder.join("analysis.log");
        let mut log = match earlier {
            Earlier::TakenOver { .. } => fs::read_to_string(&path).unwrap_or_default(),
            Earlier::Nothing | Earlier::Discarded => String::new(),
        };
        log.push_str(reporter.log());
        output::write(&path, log.as_bytes())
    }

    fn say_plan(&self, reporter: &mut Reporter) {
        for warning in &self.plan.warnings {
            reporter.warn(warning);
        }
        if self.config.monitoring.wandb.is_some() {
            reporter.warn("save_to_wandb: this version writes no Weights & Biases run; the files hold all its numbers");
        }
        let (cost, plan) = (&self.plan.cost, &self.plan);
        reporter.say(&format!(
            "{} at {}: {} from {}",
            counted(plan.lanes.len() as u64, "layer"),
            counted(plan.steps.len() as u64, "step"),
            counted(cost.records, "number"),
            bytes(cost.read_bytes)
        ));
    }

    fn say_earlier(&self, earlier: Earlier, reporter: &mut Reporter) {
        match earlier {
            Earlier::Nothing if self.arguments.resume => {
                reporter.say("nothing to resume here; starting from the beginning");
            }
            Earlier::Nothing => {}
            Earlier::Discarded => reporter.warn(
                "starting over: an unfinished analysis was here (--resume would have gone on with it)",
            ),
            Earlier::TakenOver { kept, outdated } => {
                let all = units(&self.plan.lanes);
                reporter.say(&format!("{kept} of {all} layer-steps are done already"));
                if outdated > 0 {
                    let outdated = counted(outdated as u64, "finished layer-step");
                    reporter.warn(&format!("{outdated} outdated: the files have changed since"));
                }
            }
        }
    }

    fn with_advice(&self, error: &anyhow::Error) -> anyhow::Error {
        anyhow!("{error:#}\n{}", self.advice())
    }

    /// What to do about an analysis that stopped.
    fn advice(&self) -> String {
        if self.config.analysis_name.is_some() {
            "what is done is kept: go on with --resume".to_owned()
        } else {
            "give the config an analysis_name, so that --resume can go on with what is done"
                .to_owned()
        }
    }
}

/// Reads the directories of the files that the plan will ask for, several at once: where each is a
/// journey over a network, they travel together. Those that cannot be read are left to the plan,
/// which says so of all of them.
async fn read_catalogs(config: &Config, run: &Run, tree: &dyn Tree) -> Catalogs {
    let steps: Vec<u64> = run.steps.iter().map(|step| step.number).collect();
    let needed: BTreeSet<(DataKind, Split)> = config
        .metrics
        .iter()
        .flat_map(|entry| entry.components.iter().map(|of| (entry.split, of)))
        .flat_map(|(split, of)| {
            let inputs = of.component.inputs(of.kind).into_iter();
            inputs.map(move |(kind, _)| (kind, split))
        })
        .collect();
    // What serves several kinds and splits is read once.
    let parts: BTreeMap<&[String], &Part> = run
        .steps
        .iter()
        .filter(|step| is_read(config, &steps, step.number))
        .flat_map(|step| {
            needed
                .iter()
                .map(move |(kind, split)| step.part(*kind, *split))
        })
        .flatten()
        .map(|part| (part.paths.as_slice(), part))
        .collect();
    let catalogs = Catalogs::default();
    let reads = parts.into_values().map(|part| catalogs.read(part, tree));
    let reads = stream::iter(reads).buffer_unordered(REQUESTS_AT_ONCE);
    reads.for_each(|_| ready(())).await;
    catalogs
}

/// Whether a step is computed or compared with.
fn is_read(config: &Config, all: &[u64], step: u64) -> bool {
    let is_computed = match &config.steps {
        StepSelection::All => true,
        StepSelection::List(steps) => steps.contains(&step),
    };
    let last = all.last().copied();
    let mut targets = config.metrics.iter().filter_map(|entry| entry.target);
    // The last step says what `last` means, whether or not it is read.
    is_computed || last == Some(step) || targets.any(|target| target == Target::Step(step))
}

fn read_config(path: &Path) -> Result<Config> {
    let shown = path.display();
    let text = fs::read_to_string(path)
        .map_err(|error| Misuse(format!("cannot read the config {shown}: {error}")))?;
    let config = Config::parse(&text, &Registry::default())
        .map_err(|errors| Misuse(format!("{shown} is not a valid config:\n{errors}")))?;
    Ok(config)
}

/// A config that does not fit its run is misuse; files that cannot be read are a failure.
fn misfit(errors: &PlanErrors, arguments: &AnalyzeArguments, address: &Address) -> anyhow::Error {
    let is_unreadable = |problem: &PlanProblem| matches!(problem, PlanProblem::Unreadable { .. });
    let (config, run) = (arguments.config.display(), address.shown());
    if errors.0.iter().all(is_unreadable) {
        return anyhow!(
            "{run} cannot be read:\n{errors}\n\
             copy or download these files again, or leave their steps out of `steps`"
        );
    }
    Misuse(format!("{config} does not fit {run}:\n{errors}")).into()
}

/// The config's name; else the run's and the time.
fn analysis_name(
    config: &Config,
    arguments: &AnalyzeArguments,
    address: &Address,
    now: &Zoned,
) -> Result<String> {
    if let Some(name) = &config.analysis_name {
        return Ok(name.clone());
    }
    if arguments.resume {
        return Err(Misuse(
            "--resume needs an analysis_name in the config: without one every analysis has a folder of its own"
                .to_owned(),
        )
        .into());
    }
    let run = address.file_name();
    Ok(format!("{run}-{}", now.strftime("%Y%m%d-%H%M%S")))
}

fn output_folder(arguments: &AnalyzeArguments, config: &Config) -> PathBuf {
    arguments
        .output_dir
        .clone()
        .unwrap_or_else(|| PathBuf::from(&config.monitoring.output_dir))
}

fn threads(arguments: &AnalyzeArguments) -> usize {
    let available = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
    arguments.threads.map_or_else(available, NonZeroUsize::get)
}

/// Layers and steps that give records.
fn units(lanes: &[Lane]) -> u64 {
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

/// The first Ctrl-C asks the lanes to stop, the second ends the program. The journal may end in
/// half a line then, which is passed over when it is gone on with.
fn stop_on_signal(reporter: &Reporter) -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let speaker = reporter.speaker();
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(INTERRUPTED));
        }
        speaker.say("stopping; Ctrl-C again ends at once");
    })
    .context("cannot listen for Ctrl-C")?;
    Ok(stop)
}

fn say_results(reporter: &mut Reporter, records: &[Record], folder: &Path) {
    let of_all = counted(records.len() as u64, "number");
    let undefined = records
        .iter()
        .filter(|record| record.value.is_none())
        .count();
    if undefined > 0 {
        reporter.say(&format!(
            "{undefined} of {of_all} are undefined; the `status` column of the CSV files says why"
        ));
    }
    let elapsed = duration(reporter.elapsed());
    reporter.say(&format!("{of_all} in {elapsed}: {}", folder.display()));
}

/// `1 step`, `2 steps`.
fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
