//! The web worker: reads, computes, and tells the page.
//!
//! A question is taken apart here and answered by a module of its own; several may be under way
//! at once, and whichever waits for the browser lets the others go on.

mod check;
mod files;
mod lane;
mod open;
mod opened;
mod plan;
mod post;
mod speed;
mod tensor;
mod tensors;

pub use files::{BlobSource, FilesTree};

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use js_sys::Array;
use trainscope_analysis::Registry;
use trainscope_analysis::results::Results;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Blob, MessageEvent};

use crate::message::{Answer, Question, Request};
use opened::OpenedFiles;

/// Answers the page's requests from now on.
pub fn listen() {
    let desk = Rc::new(Desk::default());
    let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        receive(&desk, &event.data());
    });
    post::scope().set_onmessage(Some(listener.as_ref().unchecked_ref()));
    listener.forget();
    post::reply(0, Answer::Ready);
}

/// What the worker remembers from one question to the next.
#[derive(Default)]
struct Desk {
    registry: Registry,
    files: RefCell<Option<Rc<OpenedFiles>>>,
    flops_per_second: OnceCell<f64>,
}

/// Takes a message in. New files count at once, for every question that comes after them.
fn receive(desk: &Rc<Desk>, data: &JsValue) {
    let question = match read(data) {
        Ok(question) => question,
        Err(message) => return post::reply(0, Answer::Failed { message }),
    };
    let number = question.number;
    if let Request::Files { name, paths } = question.request {
        let blobs = blobs_of(data);
        let files = FilesTree::new(name, paths.into_iter().zip(blobs));
        *desk.files.borrow_mut() = Some(Rc::new(OpenedFiles::new(files)));
        return;
    }
    let desk = Rc::clone(desk);
    spawn_local(async move {
        let answer = desk.answer(number, question.request).await;
        post::reply(
            number,
            answer.unwrap_or_else(|message| Answer::Failed { message }),
        );
    });
}

fn read(data: &JsValue) -> Result<Question, String> {
    let text = data.dyn_ref::<Array>().map(|message| message.get(0));
    let text = text.and_then(|text| text.as_string()).unwrap_or_default();
    serde_json::from_str(&text)
        .map_err(|error| format!("a request was not understood: {error}; reload the page"))
}

/// The files that came with a message.
fn blobs_of(data: &JsValue) -> Vec<Blob> {
    let files = data.dyn_ref::<Array>().map(|message| message.get(1));
    let files = files.and_then(|files| files.dyn_into::<Array>().ok());
    let files = files.unwrap_or_default();
    files
        .iter()
        .filter_map(|file| file.dyn_into::<Blob>().ok())
        .collect()
}

impl Desk {
    /// The answer, or in words why there is none.
    async fn answer(&self, number: u64, request: Request) -> Result<Answer, String> {
        match request {
            // Taken in as they come.
            Request::Files { .. } => Ok(Answer::Ready),
            Request::Open => open::open(&*self.files()?, &self.registry, self.speed()).await,
            Request::Check { text } => check::text(&*self.files()?, &self.registry, text).await,
            Request::Compose { form } => check::form(&*self.files()?, &self.registry, form).await,
            Request::Plan { text, workers } => {
                plan::plan(&*self.files()?, &self.registry, &text, workers).await
            }
            Request::Lane { lane } => {
                lane::compute(number, &self.files()?.tree, &self.registry, &lane).await
            }
            Request::Tensors { part } => tensors::list(&*self.files()?, part).await,
            Request::Tensor { part, path, name } => {
                tensor::view(&*self.files()?, self.speed(), part, &path, &name).await
            }
            Request::Results { text } => Results::parse(&text)
                .map(|results| Answer::Results(Box::new(results)))
                .map_err(|error| error.to_string()),
        }
    }

    fn files(&self) -> Result<Rc<OpenedFiles>, String> {
        let files = self.files.borrow();
        files
            .clone()
            .ok_or_else(|| "no files are open: drop a run's folder first".to_owned())
    }

    /// Floating-point operations per second, measured when it is first asked for.
    fn speed(&self) -> f64 {
        *self.flops_per_second.get_or_init(speed::measure)
    }
}
