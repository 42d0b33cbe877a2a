//! Giving the native worker an analysis.
//!
//! The worker is told what to analyse; where it has not got the run, it is given the files, after
//! the person agreed. Until the worker has taken the analysis everything stays as it was.

use ckptscope_protocol::ConfigProblem;
use ckptscope_protocol::call;
use ckptscope_protocol::service::{AnalysisInfo, Matched, NewAnalysis, RunSource};
use ckptscope_protocol::tab::ListNeeded;
use futures_util::future::abortable;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::matching::{bytes_of, sampled};
use super::sending::{Agreement, Copying, Known, Lost, Stage};
use super::upload::{News, upload};
use crate::browser;
use crate::files::FileHandles;
use crate::native::{NativeError, NativeWorker};
use crate::run_place::RunPlace;
use crate::store::address::of_analysis;
use crate::store::state::State;

/// The worker does not know what it was asked about.
const UNKNOWN: u16 = 404;

/// Why an analysis was not taken.
enum Refused {
    /// The person changed their mind.
    GivenUp,
    /// For a reason in words.
    Words(String),
    /// By the worker, or it was not reached.
    Worker(NativeError),
    /// The worker finds something wrong with the config.
    Config(Vec<ConfigProblem>),
}

impl From<NativeError> for Refused {
    fn from(error: NativeError) -> Self {
        match error {
            NativeError::Refused { refusal, .. } if !refusal.problems.is_empty() => {
                Self::Config(refusal.problems)
            }
            error => Self::Worker(error),
        }
    }
}

impl State {
    /// Gives the worker what is asked, and shows what it computes.
    pub(crate) fn send_now(self) {
        let Some(worker) = self.native_worker.worker.get_untracked() else {
            return;
        };
        self.sending.cancel();
        let config = self.ask.text.get_untracked();
        let (sent, handle) = abortable(async move {
            let taken = self.hand_over(&worker, &config).await;
            self.sending.stage.set(Stage::Idle);
            match taken {
                Ok(info) => {
                    let address = of_analysis(&info.id);
                    self.follow_here(worker, info);
                    self.is_named(Some(address));
                }
                Err(refused) => self.show_refusal(&worker, refused),
            }
        });
        self.sending.begin(handle);
        spawn_local(async move {
            // Ends early where it was given up.
            let _ = sent.await;
        });
    }

    /// Gives the worker the analysis, and the files where it needs them.
    async fn hand_over(self, worker: &NativeWorker, config: &str) -> Result<AnalysisInfo, Refused> {
        self.sending.stage.set(Stage::Asking);
        let copied = self.copied_before(worker).await?;
        let source = match copied {
            Some(source) => source,
            None => self.find_source(worker).await?,
        };
        self.sending.stage.set(Stage::Asking);
        let new = NewAnalysis {
            source,
            config: config.to_owned(),
        };
        let taken = worker.ask(call::begin_analysis(&new)).await?;
        self.sending.leave_to_analysis();
        Ok(taken)
    }

    /// The copy that the worker was given before; none where it has none any more.
    async fn copied_before(self, worker: &NativeWorker) -> Result<Option<RunSource>, NativeError> {
        let known = self.sending.known.get_untracked();
        let known = known.filter(|known| known.worker.address() == worker.address());
        let Some(RunSource::Upload(id)) = known.map(|known| known.source) else {
            return Ok(None);
        };
        match worker.ask(call::upload(&id)).await {
            Ok(_) => Ok(Some(RunSource::Upload(id))),
            Err(NativeError::Refused { status, .. }) if status == UNKNOWN => {
                self.sending.known.set(None);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Where the worker reads the run: in place, or from files that it is given.
    async fn find_source(self, worker: &NativeWorker) -> Result<RunSource, Refused> {
        if let Some(source) = untrack(|| self.run_source()) {
            return Ok(source);
        }
        let Some(RunPlace::Files(files)) = self.web_workers.place() else {
            let words = "A worker reads runs of the Hub, runs below its own folders, and files that \
                         are given to it. Save the file of this address, and open it from there.";
            return Err(Refused::Words(words.to_owned()));
        };
        let needed = self.needed(&files).await.map_err(Refused::Words)?;
        let (source, folder) = match self.find_match(worker, &needed).await? {
            Matched {
                source: Some(source),
                path,
            } => (source, Some(path)),
            Matched { source: None, .. } => (self.copy(worker, &files, &needed).await?, None),
        };
        self.sending.known.set(Some(Known {
            worker: worker.clone(),
            source: source.clone(),
            folder,
        }));
        Ok(source)
    }

    async fn find_match(
        self,
        worker: &NativeWorker,
        files: &FileHandles,
    ) -> Result<Matched, Refused> {
        let stage = self.sending.stage;
        let of = files.files.len() as u64;
        let progress = move |files| stage.set(Stage::Sampling { files, of });
        progress(0);
        let sampled = sampled(files, progress).await.map_err(Refused::Words)?;
        stage.set(Stage::Asking);
        Ok(worker.ask(call::find(&sampled)).await?)
    }

    async fn copy(
        self,
        worker: &NativeWorker,
        all: &FileHandles,
        files: &FileHandles,
    ) -> Result<RunSource, Refused> {
        let lengths = files.files.iter();
        let agreement = Agreement {
            host: worker.host().to_owned(),
            files: lengths
                .map(|(path, blob)| (path.clone(), bytes_of(blob)))
                .collect(),
            left_out: (
                (all.files.len() - files.files.len()) as u64,
                all.bytes() - files.bytes(),
            ),
            most_bytes: untrack(|| self.native_worker.machine())
                .map(|machine| machine.upload_bytes),
        };
        if !self.sending.ask(agreement).await {
            return Err(Refused::GivenUp);
        }
        let of_bytes = files.bytes();
        let began = browser::now_seconds();
        let tell = move |news: News<'_>| self.take_news(news, began);
        self.sending.stage.set(Stage::Copying(Copying {
            of_bytes,
            ..Copying::default()
        }));
        let copied = upload(worker, files, tell).await;
        let copy = copied.map_err(|error| Refused::Words(error.to_string()))?;
        let source = copy.source();
        self.sending.keep(copy);
        Ok(source)
    }

    /// The files without which the run would be another one for the worker.
    async fn needed(self, all: &FileHandles) -> Result<FileHandles, String> {
        let paths = loop {
            match self.web_workers.ask(ListNeeded {}).await {
                Ok(needed) => break needed.paths,
                // Somebody edits the config meanwhile, which interrupts the run's worker.
                Err(error) if error.is_empty() => {}
                Err(error) => return Err(error),
            }
        };
        let mut needed = all.clone();
        needed
            .files
            .retain(|(path, _)| paths.binary_search(path).is_ok());
        Ok(needed)
    }

    fn take_news(self, news: News<'_>, began: f64) {
        match news {
            News::Arrived { bytes } => self.change_copying(|copying| {
                let seconds = browser::now_seconds() - began;
                copying.bytes = bytes;
                copying.bytes_per_second = (bytes > 0).then(|| bytes as f64 / seconds);
                copying.lost = None;
            }),
            News::Lost { reason, seconds } => self.change_copying(|copying| {
                let reason = reason.to_owned();
                copying.lost = Some(Lost { reason, seconds });
            }),
        }
    }

    fn change_copying(self, change: impl FnOnce(&mut Copying)) {
        self.sending.stage.update(|stage| {
            if let Stage::Copying(copying) = stage {
                change(copying);
            }
        });
    }

    /// What stands at a line of the config is shown there.
    fn show_refusal(self, worker: &NativeWorker, refused: Refused) {
        let words = match refused {
            Refused::GivenUp => return,
            Refused::Words(words) => words,
            Refused::Worker(error) => {
                self.native_worker.notice(worker, &error);
                error.to_string()
            }
            Refused::Config(problems) => self.show_problems(problems),
        };
        self.sending.stage.set(Stage::Failed(words));
    }

    /// Shows problems at their lines; gives what is to be said elsewhere.
    fn show_problems(self, problems: Vec<ConfigProblem>) -> String {
        let is_placed = |problem: &ConfigProblem| problem.location.line > 0;
        let (placed, others): (Vec<_>, Vec<_>) = problems.into_iter().partition(is_placed);
        let mut words = vec!["The worker finds something wrong with the config:".to_owned()];
        words.extend(others.into_iter().map(|problem| problem.message));
        if !placed.is_empty() {
            words.push("See the problems above.".to_owned());
            let checked = self.ask.checked;
            checked.update(|checked| checked.problems = placed);
        }
        words.join("\n")
    }
}
