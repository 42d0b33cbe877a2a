//! A web worker that answers one question with one answer, and is replaced when it dies.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use futures_channel::oneshot;

use crate::files::RunFiles;
use crate::message::{Answer, Question, Request};
use crate::worker::{ComputeWorker, Tiding};

/// Opens runs, checks configs, plans, and looks at tensors. Its worker starts with the first
/// question.
#[derive(Clone, Default)]
pub struct Clerk(Rc<RefCell<Desk>>);

#[derive(Default)]
struct Desk {
    worker: Option<ComputeWorker>,
    files: Option<RunFiles>,
    last_number: u64,
    waiting: BTreeMap<u64, oneshot::Sender<Answer>>,
}

impl Clerk {
    /// Reads from these files from now on. Whatever was asked before is not answered any more.
    pub fn use_files(&self, files: RunFiles) {
        self.stop();
        self.0.borrow_mut().files = Some(files);
    }

    /// Ends whatever it does, at once.
    pub fn stop(&self) {
        let mut desk = self.0.borrow_mut();
        desk.worker = None;
        desk.waiting.clear();
    }

    /// The answer to a request.
    ///
    /// # Errors
    /// Why there is none, in words; nothing (an empty text) where nobody waits for it any more.
    pub async fn ask(&self, request: Request) -> Result<Answer, String> {
        let answer = self.post(request)?;
        match answer.await {
            Ok(Answer::Failed { message }) => Err(message),
            Ok(answer) => Ok(answer),
            Err(oneshot::Canceled) => Err(String::new()),
        }
    }

    fn post(&self, request: Request) -> Result<oneshot::Receiver<Answer>, String> {
        if self.0.borrow().worker.is_none() {
            self.start()?;
        }
        let mut desk = self.0.borrow_mut();
        desk.last_number += 1;
        let number = desk.last_number;
        let (sender, receiver) = oneshot::channel();
        desk.waiting.insert(number, sender);
        let worker = desk.worker.as_ref().ok_or("no web worker")?;
        worker.ask(&Question { number, request }, None)?;
        Ok(receiver)
    }

    fn start(&self) -> Result<(), String> {
        let here = Rc::downgrade(&self.0);
        let mut desk = self.0.borrow_mut();
        let worker = ComputeWorker::start(move |tiding| {
            if let Some(desk) = here.upgrade() {
                Self(desk).hear(tiding);
            }
        })?;
        if let Some(files) = &desk.files {
            worker.ask(&files_question(files), Some(&files.handles()))?;
        }
        desk.worker = Some(worker);
        Ok(())
    }

    fn hear(&self, tiding: Tiding) {
        let mut desk = self.0.borrow_mut();
        match tiding {
            Tiding::Reply(reply) => {
                if let Some(sender) = desk.waiting.remove(&reply.number) {
                    // Fails where nobody waits any more.
                    let _ = sender.send(reply.answer);
                }
            }
            Tiding::Died(reason) => {
                desk.worker = None;
                let message = format!("the web worker stopped: {reason}");
                for (_, sender) in std::mem::take(&mut desk.waiting) {
                    let _ = sender.send(Answer::Failed {
                        message: message.clone(),
                    });
                }
            }
        }
    }
}

/// What tells a worker its files.
pub(crate) fn files_question(files: &RunFiles) -> Question {
    Question {
        number: 0,
        request: Request::Files {
            name: files.name.clone(),
            paths: files.paths(),
        },
    }
}
