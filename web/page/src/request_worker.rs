//! A web worker that answers one question with one answer, and is replaced when it dies.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use ckptscope_protocol::tab::{Answer, Ask, Message, News, Question, Reply};
use ckptscope_results::SeriesSet;
use futures_channel::oneshot;
use js_sys::Array;
use web_sys::Blob;

use crate::run_place::RunPlace;
use crate::worker::{ComputeWorker, Heard};

/// Opens runs, checks configs, plans, and looks at tensors. Its worker starts with the first
/// question.
#[derive(Clone, Default)]
pub struct RequestWorker(Rc<RefCell<Shared>>);

/// An answer, or why there is none, in words.
type Answered = Result<Answer, String>;

#[derive(Default)]
struct Shared {
    worker: Option<ComputeWorker>,
    place: Option<RunPlace>,
    last_number: u64,
    waiting: BTreeMap<u64, oneshot::Sender<Answered>>,
    /// Numbers that have come of answers which are not complete.
    series: BTreeMap<u64, SeriesSet>,
    /// Hears what is told before an answer.
    listener: Option<Rc<dyn Fn(News)>>,
}

impl RequestWorker {
    /// One that tells `listener` how reading over the network goes, how far an audit is, and which
    /// steps were listed late.
    pub fn with_listener(listener: Rc<dyn Fn(News)>) -> Self {
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

    /// Reads from there from now on, and still answers what was asked before.
    pub fn go_on_from(&self, place: RunPlace) {
        if let Some(worker) = &self.0.borrow().worker {
            // Where the browser cannot post it, the worker goes on with what it knows.
            let _ = place.tell(worker, 1);
        }
        self.remember(place);
    }

    /// Ends whatever it does, at once.
    pub fn stop(&self) {
        let mut shared = self.0.borrow_mut();
        shared.worker = None;
        shared.waiting.clear();
        shared.series.clear();
    }

    /// The answer to a question.
    ///
    /// # Errors
    /// Why there is none, in words; nothing (an empty text) where nobody waits for it any more.
    pub async fn ask<Q: Ask>(&self, question: Q) -> Result<Q::Answer, String> {
        self.ask_of(question, None).await
    }

    /// The answer to a question that is about a file.
    ///
    /// # Errors
    /// As [`RequestWorker::ask`].
    pub async fn ask_of<Q: Ask>(
        &self,
        question: Q,
        file: Option<&Blob>,
    ) -> Result<Q::Answer, String> {
        let answer = self.answered(question.into(), file).await?;
        Q::take(answer).ok_or_else(|| "the web worker answered another question".to_owned())
    }

    async fn answered(&self, question: Question, file: Option<&Blob>) -> Answered {
        let answer = self.post(question, file)?;
        // Nobody answers where nobody waits any more.
        answer.await.unwrap_or_else(|_| Err(String::new()))
    }

    fn post(
        &self,
        question: Question,
        file: Option<&Blob>,
    ) -> Result<oneshot::Receiver<Answered>, String> {
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
        let question = Box::new(question);
        worker.post(&Message::Question { number, question }, files.as_ref())?;
        Ok(receiver)
    }

    fn start(&self) -> Result<(), String> {
        let here = Rc::downgrade(&self.0);
        let mut shared = self.0.borrow_mut();
        let worker = ComputeWorker::start(move |told| {
            if let Some(shared) = here.upgrade() {
                Self(shared).take(told);
            }
        })?;
        if let Some(place) = &shared.place {
            place.tell(&worker, 1)?;
        }
        shared.worker = Some(worker);
        Ok(())
    }

    fn take(&self, told: Heard) {
        let told = match told {
            Ok(Reply {
                news: news @ (News::Network(_) | News::Listed(_) | News::Audit(_)),
                ..
            }) => {
                let listener = self.0.borrow().listener.clone();
                return listener.map_or((), |listener| listener(news));
            }
            told => told,
        };
        let mut shared = self.0.borrow_mut();
        match told {
            Ok(reply) => shared.take_in(reply),
            Err(reason) => {
                shared.worker = None;
                shared.series.clear();
                let message = format!("the web worker stopped: {reason}");
                for (_, sender) in std::mem::take(&mut shared.waiting) {
                    let _ = sender.send(Err(message.clone()));
                }
            }
        }
    }
}

impl Shared {
    /// Passes an answer on as soon as it is complete.
    fn take_in(&mut self, reply: Reply) {
        let Reply { number, news } = reply;
        let answer = match news {
            News::Series(series) => {
                let all = self.series.entry(number).or_default();
                return all.extend_series(series);
            }
            News::Answer(Answer::ReadResults(mut results)) => {
                results.series = self.series.remove(&number).unwrap_or_default();
                Ok(Answer::ReadResults(results))
            }
            News::Answer(answer) => Ok(answer),
            News::Failed { message } => Err(message),
            News::Ready | News::Network(_) | News::Listed(_) | News::Audit(_) | News::Lane(_) => {
                return;
            }
        };
        if let Some(sender) = self.waiting.remove(&number) {
            // Fails where nobody waits any more.
            let _ = sender.send(answer);
        }
    }
}
