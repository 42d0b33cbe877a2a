//! The page's end of a web worker.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Object, Promise, Reflect};
use leptos::prelude::document;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{ErrorEvent, MessageEvent, Worker};

use crate::fetch;
use crate::message::{Answer, Question, Reply};

/// The workers' program: fetched and compiled once, whatever number of workers runs it.
#[derive(Clone)]
pub struct Program {
    script: String,
    module: Promise,
}

/// What a worker tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Tiding {
    /// It answers.
    Reply(Reply),
    /// It will not answer any more: in words, why.
    Died(String),
}

/// A web worker; dropping it ends whatever it does, at once.
pub struct ComputeWorker {
    worker: Worker,
    /// Messages that wait until the worker is ready; none from then on.
    waiting: Rc<RefCell<Option<Vec<JsValue>>>>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(ErrorEvent)>,
}

impl Program {
    /// Begins to fetch and compile it.
    #[must_use]
    pub fn load() -> Self {
        let script = address("compute-script").unwrap_or_else(|| "compute_boot.js".to_owned());
        let wasm = address("compute-wasm").unwrap_or_else(|| "app_bg.wasm".to_owned());
        Self {
            script,
            module: js_sys::WebAssembly::compile_streaming(&fetch::request(&wasm)),
        }
    }
}

impl ComputeWorker {
    /// Starts a worker that tells `listener` its answers and its end.
    ///
    /// # Errors
    /// What the browser says when it has no web workers.
    pub fn start(
        program: &Program,
        listener: impl FnMut(Tiding) + 'static,
    ) -> Result<Self, String> {
        let worker = Worker::new(&program.script)
            .map_err(|error| format!("no web worker: {}", fetch::in_words(&error)))?;
        let listener = Rc::new(RefCell::new(listener));
        let waiting = Rc::new(RefCell::new(Some(Vec::new())));
        let on_message = message_handler(&worker, Rc::clone(&waiting), Rc::clone(&listener));
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        let tell = Rc::clone(&listener);
        let on_error = Closure::<dyn FnMut(ErrorEvent)>::new(move |event: ErrorEvent| {
            (tell.borrow_mut())(Tiding::Died(event.message()));
        });
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        spawn_local(hand_over(program.module.clone(), worker.clone(), listener));
        Ok(Self {
            worker,
            waiting,
            _on_message: on_message,
            _on_error: on_error,
        })
    }

    /// Asks; `files` are the handles that the question speaks of.
    ///
    /// # Errors
    /// What the browser says when it cannot post the question.
    pub fn ask(&self, question: &Question, files: Option<&Array>) -> Result<(), String> {
        let text = serde_json::to_string(question).map_err(|error| error.to_string())?;
        let files = files.map_or(JsValue::UNDEFINED, JsValue::from);
        let message = Array::of2(&text.into(), &files).into();
        if let Some(waiting) = self.waiting.borrow_mut().as_mut() {
            waiting.push(message);
            return Ok(());
        }
        self.worker
            .post_message(&message)
            .map_err(|error| fetch::in_words(&error))
    }
}

impl Drop for ComputeWorker {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

/// An address that the built page names; the build gives files names of their own.
fn address(name: &str) -> Option<String> {
    let selector = format!("meta[name={name}]");
    let element = document().query_selector(&selector).ok().flatten()?;
    element.get_attribute("content")
}

/// Gives the worker its program when it is compiled.
async fn hand_over(
    module: Promise,
    worker: Worker,
    listener: Rc<RefCell<impl FnMut(Tiding) + 'static>>,
) {
    let given = match JsFuture::from(module).await {
        Ok(module) => {
            let message = Object::new();
            let set = Reflect::set(&message, &"module".into(), &module);
            set.and_then(|_| worker.post_message(&message))
        }
        Err(error) => Err(error),
    };
    if let Err(error) = given {
        let reason = format!("its program did not load: {}", fetch::in_words(&error));
        (listener.borrow_mut())(Tiding::Died(reason));
    }
}

/// Sends what waits when the worker is ready and passes everything else on.
fn message_handler(
    worker: &Worker,
    waiting: Rc<RefCell<Option<Vec<JsValue>>>>,
    listener: Rc<RefCell<impl FnMut(Tiding) + 'static>>,
) -> Closure<dyn FnMut(MessageEvent)> {
    let worker = worker.clone();
    Closure::new(move |event: MessageEvent| {
        let tiding = tiding(&event.data());
        let is_ready = |reply: &Reply| reply.answer == Answer::Ready;
        if !matches!(&tiding, Tiding::Reply(reply) if is_ready(reply)) {
            (listener.borrow_mut())(tiding);
            return;
        }
        for message in waiting.take().unwrap_or_default() {
            if let Err(error) = worker.post_message(&message) {
                (listener.borrow_mut())(Tiding::Died(fetch::in_words(&error)));
            }
        }
    })
}

/// A reply as text, or an object that says why the worker died.
fn tiding(data: &JsValue) -> Tiding {
    if let Some(text) = data.as_string() {
        return serde_json::from_str(&text).map_or_else(
            |error| Tiding::Died(format!("it gave an answer not understood: {error}")),
            Tiding::Reply,
        );
    }
    let reason = Reflect::get(data, &"died".into()).ok();
    let reason = reason.and_then(|reason| reason.as_string());
    Tiding::Died(reason.unwrap_or_else(|| "it gave no reason".to_owned()))
}
