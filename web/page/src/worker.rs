//! The page's end of a web worker.
//!
//! Each web worker starts from `compute_boot.js`, to which the page posts the compiled module. What
//! ends a worker's wasm comes back as `{died: "reason"}`. `<meta name="compute-script">` says where
//! that file is.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use ckptscope_protocol::tab::{Message, News, Reply};
use ckptscope_web_browser::in_words;
use gloo_events::EventListener;
use js_sys::{Array, Object, Reflect};
use leptos::prelude::document;
use wasm_bindgen::prelude::*;
use web_sys::{ErrorEvent, MessageEvent, Worker};

/// What a web worker tells; where it will tell nothing more, in words why.
pub type Heard = Result<Reply, String>;

/// A web worker; dropping it ends whatever it does, at once.
pub struct ComputeWorker {
    worker: Worker,
    /// Messages that wait until the worker is ready; none from then on.
    waiting: Waiting,
    _listeners: [EventListener; 2],
}

type Waiting = Rc<RefCell<Option<Vec<JsValue>>>>;

/// A worker that was started before somebody needs one.
struct Spare {
    worker: Worker,
    waiting: Waiting,
    is_dead: Rc<Cell<bool>>,
    _listeners: [EventListener; 2],
}

thread_local! {
    static SPARES: RefCell<VecDeque<Spare>> = const { RefCell::new(VecDeque::new()) };
}

/// Has so many workers start that those who need one next find theirs ready: to start takes some
/// 200 ms. Where the browser has none, whoever needs one is told.
pub fn keep_ready(count: usize) {
    SPARES.with_borrow_mut(|spares| {
        while spares.len() < count {
            let Ok(spare) = Spare::start() else { return };
            spares.push_back(spare);
        }
    });
}

impl Spare {
    fn start() -> Result<Self, JsValue> {
        let worker = started()?;
        let waiting = nothing_yet();
        let is_dead = Rc::new(Cell::new(false));
        let (ready, died) = (Rc::clone(&waiting), Rc::clone(&is_dead));
        let on_message = EventListener::new(&worker, "message", move |event| {
            let event: &MessageEvent = event.unchecked_ref();
            // Before it is asked anything, it tells nothing else than that it is ready.
            if event.data().is_string() {
                ready.take();
            } else {
                died.set(true);
            }
        });
        let failed = Rc::clone(&is_dead);
        let on_error = EventListener::new(&worker, "error", move |_| failed.set(true));
        Ok(Self {
            worker,
            waiting,
            is_dead,
            _listeners: [on_message, on_error],
        })
    }

    /// One that lives, with what waits for it; whoever takes it listens to it from now on.
    fn take() -> Option<(Worker, Waiting)> {
        while let Some(spare) = SPARES.with_borrow_mut(VecDeque::pop_front) {
            if !spare.is_dead.get() {
                return Some((spare.worker, spare.waiting));
            }
            spare.worker.terminate();
        }
        None
    }
}

fn nothing_yet() -> Waiting {
    Waiting::new(RefCell::new(Some(Vec::new())))
}

impl ComputeWorker {
    /// Starts a worker that tells `listener` its replies and its end. It runs the program that the
    /// page itself runs, which is compiled already.
    ///
    /// # Errors
    /// What the browser says when it has no web workers.
    pub fn start(listener: impl FnMut(Heard) + 'static) -> Result<Self, String> {
        let found = match Spare::take() {
            Some(spare) => Ok(spare),
            None => started().map(|worker| (worker, nothing_yet())),
        };
        let (worker, waiting) =
            found.map_err(|error| format!("no web worker: {}", in_words(&error)))?;
        let listener = Rc::new(RefCell::new(listener));
        let on_message = message_handler(&worker, Rc::clone(&waiting), Rc::clone(&listener));
        let on_error = EventListener::new(&worker, "error", move |event| {
            let event: &ErrorEvent = event.unchecked_ref();
            (listener.borrow_mut())(Err(event.message()));
        });
        Ok(Self {
            worker,
            waiting,
            _listeners: [on_message, on_error],
        })
    }

    /// Posts a message; `files` are the handles that it speaks of.
    ///
    /// # Errors
    /// What the browser says when it cannot post the message.
    pub fn post(&self, message: &Message, files: Option<&Array>) -> Result<(), String> {
        let text = serde_json::to_string(message).map_err(|error| error.to_string())?;
        let files = files.map_or(JsValue::UNDEFINED, JsValue::from);
        let message = Array::of2(&text.into(), &files).into();
        if let Some(waiting) = self.waiting.borrow_mut().as_mut() {
            waiting.push(message);
            return Ok(());
        }
        self.worker
            .post_message(&message)
            .map_err(|error| in_words(&error))
    }
}

impl Drop for ComputeWorker {
    fn drop(&mut self) {
        self.worker.terminate();
    }
}

/// A worker that has its program. The built page names its script, because files get names of
/// their own.
fn started() -> Result<Worker, JsValue> {
    let named = document().query_selector("meta[name=compute-script]")?;
    let script = named.and_then(|meta| meta.get_attribute("content"));
    let worker = Worker::new(&script.unwrap_or_default())?;
    let message = Object::new();
    Reflect::set(&message, &"module".into(), &wasm_bindgen::module())?;
    worker.post_message(&message)?;
    Ok(worker)
}

/// Sends what waits when the worker is ready and passes everything else on.
fn message_handler(
    worker: &Worker,
    waiting: Waiting,
    listener: Rc<RefCell<impl FnMut(Heard) + 'static>>,
) -> EventListener {
    let target = worker.clone();
    let worker = worker.clone();
    EventListener::new(&target, "message", move |event| {
        let event: &MessageEvent = event.unchecked_ref();
        let told = told_by(&event.data());
        if !matches!(&told, Ok(reply) if matches!(reply.news, News::Ready)) {
            (listener.borrow_mut())(told);
            return;
        }
        for message in waiting.take().unwrap_or_default() {
            if let Err(error) = worker.post_message(&message) {
                (listener.borrow_mut())(Err(in_words(&error)));
            }
        }
    })
}

/// A reply as text, or an object that says why the worker died.
fn told_by(data: &JsValue) -> Heard {
    if let Some(text) = data.as_string() {
        return serde_json::from_str(&text)
            .map_err(|error| format!("it gave an answer not understood: {error}"));
    }
    let reason = Reflect::get(data, &"died".into()).ok();
    let reason = reason.and_then(|reason| reason.as_string());
    Err(reason.unwrap_or_else(|| "it gave no reason".to_owned()))
}
