//! One analysis from its turn to its end, on a thread of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use anyhow::{Context, Result, anyhow};
use ckptscope_analysis::{Config, Registry};
use ckptscope_protocol::Cost;
use ckptscope_protocol::service::{Phase, Planned};
use ckptscope_results::{Results, SeriesSet};
use ckptscope_wandb::RunId;
use jiff::Zoned;

use super::{Job, Jobs, end_as, fail, now, slurm};
use crate::analysis::{Analysis, Request, write_log};
use crate::executor::Executor;
use crate::journal::{Earlier, Journal, Resume};
use crate::progress::{Reporter, Watcher};
use crate::serve::Server;
use crate::serve::engine::Engine;
use crate::serve::source::Located;
use crate::wandb::{self, Home};
use crate::{Outcome, console, fleet, pico_labs};

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
        Ok(Outcome::Interrupted) if is_cancelled => cancelled(server, job),
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

/// It was cancelled: nobody goes on with it at Slurm either.
fn cancelled(server: &Server, job: &Job) -> Result<()> {
    let own = server.data.analyses().join(job.info().id);
    let message = fleet::cancel(&own).err().map(|error| in_words(&error));
    let end = end_as(Phase::Cancelled);
    server.jobs.change(job, |info| {
        info.message.clone_from(&message);
        end(info);
    })
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
    let id = job.info().id;
    let turn = Turn {
        server,
        job,
        own: server.data.analyses().join(&id),
        id,
        executor,
    };
    match &server.engine {
        Engine::Here => turn.compute_here(),
        Engine::Slurm(order) => slurm::compute(&turn, order),
    }
}

/// An analysis whose turn has come.
pub(super) struct Turn<'a> {
    pub(super) server: &'a Server,
    pub(super) job: &'a Job,
    pub(super) id: String,
    /// The folder of everything that is its own.
    pub(super) own: PathBuf,
    /// Stops when the analysis is to stop.
    pub(super) executor: Executor,
}

impl Turn<'_> {
    fn compute_here(&self) -> Result<Outcome> {
        // What an earlier server handed to Slurm is computed here now.
        note(fleet::cancel(&self.own));
        let Some(analysis) = self.plan()? else {
            return Ok(Outcome::Interrupted);
        };
        let path = self.server.data.journal(&self.id);
        let mut journal = analysis.open_journal(&path, Resume::OrStartOver)?;
        self.tell_running(&journal, analysis.units(), analysis.cost())?;
        let mut listeners = Listeners(self.job);
        let mut reporter = Reporter::new(&mut listeners);
        analysis.say_plan(&mut reporter);
        let results = analysis.run(&mut journal, &mut reporter, &self.executor);
        self.conclude(analysis.request(), results, journal.earlier, &mut reporter)
    }

    /// Plans it, and keeps the plan; none where it is stopped.
    pub(super) fn plan(&self) -> Result<Option<Analysis>> {
        let Some(analysis) = Analysis::plan(self.request()?, &self.executor)? else {
            return Ok(None);
        };
        let Server {
            engine, machine, ..
        } = self.server;
        engine.check_memory(machine, &analysis)?;
        wandb::prepare(&analysis.request().config, &self.own)?;
        self.keep_plan(&analysis)?;
        Ok(Some(analysis))
    }

    /// What is asked for, of a run as it is now.
    pub(super) fn request(&self) -> Result<Request> {
        let (server, info) = (self.server, self.job.info());
        let text = server
            .store
            .config(&info.id)?
            .context("its config is lost")?;
        let config = Config::parse(&text, &Registry::default());
        let config =
            config.map_err(|errors| anyhow!("its config is not valid any more:\n{errors}"))?;
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
            name: self.job.folder.clone(),
            folder: server.folder_of(&info.id, &self.job.folder),
            threads: server.threads,
        })
    }

    /// Keeps the plan for those who ask later; tells of it where it is another than before.
    fn keep_plan(&self, analysis: &Analysis) -> Result<()> {
        let planned = planned(analysis)?;
        let store = &self.server.store;
        if store.plan(&self.id)?.as_ref() != Some(&planned) {
            store.set_plan(&self.id, &planned)?;
            self.job.live.send_modify(|live| live.plans += 1);
        }
        Ok(())
    }

    /// Tells that numbers are on their way.
    pub(super) fn tell_running(&self, journal: &Journal, of_units: u64, cost: Cost) -> Result<()> {
        let units = journal.finished.len() as u64;
        let generation = journal.generation;
        self.job
            .live
            .send_modify(|live| live.generation = generation);
        self.server.jobs.change(self.job, |info| {
            (info.phase, info.units, info.of_units) = (Phase::Running, units, of_units);
            info.cost = Some(cost);
        })
    }

    /// Sends results to whom the config names, and writes the log; there are none where it was
    /// stopped.
    ///
    /// # Errors
    /// The one that there was instead of results; where the log cannot be written.
    pub(super) fn conclude(
        &self,
        request: &Request,
        results: Result<Option<Results>>,
        earlier: Earlier,
        reporter: &mut Reporter<'_>,
    ) -> Result<Outcome> {
        let outcome = match &results {
            Ok(Some(results)) => {
                self.send(request, results, reporter)?;
                Outcome::Done
            }
            Ok(None) => Outcome::Interrupted,
            Err(error) => {
                reporter.note(&format!("error: {error:#}"));
                Outcome::Interrupted
            }
        };
        let log = write_log(&request.folder, reporter, earlier);
        results?;
        log?;
        Ok(outcome)
    }

    fn send(
        &self,
        request: &Request,
        results: &Results,
        reporter: &mut Reporter<'_>,
    ) -> Result<()> {
        let home = Home {
            folder: &self.own,
            // However often it is killed and gone on with, it is one run.
            id: Some(RunId::new(&self.id)?),
        };
        let saved = wandb::save(request, results, &home, reporter, &self.executor);
        pico_labs::send(&request.config, results, reporter, &self.executor);
        let message = saved.map(|saved| saved.words().to_owned());
        let changed = self.server.jobs.change(self.job, |info| {
            info.message.clone_from(&message);
        });
        note(changed);
        Ok(())
    }
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
pub(super) struct Listeners<'a>(pub(super) &'a Job);

impl Watcher for Listeners<'_> {
    fn say(&mut self, _: &str) {}

    fn start(&mut self, _: u64, _: u64) {}

    fn advance(&mut self) {
        self.0.live.send_modify(|live| live.info.units += 1);
    }

    fn finish(&mut self) {}
}
