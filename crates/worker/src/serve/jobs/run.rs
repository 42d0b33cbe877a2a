//! One analysis from its turn to its end, on a thread of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use anyhow::{Context, Result, anyhow};
use ckptscope_analysis::{Config, Registry};
use ckptscope_protocol::service::{Phase, Planned};
use ckptscope_results::SeriesSet;
use ckptscope_wandb::RunId;
use jiff::Zoned;

use super::{Job, Jobs, end_as, fail, now};
use crate::analysis::{Analysis, Request};
use crate::journal::Resume;
use crate::pico_labs;
use crate::progress::{Reporter, Watcher};
use crate::serve::Server;
use crate::serve::source::Located;
use crate::wandb::{self, Home};
use crate::{Outcome, console};

/// Runs it; when it is over the next one's turn comes.
pub(super) fn start(server: &Arc<Server>, job: &Arc<Job>) {
    let own = Arc::clone(server);
    let name = format!("analysis {}", job.info().id);
    let started = thread::Builder::new().name(name).spawn({
        let job = Arc::clone(job);
        move || {
            run(&own, &job);
            own.jobs.left(&job);
            Jobs::start(&own);
        }
    });
    if let Err(error) = started {
        let message = format!("no thread could be started: {error}");
        note(server.jobs.change(job, fail(&message)));
        server.jobs.left(job);
    }
}

fn run(server: &Server, job: &Job) {
    let caught = catch_unwind(AssertUnwindSafe(|| compute(server, job)));
    let outcome = caught.unwrap_or_else(|_| {
        Err(anyhow!(
            "this program has a mistake in it, which the server's messages show"
        ))
    });
    let is_cancelled = job.is_cancelled.load(Ordering::Relaxed);
    let changed = match outcome {
        Ok(Outcome::Done) => server.jobs.change(job, end_as(Phase::Done)),
        Ok(Outcome::Interrupted) if is_cancelled => {
            server.jobs.change(job, end_as(Phase::Cancelled))
        }
        // The server ends; the next one goes on.
        Ok(Outcome::Interrupted | Outcome::PutOff) => {
            server.jobs.change(job, |info| info.phase = Phase::Queued)
        }
        Err(error) => {
            let message = in_words(&error);
            console::say(&format!("analysis {} failed: {message}", job.info().id));
            server.jobs.change(job, fail(&message))
        }
    };
    note(changed);
}

/// An error and its causes, but those that it tells of by itself.
fn in_words(error: &anyhow::Error) -> String {
    let mut words = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !words.contains(&cause) {
            words = if words.is_empty() {
                cause
            } else {
                format!("{words}: {cause}")
            };
        }
    }
    words
}

/// What cannot be written down is said at least.
fn note(changed: Result<()>) {
    if let Err(error) = changed {
        console::say(&format!("error: {error:#}"));
    }
}

fn compute(server: &Server, job: &Job) -> Result<Outcome> {
    let executor = server.executor.for_other_work(job.fresh_stop());
    if server.jobs.is_closing() {
        return Ok(Outcome::Interrupted);
    }
    server.jobs.change(job, |info| {
        (info.phase, info.began) = (Phase::Planning, Some(now()));
        info.message = None;
    })?;
    let Some(analysis) = Analysis::plan(request(server, job)?, &executor)? else {
        return Ok(Outcome::Interrupted);
    };
    server.machine.check_memory(&analysis)?;
    let id = job.info().id;
    let own = server.data.analyses().join(&id);
    wandb::prepare(&analysis.request().config, &own)?;
    keep_plan(server, job, &analysis)?;
    let path = server.data.journal(&id);
    let mut journal = analysis.open_journal(&path, Resume::OrStartOver)?;
    let units = journal.finished.len() as u64;
    job.live
        .send_modify(|live| live.generation = journal.generation);
    server.jobs.change(job, |info| {
        (info.phase, info.units, info.of_units) = (Phase::Running, units, analysis.units());
        info.cost = Some(analysis.cost());
    })?;
    let mut listeners = Listeners(job);
    let mut reporter = Reporter::new(&mut listeners);
    analysis.say_plan(&mut reporter);
    let results = analysis.run(&mut journal, &mut reporter, &executor);
    let outcome = match &results {
        Ok(Some(results)) => {
            let home = Home {
                folder: &own,
                // However often it is killed and gone on with, it is one run.
                id: Some(RunId::new(&id)?),
            };
            let saved = wandb::save(analysis.request(), results, &home, &mut reporter, &executor);
            pico_labs::send(
                &analysis.request().config,
                results,
                &mut reporter,
                &executor,
            );
            if let Some(saved) = saved {
                note(server.jobs.change(job, |info| {
                    info.message = Some(saved.words().to_owned());
                }));
            }
            Outcome::Done
        }
        Ok(None) => Outcome::Interrupted,
        Err(error) => {
            reporter.note(&format!("error: {error:#}"));
            Outcome::Interrupted
        }
    };
    let log = analysis.write_log(&reporter, journal.earlier);
    results?;
    log?;
    Ok(outcome)
}

/// What is asked for, of a run as it is now.
fn request(server: &Server, job: &Job) -> Result<Request> {
    let info = job.info();
    let text = server
        .store
        .config(&info.id)?
        .context("its config is lost")?;
    let config = Config::parse(&text, &Registry::default());
    let config = config.map_err(|errors| anyhow!("its config is not valid any more:\n{errors}"))?;
    let Located {
        address,
        shown,
        name: source,
    } = server.locate(&info.source)?;
    Ok(Request {
        started: Zoned::now(),
        config,
        config_name: "the config".to_owned(),
        address,
        source,
        given: shown,
        name: job.folder.clone(),
        folder: server.folder_of(&info.id, &job.folder),
        threads: server.threads,
    })
}

/// Keeps the plan for those who ask later; tells of it where it is another than before.
fn keep_plan(server: &Server, job: &Job, analysis: &Analysis) -> Result<()> {
    let planned = planned(analysis)?;
    let id = job.info().id;
    if server.store.plan(&id)?.as_ref() != Some(&planned) {
        server.store.set_plan(&id, &planned)?;
        job.live.send_modify(|live| live.plans += 1);
    }
    Ok(())
}

/// A plan as it is told.
pub(in crate::serve) fn planned(analysis: &Analysis) -> Result<String> {
    let planned = Planned {
        cost: analysis.cost(),
        units: analysis.units(),
        results: analysis.results(SeriesSet::default()),
    };
    Ok(serde_json::to_string(&planned)?)
}

/// Those who watch a job.
struct Listeners<'a>(&'a Job);

impl Watcher for Listeners<'_> {
    fn say(&mut self, _: &str) {}

    fn start(&mut self, _: u64, _: u64) {}

    fn advance(&mut self) {
        self.0.live.send_modify(|live| live.info.units += 1);
    }

    fn finish(&mut self) {}
}
