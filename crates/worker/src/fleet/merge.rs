//! `worker merge`: the journals of all attempts to the files that one machine would have written.
//!
//! A layer-step counts once, whoever computed it, and only if it was made of what was planned. Where
//! one is missing nothing is written, and what is missing is said.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use ckptscope_analysis::{Config, Registry};
use ckptscope_protocol::service::FinishedUnit;
use ckptscope_results::{Results, SeriesSet};

use super::attempt::{Told, attempts, journals};
use super::folder::Folder;
use super::index::shards_in_words;
use super::plan_file::PlanFile;
use crate::analysis::{Request, counted, outcome_of, say_results, say_unread, write_files};
use crate::arguments::MergeArguments;
use crate::earlier_results::{EarlierResults, NewAnalysis, WITHOUT_CONFIG};
use crate::executor::Executor;
use crate::identity::Unit;
use crate::locked_file::LockedFile;
use crate::output::{self, RunReport};
use crate::place::Address;
use crate::progress::{Reporter, Terminal};
use crate::wandb::{self, Home};
use crate::{Outcome, console, journal, pico_labs};

/// Shards that a message counts one by one, at most.
const SHARDS_IN_MESSAGE: usize = 8;

/// Runs the command.
pub(crate) fn run(arguments: &MergeArguments) -> Result<Outcome> {
    let mut terminal = Terminal::new(arguments.quiet);
    let mut reporter = Reporter::new(&mut terminal);
    let folder = Folder::at(&arguments.folder)?;
    let plan = PlanFile::read(&folder)?;
    let mut merged = Merged::whole(&folder, &plan, &mut reporter)?;
    let into = match &arguments.output_dir {
        Some(into) => into.join(&plan.results.analysis_name),
        None => folder.results().join(&plan.results.analysis_name),
    };
    let config = Config::parse(&plan.results.config, &Registry::default());
    let config =
        config.map_err(|errors| anyhow!("the submitted config is not valid:\n{errors}"))?;
    let _lock = LockedFile::in_folder(&into, journal::FILE_NAME)?;
    let new = NewAnalysis {
        config: &config,
        sources: [&plan.results.source, &plan.given],
        place: plan.place.clone(),
        made_of: plan.made_of.clone(),
        planned: plan.results.clone(),
        advice: WITHOUT_CONFIG,
    };
    let earlier = EarlierResults::to_be_replaced(&into, &new, arguments.overwrite)?;
    let results = merged.results(&plan, &mut reporter)?;
    // The journals still have everything.
    earlier.map_or(Ok(()), |earlier| earlier.remove(&BTreeSet::new()))?;
    merged.write(&plan, &results, &into, &mut reporter)?;
    send(&plan, config, &results, &into, &mut reporter)?;
    output::write(&into.join(output::LOG), reporter.log().as_bytes())?;
    console::print(&format!("{}\n", into.display()))?;
    outcome_of(&results)
}

/// What the attempts have told together.
pub(super) struct Merged {
    finished: BTreeSet<Unit>,
    series: SeriesSet,
    read_bytes: u64,
    warnings: Vec<String>,
}

impl Merged {
    /// All layer-steps, with a word about what is odd in their journals.
    ///
    /// # Errors
    /// Where one is missing, or a journal cannot be read.
    pub(super) fn whole(
        folder: &Folder,
        plan: &PlanFile,
        reporter: &mut Reporter<'_>,
    ) -> Result<Self> {
        let merged = Self::of(folder, plan)?;
        for warning in &merged.warnings {
            reporter.warn(warning);
        }
        merged.refuse_half(plan, folder)?;
        Ok(merged)
    }

    /// Writes every file of the results but their log.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub(super) fn write(
        &self,
        plan: &PlanFile,
        results: &Results,
        into: &Path,
        reporter: &mut Reporter<'_>,
    ) -> Result<()> {
        output::prepare(into)?;
        write_files(into, results, &self.report(plan, results, reporter))?;
        say_results(reporter, &results.series, into);
        Ok(())
    }

    fn of(folder: &Folder, plan: &PlanFile) -> Result<Self> {
        let planned = plan.by_unit();
        let journals = journals(folder)?;
        let mut gathering = Gathering::default();
        for shard in 0..plan.shards.len() {
            for told in attempts(&journals, shard, &plan.config)? {
                gathering.add(told, &|unit, made_of| {
                    planned.get(&unit).is_some_and(|it| it.made_of == *made_of)
                });
            }
        }
        let warnings = gathering.warnings();
        let Gathering {
            numbers,
            read_bytes,
            ..
        } = gathering;
        let mut merged = Self {
            finished: numbers.keys().copied().collect(),
            series: SeriesSet::default(),
            read_bytes,
            warnings,
        };
        for (_, unit) in numbers {
            merged.series.extend(unit.numbers.0);
        }
        Ok(merged)
    }

    /// Nobody takes a half for the whole.
    ///
    /// # Errors
    /// That something is missing, where, and what to do.
    fn refuse_half(&self, plan: &PlanFile, folder: &Folder) -> Result<()> {
        let units = plan.units.iter();
        let missing = units.filter(|unit| !self.finished.contains(&(unit.layer, unit.step)));
        let mut by_shard: BTreeMap<usize, u64> = BTreeMap::new();
        for unit in missing {
            *by_shard.entry(unit.shard).or_default() += 1;
        }
        if by_shard.is_empty() {
            return Ok(());
        }
        let count: u64 = by_shard.values().sum();
        let of_shard = |(shard, missing): (&usize, &u64)| {
            let all = plan.shards.get(*shard).map_or(0, |outline| outline.units);
            format!("shard {shard}: {missing} of {all}")
        };
        let mut shards: Vec<String> = by_shard.iter().map(of_shard).collect();
        let more = shards.len().saturating_sub(SHARDS_IN_MESSAGE);
        shards.truncate(SHARDS_IN_MESSAGE);
        if more > 0 {
            shards.push(format!("{more} shards more"));
        }
        let numbers: Vec<usize> = by_shard.keys().copied().collect();
        let (all, shown) = (plan.units.len(), folder.path().display());
        bail!(
            "{count} of {} are missing, so nothing is written ({})\n\
             compute {} with `worker shard {shown} --index N`, or submit them again with \
             `worker submit --again {shown}`; `worker status {shown}` says what became of them",
            counted(all as u64, "layer-step"),
            shards.join("; "),
            shards_in_words(&numbers),
        );
    }

    /// Everything, with the numbers, which are in no two places: they can be had once.
    ///
    /// # Errors
    /// Where nothing could be read at all.
    pub(super) fn results(
        &mut self,
        plan: &PlanFile,
        reporter: &mut Reporter<'_>,
    ) -> Result<Results> {
        let mut results = plan.results.clone();
        results.series = std::mem::take(&mut self.series);
        results.sort();
        results.tell_unreadable();
        say_unread(&results, plan.results.warnings.len(), reporter)?;
        Ok(results)
    }
}

/// What is gathered of journals.
#[derive(Default)]
struct Gathering {
    numbers: BTreeMap<Unit, FinishedUnit>,
    read_bytes: u64,
    processors: BTreeSet<String>,
    differing: usize,
    damaged: Vec<(PathBuf, usize)>,
    foreign: Vec<PathBuf>,
}

impl Gathering {
    /// Takes what an attempt told of what was planned; of what another told already, only whether
    /// it says the same.
    fn add(&mut self, told: Told<FinishedUnit>, is_planned: &dyn Fn(Unit, &String) -> bool) {
        let mut has_foreign = false;
        if told.damaged > 0 {
            self.damaged.push((told.path.clone(), told.damaged));
        }
        if let Some(head) = told.head.filter(|_| !told.units.is_empty()) {
            self.processors.insert(head.at.processor);
        }
        for unit in told.units {
            let key = (unit.progress.layer, unit.progress.step);
            self.read_bytes += unit.progress.read_bytes;
            if !is_planned(key, &unit.made_of) {
                has_foreign = true;
                continue;
            }
            match self.numbers.get(&key) {
                Some(known) => self.differing += usize::from(known.numbers != unit.numbers),
                None => drop(self.numbers.insert(key, unit)),
            }
        }
        if has_foreign {
            self.foreign.push(told.path);
        }
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for (path, lines) in &self.damaged {
            warnings.push(format!(
                "{}: {} damaged and passed over",
                path.display(),
                counted(*lines as u64, "line")
            ));
        }
        for path in &self.foreign {
            warnings.push(format!(
                "{} tells of layer-steps that were not planned so; they are passed over",
                path.display()
            ));
        }
        if self.differing > 0 {
            warnings.push(format!(
                "{} computed twice with other numbers; those of the first attempt count",
                counted(self.differing as u64, "layer-step")
            ));
        }
        if self.processors.len() > 1 {
            let kinds: Vec<&str> = self.processors.iter().map(String::as_str).collect();
            warnings.push(format!(
                "shards were computed on processors of different kinds ({}): numbers may differ \
                 in their last digits from those of one machine",
                kinds.join(", ")
            ));
        }
        warnings
    }
}

impl Merged {
    fn report(&self, plan: &PlanFile, results: &Results, reporter: &Reporter<'_>) -> RunReport {
        RunReport {
            program: results.program.clone(),
            run: plan.given.clone(),
            place: plan.place.clone(),
            made_of: plan.made_of.clone(),
            started: plan.submitted.clone(),
            seconds: reporter.elapsed().as_secs_f64(),
            threads: plan.threads,
            read_bytes: self.read_bytes,
            flops: plan.cost.work.operations(),
            peak_bytes_per_thread: plan.cost.peak_bytes,
            records: results.series.numbers() as u64,
            resumed_units: self.finished.len() as u64,
            network: None,
        }
    }
}

/// Sends the results to whom the config names.
fn send(
    plan: &PlanFile,
    config: Config,
    results: &Results,
    into: &Path,
    reporter: &mut Reporter<'_>,
) -> Result<()> {
    let executor = Executor::start(Arc::default())?;
    let request = Request {
        started: plan.submitted_at(),
        config,
        config_name: plan.config_name.clone(),
        given: plan.given.clone(),
        source: plan.results.source.clone(),
        address: Address::Path(PathBuf::from(&plan.place)),
        name: plan.results.analysis_name.clone(),
        folder: into.to_owned(),
        threads: plan.threads,
    };
    let home = Home {
        folder: into,
        id: None,
    };
    wandb::save(&request, results, &home, reporter, &executor);
    pico_labs::send(&request.config, results, reporter, &executor);
    Ok(())
}
