//! An analysis of a native worker's, shown as it is computed.
//!
//! Whatever happens to the connection, every unit is taken in once: the stream is asked for again
//! behind the last one, and one that was taken in already is passed over. A worker that wants
//! another token is waited for until that is given.

use std::rc::Rc;

use ckptscope_protocol::call;
use ckptscope_protocol::service::{self, AnalysisInfo, FinishedUnit, Planned, RunSource, Told};
use ckptscope_protocol::{Cost, LaneUpdate};
use futures_util::future::{AbortHandle, abortable};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::NativeConnection;
use super::patience::{Patience, lost};
use super::shown::short_link;
use crate::link::LinkSource;
use crate::native::events::Events;
use crate::native::{NativeError, NativeWorker};
use crate::pool::LaneNews;
use crate::store::analysis::computer::{Computer, Connection, Listener, News, Plan, Stopped};
use crate::store::analysis::{OnWorker, Phase};
use crate::store::state::State;

/// All that a native worker tells of an analysis begins again together.
const ALL: usize = 0;

/// How often it is looked whether a worker can be used again, in milliseconds.
const LOOK_EVERY_MILLISECONDS: u32 = 100;

impl State {
    /// Shows an analysis of a worker's, live where it is under way. The run that is open stays
    /// where it is the one that is analysed.
    pub(crate) fn follow(self, worker: NativeWorker, info: AnalysisInfo) {
        if !untrack(|| self.is_of_open_run(&info)) {
            self.close();
        }
        let origin = origin_of(&info);
        self.follow_here(worker, info);
        self.origin.set_value(origin);
        self.settle();
        self.show_address();
    }

    /// The same, of what is open.
    pub(crate) fn follow_here(self, worker: NativeWorker, info: AnalysisInfo) {
        let Some(views) = self.native_worker.views.get_untracked() else {
            return;
        };
        let id = info.id.clone();
        let link = short_link(worker.address(), &id);
        let on_worker = OnWorker {
            host: worker.host().to_owned(),
            info,
            connection: Connection::Opening,
            is_stopping: false,
            not_stopped: None,
        };
        self.analysis.follow(on_worker, move |tell| {
            let tell: Listener = Rc::new(move |news| {
                let is_plan = matches!(news, News::Planned(_));
                tell(news);
                if is_plan {
                    self.is_at(link.clone());
                }
            });
            (views.follow)(self.native_worker, worker, id, tell)
        });
    }

    fn is_of_open_run(self, info: &AnalysisInfo) -> bool {
        let known = self.known_files().map(|known| known.source);
        [self.run_source(), known].contains(&Some(info.source.clone()))
    }
}

/// Tells of an analysis of the worker's.
pub(crate) fn listen(
    native_worker: NativeConnection,
    worker: NativeWorker,
    id: String,
    tell: Listener,
) -> Box<dyn Computer> {
    Box::new(Following::start(native_worker, worker, id, tell))
}

/// What leads to the same run without the worker; none where only the worker has it.
pub(crate) fn origin_of(info: &AnalysisInfo) -> Option<LinkSource> {
    match &info.source {
        RunSource::Hub(place) => Some(LinkSource::Remote {
            name: info.source_name.clone(),
            place: place.clone(),
        }),
        RunSource::Root(_) | RunSource::Upload(_) => None,
    }
}

/// A native worker that is listened to. Dropping it ends the listening and nothing else.
struct Following {
    native_worker: NativeConnection,
    worker: NativeWorker,
    id: String,
    tell: Listener,
    listening: AbortHandle,
}

impl Following {
    fn start(
        native_worker: NativeConnection,
        worker: NativeWorker,
        id: String,
        tell: Listener,
    ) -> Self {
        let listener = AnalysisListener {
            native_worker,
            worker: worker.clone(),
            id: id.clone(),
            tell: Rc::clone(&tell),
            last: None,
            plan: None,
            patience: Patience::default(),
        };
        let (listening, handle) = abortable(listener.listen());
        spawn_local(async move {
            // Ends early where nobody listens any more.
            let _ = listening.await;
        });
        Self {
            native_worker,
            worker,
            id,
            tell,
            listening: handle,
        }
    }
}

impl Computer for Following {
    fn stop(&self) -> Stopped {
        let (native_worker, tell) = (self.native_worker, Rc::clone(&self.tell));
        let worker = native_worker.with_newest_token(&self.worker);
        let cancel = call::cancel(&self.id).unread();
        spawn_local(async move {
            let stopped = worker.tell(cancel).await;
            if let Err(error) = stopped {
                native_worker.notice(&worker, &error);
                tell(News::NotStopped(error.to_string()));
            }
        });
        Stopped::Soon
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// What was heard so far, and what is to be heard next.
struct AnalysisListener {
    native_worker: NativeConnection,
    worker: NativeWorker,
    id: String,
    tell: Listener,
    /// The id of the last unit that was taken in.
    last: Option<String>,
    /// Told last; none before the first.
    plan: Option<Box<Planned>>,
    patience: Patience,
}

impl AnalysisListener {
    /// Listens to the end, whatever happens to the connection.
    async fn listen(mut self) {
        loop {
            match self.listen_once().await {
                Ok(Some(end)) => return self.end(end),
                Ok(None) => self.wait("the stream ended").await,
                Err(error @ NativeError::Token { .. }) => self.wait_for_token(&error).await,
                Err(error) => match lost(&error) {
                    Some(reason) => self.wait(&reason).await,
                    None => return self.end(Phase::Failed(error.to_string())),
                },
            }
        }
    }

    /// Listens until the connection ends; gives how the analysis did, where it did.
    async fn listen_once(&mut self) -> Result<Option<Phase>, NativeError> {
        let last = self.last.clone();
        self.worker = self.native_worker.with_newest_token(&self.worker);
        let mut events = Events::of(&self.worker, &self.id, last.as_deref()).await?;
        (self.tell)(News::Connection(Connection::Up));
        let mut over = None;
        while let Some((told, id)) = events.next().await? {
            self.patience.renew();
            match told {
                Told::State(info) => {
                    over = end_of(&info);
                    (self.tell)(News::State(info));
                }
                Told::Planned(planned) => self.take_plan(planned),
                Told::Unit(unit) => self.take_unit(*unit, id),
                Told::Again {} => self.begin_again(),
            }
        }
        Ok(over)
    }

    fn take_plan(&mut self, planned: Box<Planned>) {
        if self.plan.as_ref() != Some(&planned) {
            (self.tell)(News::Planned(Box::new(plan_of(&planned))));
            self.plan = Some(planned);
        }
    }

    fn take_unit(&mut self, unit: FinishedUnit, id: Option<String>) {
        if is_known(id.as_deref(), self.last.as_deref()) {
            return;
        }
        self.last = id.or(self.last.take());
        let update = LaneUpdate {
            numbers: unit.numbers,
            finished: vec![unit.progress],
        };
        (self.tell)(News::Lane(ALL, LaneNews::Update(update)));
    }

    fn begin_again(&mut self) {
        self.last = None;
        let reason = "files of the run have changed".to_owned();
        (self.tell)(News::Lane(ALL, LaneNews::Restarted(reason)));
    }

    fn end(&self, phase: Phase) {
        (self.tell)(News::Lane(ALL, LaneNews::Done));
        (self.tell)(News::Ended(phase));
    }

    async fn wait(&mut self, reason: &str) {
        let tell = Rc::clone(&self.tell);
        let count = |seconds| {
            let reason = reason.to_owned();
            tell(News::Connection(Connection::Lost { reason, seconds }));
        };
        self.patience.wait(count).await;
        tell(News::Connection(Connection::Opening));
    }

    /// Waits until the worker can be used again: it was started with another token.
    async fn wait_for_token(&self, error: &NativeError) {
        self.native_worker.notice(&self.worker, error);
        (self.tell)(News::Connection(Connection::WantsToken));
        while !self.native_worker.is_ready_at(self.worker.address()) {
            TimeoutFuture::new(LOOK_EVERY_MILLISECONDS).await;
        }
        (self.tell)(News::Connection(Connection::Opening));
    }
}

/// What the page expects. Layer-steps that give no numbers are not told of.
fn plan_of(planned: &Planned) -> Plan {
    let cost = Cost {
        units: planned.units,
        ..planned.cost
    };
    Plan {
        cost,
        results: planned.results.clone(),
        lanes: vec!["the analysis".to_owned()],
    }
}

/// How an analysis ended; none where it has not.
fn end_of(info: &AnalysisInfo) -> Option<Phase> {
    match info.phase {
        service::Phase::Queued | service::Phase::Planning | service::Phase::Running => None,
        service::Phase::Done => Some(Phase::Done(seconds_of(info))),
        service::Phase::Cancelled => Some(Phase::Cancelled),
        service::Phase::Failed => {
            let message = info.message.clone();
            let message = message.unwrap_or_else(|| "the worker does not say why".to_owned());
            Some(Phase::Failed(message))
        }
    }
}

/// How long it computed, the last time.
fn seconds_of(info: &AnalysisInfo) -> f64 {
    let began = info.began.unwrap_or(info.asked);
    let ended = info.ended.unwrap_or(began);
    ended.saturating_sub(began) as f64 / 1000.0
}

/// Whether a unit was told already: `{generation}-{number}` that is not behind the last one.
fn is_known(id: Option<&str>, last: Option<&str>) -> bool {
    let parts = |id: &str| {
        let (generation, number) = id.split_once('-')?;
        Some((generation.parse::<u64>().ok()?, number.parse::<u64>().ok()?))
    };
    match (id.and_then(parts), last.and_then(parts)) {
        (Some(id), Some(last)) => id <= last,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn what_was_told_is_passed_over() {
        assert!(is_known(Some("1-2"), Some("1-2")));
        assert!(is_known(Some("1-9"), Some("1-10")));
        assert!(is_known(Some("1-9"), Some("2-1")));
        assert!(!is_known(Some("1-11"), Some("1-10")));
        assert!(!is_known(Some("2-1"), Some("1-10")));
        assert!(!is_known(Some("1-1"), None));
    }
}
