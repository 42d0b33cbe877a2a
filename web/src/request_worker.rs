//! A web worker that answers one question with one answer, and is replaced when it dies.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use ckptscope_protocol::tab::{Answer, NetworkNews, Question, Reply, Request};
use ckptscope_results::SeriesSet;
use futures_channel::oneshot;
use js_sys::Array;
use web_sys::Blob;

use crate::run_place::RunPlace;
use crate::worker::{ComputeWorker, WorkerEvent};

/// Opens runs, checks configs, plans, and looks at tensors. Its worker starts with the first
/// question.
#[derive(Clone, Default)]
pub struct RequestWorker(Rc<RefCell<Shared>>);

#[derive(Default)]
struct Shared {
    worker: Option<ComputeWorker>,
    place: Option<RunPlace>,
    last_number: u64,
    waiting: BTreeMap<u64, oneshot::Sender<Answer>>,
    /// Numbers that have come of answers which are not complete.
    series: BTreeMap<u64, SeriesSet>,
    /// Hears how reading over the network goes.
    listener: Option<Rc<dyn Fn(NetworkNews)>>,
}

impl RequestWorker {
    /// One that tells `listener` how reading over the network goes.
    pub fn with_listener(listener: Rc<dyn Fn(NetworkNews)>) -> Self {
        let worker = Self::default();
        worker.0.borrow_mut().listener = Some(listener);
        worker
    }

    /// Reads from there from now on. Whatever was asked before is not answered any more.
    pub fn read_from(&self, place: RunPlace) {
        self.stop();
        self.remember(place);
    }

    /// The worker that is started next reads from there.
    pub fn remember(&self, place: RunPlace) {
        self.0.borrow_mut().place = Some(place);
    }

    /// Ends whatever it does, at once.
    pub fn stop(&self) {
        let mut shared = self.0.borrow_mut();
        shared.worker = None;
        shared.waiting.clear();
        shared.series.clear();
    }

    /// The answer to a request.
    ///
    /// # Errors
    /// Why there is none, in words; nothing (an empty text) where nobody waits for it any more.
    pub async fn ask(&self, request: Request) -> Result<Answer, String> {
        self.ask_of(request, None).await
    }

    /// The answer to a request that is about a file.
    ///
    /// # Errors
    /// As [`RequestWorker::ask`].
    pub async fn ask_of(&self, request: Request, file: Option<&Blob>) -> Result<Answer, String> {
        let answer = self.post(request, file)?;
        match answer.await {
            Ok(Answer::Failed { message }) => Err(message),
            Ok(answer) => Ok(answer),
            Err(oneshot::Canceled) => Err(String::new()),
        }
    }

    fn post(
        &self,
        request: Request,
        file: Option<&Blob>,
    ) -> Result<oneshot::Receiver<Answer>, String> {
        if self.0.borrow().worker.is_none() {
            self.start()?;
        }
        let mut shared = self.0.borrow_mut();
        shared.last_number += 1;
        let number = shared.last_number;
        let (sender, receiver) = oneshot::channel();
        shared.waiting.insert(number, sender);
        let worker = shared.worker.as_ref().ok_or("no web worker")?;
        let files = file.map(|file| Array::of1(file));
        worker.ask(&Question { number, request }, files.as_ref())?;
        Ok(receiver)
    }

    fn start(&self) -> Result<(), String> {
        let here = Rc::downgrade(&self.0);
        let mut shared = self.0.borrow_mut();
        let worker = ComputeWorker::start(move |event| {
            if let Some(shared) = here.upgrade() {
                Self(shared).take(event);
            }
        })?;
        if let Some(place) = &shared.place {
            place.tell(&worker, 1)?;
        }
        shared.worker = Some(worker);
        Ok(())
    }

    fn take(&self, event: WorkerEvent) {
        if let WorkerEvent::Reply(reply) = &event
            && let Answer::Network(news) = &reply.answer
        {
            let listener = self.0.borrow().listener.clone();
            return listener.map_or((), |listener| listener(*news));
        }
        let mut shared = self.0.borrow_mut();
        match event {
            WorkerEvent::Reply(reply) => shared.take_in(reply),
            WorkerEvent::Died(reason) => {
                shared.worker = None;
                shared.series.clear();
                let message = format!("the web worker stopped: {reason}");
                for (_, sender) in std::mem::take(&mut shared.waiting) {
                    let _ = sender.send(Answer::Failed {
                        message: message.clone(),
                    });
                }
            }
        }
    }
}

impl Shared {
    /// Passes an answer on as soon as it is complete.
    fn take_in(&mut self, reply: Reply) {
        let Reply { number, answer } = reply;
        let answer = match answer {
            Answer::Series { series } => {
                let all = self.series.entry(number).or_default();
                return all.extend_series(series);
            }
            Answer::Results(mut results) => {
                results.series = self.series.remove(&number).unwrap_or_default();
                Answer::Results(results)
            }
            answer => answer,
        };
        if let Some(sender) = self.waiting.remove(&number) {
            // Fails where nobody waits any more.
            let _ = sender.send(answer);
        }
    }
}
