//! The page's web workers: one for questions about the run, another for single
//! tensors, and a pool for lanes.

use std::rc::Rc;

use ckptscope_protocol::Rates;
use ckptscope_protocol::tab::{
    Ask, AuditProgress, AuditRun, Audited, ListChoices, ListTensors, Listed, MeasureSpeed, News,
    OpenRun, Opened, PartName, PlannedLane, ReadResults,
};
use ckptscope_results::Results;
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::Blob;

use super::meter::Meter;
use crate::files::FileHandles;
use crate::native::NativeWorker;
use crate::pool::{LaneNews, Pool};
use crate::request_worker::RequestWorker;
use crate::run_place::RunPlace;
use crate::worker::keep_ready;

/// More workers than this gain little and cost memory.
const MOST_WORKERS: usize = 16;

/// How long the page rests before it starts workers that nobody has asked for yet: when it was
/// opened, and when it shows a run. Starting them would slow down whoever does something at once.
const REST_ON_LANDING: u32 = 600;
const REST_ON_RUN: u32 = 300;

/// Workers that are started before lanes are; more would take memory while nobody computes.
const READY_FOR_LANES: usize = 3;

/// The workers and the files they read. Copies share them.
#[derive(Clone, Copy)]
pub(crate) struct WebWorkers {
    workers: StoredValue<Workers, LocalStorage>,
    /// The files among which somebody has to choose.
    offered: StoredValue<Option<FileHandles>, LocalStorage>,
    /// What there is to choose, by path; nothing where nothing is.
    pub choices: RwSignal<Vec<String>>,
    /// How many workers compute lanes.
    pub pool_size: RwSignal<usize>,
    /// How many this machine can run at once.
    pub threads: usize,
    /// How fast one of them computes, once it was measured.
    pub rates: RwSignal<Rates>,
    /// How often somebody had something opened or computed.
    begun: StoredValue<u64>,
    /// What the run that is being opened takes of the network; none where none is.
    pub opening: RwSignal<Option<Meter>>,
    /// What the open run has taken of it.
    pub meter: RwSignal<Meter>,
    /// The run that is open; none where there is none, or results alone.
    pub opened: RwSignal<Option<Opened>>,
}

struct Workers {
    /// Answers questions about the run.
    run: RequestWorker,
    /// Looks at single tensors.
    tensor: RequestWorker,
    /// Audits the run, while somebody waits for it.
    audit: Option<RequestWorker>,
    /// Opens the next run while the one that is open stays usable.
    opener: Option<RequestWorker>,
    place: Option<RunPlace>,
}

impl WebWorkers {
    pub(crate) fn new() -> Self {
        let threads = (window().navigator().hardware_concurrency() as usize).clamp(1, MOST_WORKERS);
        Self {
            workers: StoredValue::new_local(Workers {
                run: RequestWorker::default(),
                tensor: RequestWorker::default(),
                audit: None,
                opener: None,
                place: None,
            }),
            offered: StoredValue::new_local(None),
            choices: RwSignal::default(),
            pool_size: RwSignal::new(threads),
            threads,
            rates: RwSignal::default(),
            begun: StoredValue::new(0),
            opening: RwSignal::new(None),
            meter: RwSignal::new(Meter::new()),
            opened: RwSignal::new(None),
        }
    }

    /// Has workers start before they are needed, and one of them measure how fast it is, unless
    /// somebody has something opened meanwhile.
    pub(crate) async fn get_ready(self) {
        if self.rests(self.begun.get_value(), REST_ON_LANDING).await {
            keep_ready(2);
            self.measure().await;
        }
    }

    /// Measures how fast a worker is, where that is not known.
    async fn measure(self) {
        if self.rates.get_untracked().are_known() {
            return;
        }
        // Where there are no web workers, whatever is asked of them says so.
        if let Ok(rates) = self.ask(MeasureSpeed {}).await {
            self.rates.set(rates);
        }
    }

    /// Waits so many milliseconds, and says whether nobody had anything opened or computed since.
    async fn rests(self, since: u64, milliseconds: u32) -> bool {
        TimeoutFuture::new(milliseconds).await;
        self.begun.get_value() == since
    }

    fn begin(self) {
        self.begun.update_value(|begun| *begun += 1);
    }

    /// Measures the machine, where nobody rested long enough for that, and has as many workers
    /// start as whoever opened a run may soon need: for a tensor, and for the first lanes. The page
    /// shows the run first; whoever computes at once is not kept from it.
    async fn get_ready_for_run(self) {
        let begun = self.begun.get_value();
        TimeoutFuture::new(0).await;
        self.measure().await;
        if self.rests(begun, REST_ON_RUN).await {
            keep_ready(1 + self.pool_size.get_untracked().min(READY_FOR_LANES));
        }
    }

    /// What there is. It is read from there from now on where that is answered, and until then
    /// nothing changes. An empty error means that nobody waits for the answer any more.
    pub(crate) async fn open(self, mut place: RunPlace) -> Result<Box<Opened>, String> {
        self.begin();
        let meter = Meter::new();
        let heard = Rc::new(move |news| match news {
            News::Network(news) => meter.add(news),
            News::Listed(listed) => self.take_in(*listed),
            _ => {}
        });
        let opener = RequestWorker::with_listener(heard.clone());
        opener.read_from(place.clone());
        self.workers
            .update_value(|workers| workers.opener = Some(opener.clone()));
        self.opening.set(Some(meter));
        let opened = match opener.ask(OpenRun {}).await {
            Ok(opened) => opened,
            Err(message) => {
                self.offer(&opener, place, &message).await;
                return Err(message);
            }
        };
        if let Some(found) = &opened.found {
            place.learn(&found.listed);
            opener.remember(place.clone());
        }
        try_reading(&opener, &opened).await?;
        self.opening.set(None);
        self.meter.set(meter);
        self.workers.update_value(|workers| {
            workers.opener = None;
            workers.stop_audit();
            workers.run.stop();
            workers.run = opener;
            workers.tensor.stop();
            workers.tensor = RequestWorker::with_listener(heard);
            workers.tensor.read_from(place.clone());
            workers.place = Some(place);
        });
        spawn_local(self.get_ready_for_run());
        Ok(opened)
    }

    /// Offers those of the files that are a run by themselves, or the places that are, where what
    /// was asked for could not be opened.
    async fn offer(self, opener: &RequestWorker, place: RunPlace, message: &str) {
        if message.is_empty() {
            return;
        }
        let choices = opener.ask(ListChoices {}).await;
        let paths = choices.map(|choices| choices.paths).unwrap_or_default();
        self.offered.set_value(match place {
            RunPlace::Files(files) => Some(files),
            RunPlace::Remote(_) => None,
        });
        self.choices.set(paths);
    }

    /// The files of a choice; none where it is a place.
    pub(crate) fn chosen(self, path: &str) -> Option<FileHandles> {
        self.offered
            .with_value(|files| files.as_ref().map(|files| files.within(path)))
    }

    /// Ends the opening of files; whoever waits for an answer gets none.
    pub(crate) fn stop_opening(self) {
        self.offered.set_value(None);
        self.choices.set(Vec::new());
        self.workers.update_value(|workers| {
            if let Some(opener) = workers.opener.take() {
                opener.stop();
            }
        });
    }

    /// Ends all questions and forgets the files.
    pub(crate) fn stop(self) {
        self.workers.update_value(|workers| {
            for worker in [&workers.run, &workers.tensor] {
                worker.stop();
            }
            workers.run = RequestWorker::default();
            workers.tensor = RequestWorker::default();
            workers.stop_audit();
            workers.place = None;
        });
    }

    /// Takes in what one worker listed late, so that no other lists it again.
    fn take_in(self, listed: Listed) {
        self.workers.update_value(|workers| {
            if let Some(place) = &mut workers.place {
                place.learn(&listed.listed);
                workers.run.remember(place.clone());
                workers.tensor.remember(place.clone());
            }
        });
        self.opened.update(|opened| {
            if let Some(opened) = opened {
                opened.run.take_in(listed);
            }
        });
    }

    /// What is odd about the steps of the repository that is open, found by a worker of its own;
    /// `tell` hears how far it is. An empty error means that nobody waits for it any more.
    pub(crate) async fn audit(
        self,
        tell: impl Fn(AuditProgress) + 'static,
    ) -> Result<Audited, String> {
        let Some(place) = self.place() else {
            return Err(String::new());
        };
        let meter = self.meter.get_untracked();
        let worker = RequestWorker::with_listener(Rc::new(move |news| match news {
            News::Network(news) => meter.add(news),
            News::Audit(progress) => tell(progress),
            News::Listed(listed) => {
                self.take_in(*listed);
                self.share_listing();
            }
            _ => {}
        }));
        worker.read_from(place);
        self.workers
            .update_value(|workers| workers.audit = Some(worker.clone()));
        let answer = worker.ask(AuditRun {}).await;
        worker.stop();
        answer
    }

    /// Ends an audit; whoever waits for it gets none.
    pub(crate) fn stop_audit(self) {
        self.workers.update_value(Workers::stop_audit);
    }

    /// Tells the run's worker what another one listed.
    fn share_listing(self) {
        self.workers.with_value(|workers| {
            if let Some(place) = &workers.place {
                workers.run.go_on_from(place.clone());
            }
        });
    }

    /// Reads with this worker's token from now on, where the run that is open is one of its.
    pub(crate) fn show_token(self, worker: &NativeWorker) {
        self.workers
            .update_value(|workers| workers.show_token(worker));
    }

    /// Ends what the run's worker does; whoever waits for an answer gets none.
    pub(crate) fn interrupt(self) {
        self.workers.with_value(|workers| workers.run.stop());
    }

    /// Where the run that is open is read from.
    pub(crate) fn place(self) -> Option<RunPlace> {
        self.workers.with_value(|workers| workers.place.clone())
    }

    /// The answer of the run's worker. An empty error means that nobody waits for it any more.
    pub(crate) async fn ask<Q: Ask>(self, question: Q) -> Result<Q::Answer, String> {
        let worker = self.workers.with_value(|workers| workers.run.clone());
        worker.ask(question).await
    }

    /// The results in a file, in a task of their own: the last message that brings them is taken in
    /// and decoded in another, and what shows them is long enough.
    pub(crate) async fn read_results(self, file: &Blob) -> Result<Results, String> {
        self.begin();
        let worker = self.workers.with_value(|workers| workers.run.clone());
        let results = worker.ask_of(ReadResults {}, Some(file)).await?;
        TimeoutFuture::new(0).await;
        Ok(*results)
    }

    /// The answer of the worker that looks at tensors; whatever it did before ends at once.
    pub(crate) async fn look<Q: Ask>(self, question: Q) -> Result<Q::Answer, String> {
        let worker = self.workers.with_value(|workers| workers.tensor.clone());
        worker.stop();
        worker.ask(question).await
    }

    /// Another answer of the worker that looks at tensors, which goes on with what it does.
    pub(crate) async fn look_on<Q: Ask>(self, question: Q) -> Result<Q::Answer, String> {
        let worker = self.workers.with_value(|workers| workers.tensor.clone());
        worker.ask(question).await
    }

    /// Ends what the worker that looks at tensors does.
    pub(crate) fn stop_looking(self) {
        self.workers.with_value(|workers| workers.tensor.stop());
    }

    /// Workers for the lanes of a plan.
    pub(crate) fn compute(
        self,
        lanes: Vec<PlannedLane>,
        listener: impl FnMut(usize, LaneNews) + 'static,
    ) -> Pool {
        let place = self.workers.with_value(|workers| workers.place.clone());
        let place = place.unwrap_or_else(|| RunPlace::Files(FileHandles::default()));
        self.begin();
        Pool::start(place, lanes, self.pool_size.get_untracked(), listener)
    }
}

impl Workers {
    fn stop_audit(&mut self) {
        if let Some(worker) = self.audit.take() {
            worker.stop();
        }
    }

    fn show_token(&mut self, worker: &NativeWorker) {
        let Some(RunPlace::Remote(remote)) = &mut self.place else {
            return;
        };
        let its = remote
            .run
            .as_mut()
            .filter(|run| run.address == worker.address() && run.token != *worker.token());
        if let Some(run) = its {
            run.token = worker.token().clone();
            let place = RunPlace::Remote(remote.clone());
            self.run.read_from(place.clone());
            self.tensor.read_from(place);
        }
    }
}

/// A run of which no tensor is known may be a file that is cut short: its directory says so.
async fn try_reading(opener: &RequestWorker, opened: &Opened) -> Result<(), String> {
    let last = opened.run.steps.last();
    let part = last.and_then(|step| Some((step.number, step.parts.first()?)));
    let Some((step, part)) = part.filter(|_| opened.run.suffixes.is_empty()) else {
        return Ok(());
    };
    let part = PartName {
        step,
        data_type: part.data_type.clone(),
        split: part.split.clone(),
    };
    opener.ask(ListTensors { part }).await.map(drop)
}
