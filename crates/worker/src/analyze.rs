//! `worker analyze`: a config and a run to numbers.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result};
use jiff::Zoned;
use trainscope_analysis::protocol::{Event, Progress, Record};
use trainscope_analysis::results::Results;
use trainscope_analysis::{Config, Lane, Plan, Registry};
use trainscope_checkpoint::Run;
use trainscope_checkpoint::local::LocalTree;

use crate::arguments::AnalyzeArguments;
use crate::journal::{Journal, fingerprint};
use crate::output::{self, RunReport};
use crate::progress::{Reporter, bytes, duration};
use crate::{Misuse, Outcome, lanes};

/// Runs the command.
pub(crate) fn run(arguments: &AnalyzeArguments) -> Result<Outcome> {
    let started = Zoned::now();
    let mut reporter = Reporter::new();
    let config = read_config(&arguments.config)?;
    let tree = LocalTree::scan(&arguments.run_path)?;
    let run = pollster::block_on(Run::find(&tree))?;
    let plan = pollster::block_on(Plan::make(&config, &run, &tree)).map_err(|errors| {
        Misuse(format!(
            "{} does not fit {}:\n{errors}",
            arguments.config.display(),
            arguments.run_path.display()
        ))
    })?;
    let name = analysis_name(&config, &arguments.run_path, &started, arguments.resume)?;
    let folder = output_folder(arguments, &config).join(&name);
    output::prepare(&folder)?;
    let mut journal = Journal::open(&folder, &fingerprint(&config, &tree), arguments.resume)?;
    let resumed_units = journal.finished.len() as u64;
    say_plan(&mut reporter, &config, &plan, resumed_units);

    let threads = threads(arguments);
    let lanes = remaining(plan.split(threads), &journal);
    let read_bytes = compute(&lanes, &tree, threads, &mut journal, &mut reporter)?;
    let Some(read_bytes) = read_bytes else {
        reporter.finish();
        reporter.say(&format!(
            "interrupted after {} of {} layer-steps; go on with --resume",
            journal.finished.len(),
            units(&plan)
        ));
        return Ok(Outcome::Interrupted);
    };

    let source = arguments.run_path.display().to_string();
    let results = Results::new(
        &name,
        &source,
        &config,
        &run,
        &plan,
        journal.records.clone(),
    );
    let report = RunReport {
        program: results.program.clone(),
        started: started.to_string(),
        seconds: reporter.elapsed().as_secs_f64(),
        threads,
        read_bytes,
        flops: plan.cost.flops,
        peak_bytes_per_thread: plan.cost.peak_bytes,
        records: results.records.len() as u64,
        resumed_units,
    };
    output::write_all(&folder, &results.files()?)?;
    output::write(
        &folder.join("run.json"),
        &serde_json::to_vec_pretty(&report)?,
    )?;
    reporter.finish();
    say_results(&mut reporter, &results.records, &folder);
    output::write(&folder.join("analysis.log"), reporter.log().as_bytes())?;
    journal.remove()?;
    Ok(Outcome::Done)
}

fn read_config(path: &Path) -> Result<Config> {
    let text = fs::read_to_string(path).map_err(|error| {
        Misuse(format!(
            "cannot read the config {}: {error}",
            path.display()
        ))
    })?;
    Config::parse(&text, &Registry::default()).map_err(|errors| {
        Misuse(format!(
            "{} is not a valid config:\n{errors}",
            path.display()
        ))
        .into()
    })
}

/// The config's name; else the run's and the time.
fn analysis_name(config: &Config, run_path: &Path, now: &Zoned, resume: bool) -> Result<String> {
    if let Some(name) = &config.analysis_name {
        return Ok(name.clone());
    }
    if resume {
        return Err(Misuse(
            "--resume needs an analysis_name in the config: without one every analysis has a folder of its own"
                .to_owned(),
        )
        .into());
    }
    let run = fs::canonicalize(run_path).unwrap_or_else(|_| run_path.to_path_buf());
    let run = run
        .file_stem()
        .map_or_else(|| "run".into(), |name| name.to_string_lossy());
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

fn say_plan(reporter: &mut Reporter, config: &Config, plan: &Plan, resumed_units: u64) {
    for warning in &plan.warnings {
        reporter.warn(warning);
    }
    if config.monitoring.wandb.is_some() {
        reporter.warn("save_to_wandb: this version writes no Weights & Biases run; the files hold all its numbers");
    }
    let cost = &plan.cost;
    reporter.say(&format!(
        "{} layers at {} steps: {} numbers from {}",
        plan.lanes.len(),
        plan.steps.len(),
        cost.records,
        bytes(cost.read_bytes)
    ));
    if resumed_units > 0 {
        reporter.say(&format!(
            "{resumed_units} of {} layer-steps are done already",
            units(plan)
        ));
    }
}

/// Layers and steps that give records.
fn units(plan: &Plan) -> u64 {
    plan.lanes
        .iter()
        .flat_map(|lane| &lane.steps)
        .filter(|step| step.recorded)
        .count() as u64
}

/// The lanes without what is finished; a finished target is still read for what is compared.
fn remaining(mut lanes: Vec<Lane>, journal: &Journal) -> Vec<Lane> {
    for lane in &mut lanes {
        let layer = lane.layer;
        lane.forget(|step| journal.finished.contains(&(layer, step)));
    }
    lanes.retain(|lane| lane.steps.iter().any(|step| step.recorded));
    lanes
}

/// Runs the lanes; the tensor bytes read, or `None` when the person stopped it.
fn compute(
    lanes: &[Lane],
    tree: &LocalTree,
    threads: usize,
    journal: &mut Journal,
    reporter: &mut Reporter,
) -> Result<Option<u64>> {
    let stop = stop_on_signal()?;
    let left = lanes
        .iter()
        .flat_map(|lane| &lane.steps)
        .filter(|step| step.recorded)
        .count() as u64;
    let done = journal.finished.len() as u64;
    reporter.start(left + done, done);
    let mut open: BTreeMap<(u64, u64), Vec<Record>> = BTreeMap::new();
    let mut read_bytes = 0;
    let interrupted = Arc::clone(&stop);
    let result = lanes::run(lanes, tree, threads, &stop, |event| {
        match event {
            Event::Record(record) => {
                open.entry((record.layer, record.step))
                    .or_default()
                    .push(record);
            }
            Event::Progress(Progress {
                layer,
                step,
                recorded,
                read_bytes: read,
            }) => {
                read_bytes += read;
                if recorded {
                    journal.add(layer, step, open.remove(&(layer, step)).unwrap_or_default())?;
                    reporter.advance();
                }
            }
            Event::Warning { message } => reporter.warn(&message),
            Event::Planned(_) | Event::Done => {}
        }
        Ok(())
    });
    if let Err(error) = result {
        reporter.finish();
        return Err(
            error.context("the analysis stopped; what is done is kept, go on with --resume")
        );
    }
    Ok((!interrupted.load(Ordering::Relaxed)).then_some(read_bytes))
}

fn stop_on_signal() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed))
        .context("listening for Ctrl-C")?;
    Ok(stop)
}

fn say_results(reporter: &mut Reporter, records: &[Record], folder: &Path) {
    let undefined = records
        .iter()
        .filter(|record| record.value.is_none())
        .count();
    if undefined > 0 {
        reporter.say(&format!(
            "{undefined} of {} numbers are undefined; the `status` column of the CSV files says why",
            records.len()
        ));
    }
    let elapsed = duration(reporter.elapsed());
    reporter.say(&format!(
        "{} numbers in {elapsed}: {}",
        records.len(),
        folder.display()
    ));
}
