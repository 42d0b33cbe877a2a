//! The web worker: reads, computes, and tells the page.
//!
//! A message is taken apart here and answered by a module of its own; several may be under way
//! at once, and whichever waits for the browser lets the others go on.

mod audit;
mod check;
mod files;
mod lane;
mod memory;
mod network;
mod open;
mod opened;
mod plan;
mod post;
mod remote;
mod report;
mod sending;
mod speed;
mod tensor;
mod tensors;

pub use files::{BlobSource, FilesTree};

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use ckptscope_analysis::Registry;
use ckptscope_protocol::tab::{
    Answer, Found, Listed, Message, News, Question, Remote, Reply, RunChoices,
};
use ckptscope_results::{Results, Series};
use ckptscope_web_browser::part::{MissingPart, begin};
use ckptscope_web_browser::text_of;
#[cfg(feature = "split")]
use ckptscope_web_browser::wasm_split::wasm_split;
use futures_util::future::{FutureExt, LocalBoxFuture, Shared};
use gloo_events::EventListener;
use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Blob, DedicatedWorkerGlobalScope, MessageEvent};

use opened::OpenedFiles;
use post::Outbox;
use remote::Connection;

/// Answers the page's questions as soon as the part of the program that can is there.
pub fn begin() {
    spawn_local(async {
        if let Err(missing) = begin!(listen()) {
            // `compute_boot.js` tells the page.
            wasm_bindgen::throw_str(&missing.to_string());
        }
    });
}

/// Answers the page's questions from now on.
#[cfg_attr(
    feature = "split",
    wasm_split(compute, wasm_split_path = ::ckptscope_web_browser::wasm_split, fallible)
)]
#[expect(clippy::unnecessary_wraps, reason = "fails where the part is missing")]
fn listen() -> Result<(), MissingPart> {
    let handler = Rc::new(RequestHandler::new(post));
    let listener = EventListener::new(&scope(), "message", move |event| {
        let event: &MessageEvent = event.unchecked_ref();
        receive(&handler, &event.data());
    });
    listener.forget();
    let news = News::Ready;
    post(&Reply { number: 0, news });
    Ok(())
}

/// So many numbers of a results file go to the page at once: it takes them in within some
/// milliseconds.
const NUMBERS_AT_ONCE: usize = 2_000;

/// Answers questions; it keeps what is open from one to the next.
pub struct RequestHandler {
    registry: Registry,
    files: RefCell<Option<Rc<OpenedFiles>>>,
    /// The way to the files, where they are somewhere else.
    connection: RefCell<Option<Connected>>,
    /// How often something was opened: what is known too late counts no more.
    opened: Cell<u64>,
    tell: Rc<dyn Fn(&Reply)>,
}

/// The way to files, once it is known, or why there is none: what speaks to a network may have to be
/// fetched first.
type Connected = Shared<LocalBoxFuture<'static, Result<Rc<dyn Connection>, String>>>;

/// Takes a message in. New files count at once, for every question that comes after them.
fn receive(handler: &Rc<RequestHandler>, data: &JsValue) {
    match read(data) {
        Ok(Message::Files { name, paths }) => {
            let files = paths.into_iter().zip(blobs_of(data));
            handler.use_files(FilesTree::new(name, files));
        }
        Ok(Message::Remote(remote)) => spawn_local(handler.use_remote(*remote)),
        Ok(Message::Question { number, question }) => {
            let file = blobs_of(data).into_iter().next();
            let handler = Rc::clone(handler);
            spawn_local(async move { handler.answer(number, *question, file).await });
        }
        Err(message) => handler.fail(message),
    }
}

fn read(data: &JsValue) -> Result<Message, String> {
    let text = data.dyn_ref::<Array>().map(|message| message.get(0));
    let text = text.and_then(|text| text.as_string()).unwrap_or_default();
    serde_json::from_str(&text)
        .map_err(|error| format!("a message was not understood: {error}; reload the page"))
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
            opened: Cell::default(),
            tell: Rc::new(tell),
        }
    }

    /// Reads from these files from now on.
    pub fn use_files(&self, files: FilesTree) {
        let files = OpenedFiles::new(Box::new(files));
        self.opened.update(|count| count + 1);
        self.connection.replace(None);
        self.files.replace(Some(Rc::new(files)));
    }

    /// Reads from somewhere else from now on, also before what comes back has ended.
    pub fn use_remote(self: &Rc<Self>, remote: Remote) -> impl Future<Output = ()> + 'static {
        let handler = Rc::downgrade(self);
        self.opened.update(|count| count + 1);
        let opened = self.opened.get();
        let connected = async move {
            let connection = remote::connect(remote).await?;
            let files = connection.listed()?;
            if let Some(handler) = handler.upgrade().filter(|it| it.opened.get() == opened) {
                handler.files.replace(files.map(Rc::new));
            }
            Ok(connection)
        };
        let connected = connected.boxed_local().shared();
        self.files.replace(None);
        self.connection.replace(Some(connected.clone()));
        connected.map(drop)
    }

    /// The way to the files; none where they are here. What is opened meanwhile counts.
    async fn connection(&self) -> Result<Option<Rc<dyn Connection>>, String> {
        loop {
            let opened = self.opened.get();
            let connected = self.connection.borrow().clone();
            let connection = match connected {
                Some(connected) => connected.await.map(Some),
                None => Ok(None),
            };
            if self.opened.get() == opened {
                return connection;
            }
        }
    }

    /// Tells what failed that belongs to no question.
    fn fail(&self, message: String) {
        self.tell(0, News::Failed { message });
    }

    fn tell(&self, number: u64, news: News) {
        (self.tell)(&Reply { number, news });
    }

    /// Answers a question: with what was asked for, or in words why it cannot be had. `file` came
    /// with it.
    pub async fn answer(&self, number: u64, question: Question, file: Option<Blob>) {
        let answer = self.find_answer(number, question, file);
        let answer = match self.connection().await {
            Err(message) => Err(message),
            Ok(None) => answer.await,
            Ok(Some(connection)) => {
                let tell = |news| self.tell(number, News::Network(news));
                remote::while_telling(&*connection, answer, tell).await
            }
        };
        if let Some(listed) = self.newly_listed().await {
            self.tell(number, News::Listed(Box::new(listed)));
        }
        self.tell(
            number,
            match answer {
                Ok(answer) => News::Answer(answer),
                Err(message) => News::Failed { message },
            },
        );
    }

    async fn find_answer(
        &self,
        number: u64,
        question: Question,
        file: Option<Blob>,
    ) -> Result<Answer, String> {
        let registry = &self.registry;
        Ok(match question {
            Question::MeasureSpeed(_) => Answer::MeasureSpeed(speed::measure()),
            Question::OpenRun(_) => {
                let found = self.list().await?;
                let files = self.files()?;
                Answer::OpenRun(open::open(&files, found, registry).await?)
            }
            Question::ListChoices(_) => Answer::ListChoices(self.choices().await),
            Question::CheckText(it) => {
                Answer::CheckText(check::text(&*self.files()?, registry, it).await?)
            }
            Question::CheckForm(it) => {
                Answer::CheckForm(check::form(&*self.files()?, registry, it).await?)
            }
            Question::MakePlan(it) => {
                Answer::MakePlan(plan::plan(&*self.files()?, registry, &it).await?)
            }
            Question::ComputeLane(it) => {
                let (files, mut outbox) = (self.files()?, Outbox::new(number, &*self.tell));
                Answer::ComputeLane(lane::compute(&files, registry, &it, &mut outbox).await?)
            }
            Question::ListTensors(it) => {
                Answer::ListTensors(tensors::list(&*self.files()?, it.part).await?)
            }
            Question::ViewTensor(it) => {
                Answer::ViewTensor(tensor::view(&*self.files()?, it).await?)
            }
            Question::ViewSpectrum(it) => {
                Answer::ViewSpectrum(tensor::spectrum(&*self.files()?, it).await?)
            }
            Question::AuditRun(_) => {
                let tell = Rc::clone(&self.tell);
                let tell = move |progress| {
                    let news = News::Audit(progress);
                    tell(&Reply { number, news });
                };
                Answer::AuditRun(audit::audit(self.files()?, Rc::new(tell)).await?)
            }
            Question::ListNeeded(_) => Answer::ListNeeded(self.files()?.needed().await?),
            Question::WriteReport(it) => Answer::WriteReport(report::report(*it.results).await?),
            Question::ReadResults(_) => Answer::ReadResults(self.read_results(number, file).await?),
        })
    }

    /// Among what somebody has to choose, where nothing could be opened.
    async fn choices(&self) -> RunChoices {
        let connection = self.connection().await.ok().flatten();
        let files = self.files.borrow().clone();
        match (files, connection) {
            (Some(files), _) => files.choices().await,
            (None, connection) => RunChoices {
                paths: connection.map(|it| it.choices()).unwrap_or_default(),
            },
        }
    }

    /// Tells the numbers of a results file piece by piece, and gives the rest.
    async fn read_results(&self, number: u64, file: Option<Blob>) -> Result<Box<Results>, String> {
        let file = file.ok_or("the file did not come with its question")?;
        let results = Results::parse(&text_of(&file).await?).map_err(|error| error.to_string())?;
        let mut piece = Vec::new();
        let mut numbers = 0;
        for series in results.series.iter() {
            numbers += series.len();
            piece.push(Series::clone(series));
            if numbers >= NUMBERS_AT_ONCE {
                numbers = 0;
                self.tell(number, News::Series(std::mem::take(&mut piece)));
            }
        }
        self.tell(number, News::Series(piece));
        Ok(Box::new(results.without_numbers()))
    }

    /// Lists what is somewhere else and was not listed before.
    async fn list(&self) -> Result<Option<Found>, String> {
        let connection = self.connection().await?;
        let Some(connection) = connection.filter(|_| self.files.borrow().is_none()) else {
            return Ok(None);
        };
        let opened = self.opened.get();
        let (files, found) = connection.list().await?;
        if self.opened.get() == opened {
            self.files.replace(Some(Rc::new(files)));
        }
        Ok(Some(found))
    }

    /// What there is of a repository, where some of its steps were listed since the page heard of
    /// it.
    async fn newly_listed(&self) -> Option<Listed> {
        let files = self.files().ok()?;
        let tree = files.repository().filter(|_| files.has_listed())?;
        let run = files.run().await.ok()?;
        let (count, bytes) = files.extent();
        Some(Listed {
            listed: tree.listed().ok()?,
            files: count,
            bytes,
            steps: open::steps(&run, &files),
            broken_steps: open::broken_steps(&run),
            warnings: run.warnings.clone(),
        })
    }

    fn files(&self) -> Result<Rc<OpenedFiles>, String> {
        let files = self.files.borrow();
        files
            .clone()
            .ok_or_else(|| "no files are open: drop a run's folder first".to_owned())
    }
}
