//! The page's end of the web worker.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{ErrorEvent, MessageEvent, Worker};

use crate::message::{Answer, Request};

/// The worker's loader, from the page.
const SCRIPT: &str = "compute_loader.js";

/// A web worker; dropping it ends whatever it does, at once.
pub struct ComputeWorker {
    worker: Worker,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(ErrorEvent)>,
}

impl ComputeWorker {
    /// Starts a worker that will do `request` and tell `listener` its answers, failures included.
    ///
    /// # Errors
    /// What the browser says when it has no web workers.
    pub fn start(request: Request, listener: impl FnMut(Answer) + 'static) -> Result<Self, String> {
        let worker = Worker::new(SCRIPT).map_err(|error| format!("no web worker: {error:?}"))?;
        let listener = Rc::new(RefCell::new(listener));
        let on_message = message_handler(worker.clone(), request, Rc::clone(&listener));
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        let on_error = Closure::<dyn FnMut(ErrorEvent)>::new(move |event: ErrorEvent| {
            let message = format!("the web worker stopped: {}", event.message());
            (listener.borrow_mut())(Answer::Failed { message });
        });
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Ok(Self {
            worker,
            _on_message: on_message,
            _on_error: on_error,
        })
    }
}

impl Drop for ComputeWorker {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

/// Sends `request` when the worker is ready and passes everything else on.
fn message_handler(
    worker: Worker,
    request: Request,
    listener: Rc<RefCell<impl FnMut(Answer) + 'static>>,
) -> Closure<dyn FnMut(MessageEvent)> {
    let mut request = Some(request);
    Closure::new(move |event: MessageEvent| {
        let text = event.data().as_string().unwrap_or_default();
        let answer = serde_json::from_str(&text).unwrap_or_else(|error| Answer::Failed {
            message: format!("an answer not understood: {error}"),
        });
        if answer != Answer::Ready {
            (listener.borrow_mut())(answer);
        } else if let Some(request) = request.take() {
            send(&worker, &request, &listener);
        }
    })
}

fn send(worker: &Worker, request: &Request, listener: &Rc<RefCell<impl FnMut(Answer) + 'static>>) {
    let sent = match serde_json::to_string(request) {
        Ok(text) => worker
            .post_message(&text.into())
            .map_err(|error| format!("{error:?}")),
        Err(error) => Err(error.to_string()),
    };
    if let Err(message) = sent {
        (listener.borrow_mut())(Answer::Failed { message });
    }
}
