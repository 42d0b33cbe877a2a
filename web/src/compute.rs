//! The web worker: reads, computes, and tells the page.
//!
//! A question is taken apart here and answered by a module of its own; several may be under way
//! at once, and whichever waits for the browser lets the others go on.

mod check;
mod files;
mod lane;
mod memory;
mod network;
mod open;
mod opened;
mod plan;
mod post;
mod report;
mod speed;
mod tensor;
mod tensors;

pub use files::{BlobSource, FilesTree};

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use ckptscope_analysis::Registry;
use ckptscope_protocol::tab::{Answer, Found, Question, Remote, Reply, Request};
use ckptscope_results::{Results, Series};
use gloo_events::EventListener;
use js_sys::Array;
#[cfg(feature = "split")]
use leptos::wasm_split::wasm_split;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Blob, DedicatedWorkerGlobalScope, MessageEvent};

use crate::files::text_of;
use crate::part::{MissingPart, begin};
use network::Connection;
use opened::OpenedFiles;
use post::Outbox;

/// Answers the page's requests as soon as the part of the program that can is there.
pub fn begin() {
    spawn_local(async {
        if let Err(missing) = begin!(listen()) {
            // `compute_boot.js` tells the page.
            wasm_bindgen::throw_str(&missing.to_string());
        }
    });
}

/// Answers the page's requests from now on.
#[cfg_attr(
    feature = "split",
    wasm_split(compute, wasm_split_path = ::leptos::wasm_split, fallible)
)]
#[expect(clippy::unnecessary_wraps, reason = "fails where the part is missing")]
fn listen() -> Result<(), MissingPart> {
    let handler = Rc::new(RequestHandler::new(post));
    let listener = EventListener::new(&scope(), "message", move |event| {
        let event: &MessageEvent = event.unchecked_ref();
        receive(&handler, &event.data());
    });
    listener.forget();
    let answer = Answer::Ready;
    post(&Reply { number: 0, answer });
    Ok(())
}

/// So many numbers of a results file go to the page at once: it takes them in within some
/// milliseconds.
const NUMBERS_AT_ONCE: usize = 4_000;

/// Answers requests; it keeps what is open from one to the next.
pub struct RequestHandler {
    registry: Registry,
    files: RefCell<Option<Rc<OpenedFiles>>>,
    /// The way to the files, where they are somewhere else.
    connection: RefCell<Option<Rc<Connection>>>,
    flops_per_second: OnceCell<f64>,
    tell: Box<dyn Fn(&Reply)>,
}

/// Takes a message in. New files count at once, for every question that comes after them.
fn receive(handler: &Rc<RequestHandler>, data: &JsValue) {
    let question = match read(data) {
        Ok(question) => question,
        Err(message) => {
            let answer = Answer::Failed { message };
            return (handler.tell)(&Reply { number: 0, answer });
        }
    };
    match question.request {
        Request::Files { name, paths } => {
            let files = paths.into_iter().zip(blobs_of(data));
            return handler.use_files(FilesTree::new(name, files));
        }
        Request::Remote(remote) => return handler.use_remote(*remote),
        Request::ResultsFile => {
            let (number, file) = (question.number, blobs_of(data).into_iter().next());
            let handler = Rc::clone(handler);
            return spawn_local(async move { handler.answer_file(number, file).await });
        }
        _ => {}
    }
    let handler = Rc::clone(handler);
    spawn_local(async move { handler.answer(question).await });
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

/// Posts a reply to the page.
fn post(reply: &Reply) {
    // Both can fail only where the page is gone, and then nobody listens.
    if let Ok(text) = serde_json::to_string(reply) {
        let _ = scope().post_message(&text.into());
    }
}

fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

impl RequestHandler {
    /// With nothing open yet; replies go to `tell`.
    pub fn new(tell: impl Fn(&Reply) + 'static) -> Self {
        Self {
            registry: Registry::default(),
            files: RefCell::new(None),
            connection: RefCell::new(None),
            flops_per_second: OnceCell::new(),
            tell: Box::new(tell),
        }
    }

    /// Reads from these files from now on.
    pub fn use_files(&self, files: FilesTree) {
        let files = OpenedFiles::new(Box::new(files), Vec::new());
        self.connection.replace(None);
        self.files.replace(Some(Rc::new(files)));
    }

    /// Reads from somewhere else from now on.
    pub fn use_remote(&self, remote: Remote) {
        let connected = Connection::new(remote).and_then(|connection| {
            let files = connection.listed()?;
            self.files.replace(files.map(Rc::new));
            self.connection.replace(Some(Rc::new(connection)));
            Ok(())
        });
        if let Err(message) = connected {
            let answer = Answer::Failed { message };
            (self.tell)(&Reply { number: 0, answer });
        }
    }

    /// Answers a question: with what was asked for, or in words why it cannot be had.
    pub async fn answer(&self, question: Question) {
        let number = question.number;
        let answer = self.find_answer(number, question.request);
        let connection = self.connection.borrow().clone();
        let answer = match connection {
            None => answer.await,
            Some(connection) => {
                let tell = |news| {
                    let answer = Answer::Network(news);
                    (self.tell)(&Reply { number, answer });
                };
                connection.while_telling(answer, tell).await
            }
        };
        let answer = answer.unwrap_or_else(|message| Answer::Failed { message });
        (self.tell)(&Reply { number, answer });
    }

    async fn find_answer(&self, number: u64, request: Request) -> Result<Answer, String> {
        let registry = &self.registry;
        match request {
            Request::Files { .. } | Request::Remote(_) | Request::ResultsFile => {
                Err("files come with a message of their own".to_owned())
            }
            Request::Open => {
                let found = self.list().await?;
                open::open(&*self.files()?, found, registry, self.speed()).await
            }
            Request::Check { text } => check::text(&*self.files()?, registry, text).await,
            Request::Compose { form } => check::form(&*self.files()?, registry, form).await,
            Request::Plan { text, workers } => {
                plan::plan(&*self.files()?, registry, &text, workers).await
            }
            Request::Lane { lane } => {
                let mut outbox = Outbox::new(number, &*self.tell);
                lane::compute(&*self.files()?.tree, registry, &lane, &mut outbox).await
            }
            Request::Tensors { part } => tensors::list(&*self.files()?, part).await,
            Request::Tensor { part, path, name } => {
                tensor::view(&*self.files()?, self.speed(), part, &path, &name).await
            }
            Request::Needed => self.files()?.needed().await,
            Request::Report { results } => report::report(*results).await,
            Request::Results { text } => self.read_results(number, &text),
        }
    }

    /// Answers what a results file holds that came with a message.
    async fn answer_file(&self, number: u64, file: Option<Blob>) {
        let text = match file {
            Some(file) => text_of(&file).await,
            None => Err("the file did not come with its request".to_owned()),
        };
        match text {
            Ok(text) => {
                let request = Request::Results { text };
                self.answer(Question { number, request }).await;
            }
            Err(message) => {
                let answer = Answer::Failed { message };
                (self.tell)(&Reply { number, answer });
            }
        }
    }

    /// Tells the numbers of a results file piece by piece, and then the rest.
    fn read_results(&self, number: u64, text: &str) -> Result<Answer, String> {
        let results = Results::parse(text).map_err(|error| error.to_string())?;
        let mut piece = Vec::new();
        let mut numbers = 0;
        for series in results.series.iter() {
            numbers += series.len();
            piece.push(Series::clone(series));
            if numbers >= NUMBERS_AT_ONCE {
                numbers = 0;
                let series = std::mem::take(&mut piece);
                let answer = Answer::Series { series };
                (self.tell)(&Reply { number, answer });
            }
        }
        let answer = Answer::Series { series: piece };
        (self.tell)(&Reply { number, answer });
        Ok(Answer::Results(Box::new(results.without_numbers())))
    }

    /// Lists what is somewhere else and was not listed before.
    async fn list(&self) -> Result<Option<Found>, String> {
        let connection = self.connection.borrow().clone();
        let Some(connection) = connection.filter(|_| self.files.borrow().is_none()) else {
            return Ok(None);
        };
        let (files, found) = connection.list().await?;
        self.files.replace(Some(Rc::new(files)));
        Ok(Some(found))
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
