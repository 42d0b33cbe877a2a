//! What happens to an analysis, as server-sent events.
//!
//! The journal is the log of what was told: every listener reads it from where it is, so that
//! nobody's slowness costs anybody else anything.
//!
//! A line of the journal is sent as it is in the file. A `watch` wakes every listener when there is
//! more, five times a second at most: nobody has a queue that could fill. A listener that comes
//! back names the last line it heard.
//!
//! A listener who cannot be told everything hears no end: the stream breaks off, and the listener
//! asks again.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Response, header};
use ckptscope_protocol::service::AnalysisInfo;
use futures_util::future::{Either, select};
use futures_util::stream;
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::Server;
use super::jobs::{Job, Live};
use crate::journal::Head;

/// A listener who hears nothing else hears this often that the connection stands.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Who has heard everything hears of news this much later, and then of all there are: two hundred
/// who are woken for every unit would cost an analysis half of its time.
const PACE: Duration = Duration::from_millis(200);

/// So much of the journal is sent at a time, or one line if that is longer.
const PIECE_BYTES: usize = 64 * 1024;

/// Tells everything that happens to an analysis, from where the listener says it is.
pub(super) fn answer(server: &Arc<Server>, job: &Job, headers: &HeaderMap) -> Response<Body> {
    let heard = headers
        .get("last-event-id")
        .and_then(|id| Heard::of(id.to_str().ok()?));
    let listener = Listener {
        job: job.watch(),
        closing: server.closing.subscribe(),
        reading: Reading::of(server.data.journal(&job.info().id), heard),
        server: Arc::clone(server),
        plans: 0,
        told: None,
        has_news: false,
        is_at_end: false,
    };
    let events = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await.transpose()?;
        // A stream that breaks off says that not all was told: whoever listens asks again.
        listener.is_at_end |= event.is_err();
        Some((event, listener))
    });
    let mut response = Response::new(Body::from_stream(events));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that gather answers would hold events back.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// The event that a listener has heard last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Heard {
    generation: u64,
    number: u64,
}

impl Heard {
    fn of(id: &str) -> Option<Self> {
        let (generation, number) = id.split_once('-')?;
        Some(Self {
            generation: generation.parse().ok()?,
            number: number.parse().ok()?,
        })
    }
}

/// Somebody who listens.
struct Listener {
    server: Arc<Server>,
    job: watch::Receiver<Live>,
    closing: watch::Receiver<bool>,
    reading: Reading,
    /// The plan that was told, as [`Live::plans`] counts them.
    plans: u64,
    /// What was told last of how far it is, but for the units; and whether units came after it.
    told: Option<AnalysisInfo>,
    has_news: bool,
    is_at_end: bool,
}

impl Listener {
    /// What is to be sent next; none at the end. An error where something cannot be read now.
    async fn next(&mut self) -> Result<Option<Bytes>> {
        while !self.is_at_end {
            let live = self.job.borrow_and_update().clone();
            if live.is_removed {
                break;
            }
            if self.told.is_none() {
                return Ok(Some(self.tell_state(&live.info)));
            }
            if self.plans != live.plans {
                self.plans = live.plans;
                if let Some(plan) = self.plan(&live.info.id).await? {
                    self.has_news = true;
                    return Ok(Some(event("planned", None, plan.as_bytes())));
                }
            }
            // First the units, then that it is over: what is in the journal was told of then.
            if let Some(piece) = self.units(live.generation).await? {
                self.has_news = true;
                return Ok(Some(piece));
            }
            // The last thing that is told is how it ended, also to those who come later.
            let is_last = self.has_news && live.info.phase.is_over();
            if is_last || self.told.as_ref() != Some(&without_units(&live.info)) {
                return Ok(Some(self.tell_state(&live.info)));
            }
            if let Some(piece) = self.wait().await {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }

    fn tell_state(&mut self, info: &AnalysisInfo) -> Bytes {
        let text = serde_json::to_vec(info).unwrap_or_default();
        self.told = Some(without_units(info));
        self.has_news = false;
        event("state", None, &text)
    }

    async fn plan(&self, id: &str) -> Result<Option<String>> {
        let (store, id) = (Arc::clone(&self.server.store), id.to_owned());
        spawn_blocking(move || store.plan(&id)).await?
    }

    /// Units that were not told, or that some which were are taken back.
    async fn units(&mut self, generation: u64) -> Result<Option<Bytes>> {
        let mut reading = std::mem::take(&mut self.reading);
        let read = spawn_blocking(move || {
            let piece = reading.next(generation);
            (reading, piece)
        });
        let (reading, piece) = read.await?;
        self.reading = reading;
        piece
    }

    /// Waits until there may be more to tell; a sign of life where that takes long.
    async fn wait(&mut self) -> Option<Bytes> {
        if self.told.as_ref().is_some_and(|told| told.phase.is_over()) || *self.closing.borrow() {
            self.is_at_end = true;
            return None;
        }
        let (job, closing) = (&mut self.job, &mut self.closing);
        let changed = async { job.changed().await.is_ok() };
        let closing = async { closing.changed().await.is_ok() };
        let news = async {
            match select(Box::pin(changed), Box::pin(closing)).await {
                Either::Left((is_there, _)) | Either::Right((is_there, _)) => is_there,
            }
        };
        match tokio::time::timeout(HEARTBEAT, news).await {
            Ok(true) => {
                tokio::time::sleep(PACE).await;
                None
            }
            Ok(false) => {
                self.is_at_end = true;
                None
            }
            Err(_) => Some(Bytes::from_static(b":\n\n")),
        }
    }
}

fn without_units(info: &AnalysisInfo) -> AnalysisInfo {
    AnalysisInfo {
        units: 0,
        ..info.clone()
    }
}

/// Where somebody is in a journal.
#[derive(Default)]
struct Reading {
    path: PathBuf,
    heard: Option<Heard>,
    open: Option<Open>,
}

struct Open {
    file: BufReader<File>,
    generation: u64,
    /// The end of the last line that was read.
    offset: u64,
    /// Lines that were read.
    number: u64,
}

impl Reading {
    const fn of(path: PathBuf, heard: Option<Heard>) -> Self {
        Self {
            path,
            heard,
            open: None,
        }
    }

    /// The events of the next lines; none where there are no more now. `generation` is the
    /// journal's as far as that is known, 0 where it is not.
    fn next(&mut self, generation: u64) -> Result<Option<Bytes>> {
        let is_current = |open: &Open| generation == 0 || open.generation >= generation;
        if !self.open.as_ref().is_some_and(is_current) {
            self.open = Open::journal(&self.path)?;
        }
        let Some(open) = &mut self.open else {
            return Ok(None);
        };
        let mut piece = Vec::new();
        match self.heard {
            Some(heard) if heard.generation != open.generation => {
                piece.extend(event("again", None, b"{}"));
                self.heard = None;
            }
            Some(heard) => {
                open.skip(heard.number)?;
                if open.number < heard.number {
                    // Lines that were told are lost, as a power failure leaves it: from the start.
                    piece.extend(event("again", None, b"{}"));
                    open.rewind()?;
                }
            }
            None => {}
        }
        while piece.len() < PIECE_BYTES {
            let Some(line) = open.line()? else {
                break;
            };
            let id = format!("{}-{}", open.generation, open.number);
            piece.extend(event("unit", Some(&id), &line));
        }
        self.heard = Some(Heard {
            generation: open.generation,
            number: open.number,
        });
        Ok((!piece.is_empty()).then(|| piece.into()))
    }
}

impl Open {
    /// Opens a journal behind its head; none where that is not there yet.
    fn journal(path: &PathBuf) -> Result<Option<Self>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut open = Self {
            file: BufReader::new(file),
            generation: 0,
            offset: 0,
            number: 0,
        };
        let Some(head) = open.line()? else {
            return Ok(None);
        };
        open.generation = serde_json::from_slice::<Head>(&head)?.generation;
        open.number = 0;
        Ok(Some(open))
    }

    /// Back to the first line behind the head.
    fn rewind(&mut self) -> Result<()> {
        (self.offset, self.number) = (0, 0);
        self.file.seek(SeekFrom::Start(0))?;
        self.line()?;
        self.number = 0;
        Ok(())
    }

    /// Passes over what was heard.
    fn skip(&mut self, number: u64) -> Result<()> {
        while self.number < number && self.line()?.is_some() {}
        Ok(())
    }

    /// The next whole line. One that is being written waits until it is whole.
    fn line(&mut self) -> Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        self.file.read_until(b'\n', &mut line)?;
        if line.pop() != Some(b'\n') {
            self.file.seek(SeekFrom::Start(self.offset))?;
            return Ok(None);
        }
        self.offset += line.len() as u64 + 1;
        self.number += 1;
        Ok(Some(line))
    }
}

/// An event; its data is JSON, which has no line breaks.
fn event(name: &str, id: Option<&str>, data: &[u8]) -> Bytes {
    let mut text = format!("event: {name}\n").into_bytes();
    if let Some(id) = id {
        text.extend(format!("id: {id}\n").into_bytes());
    }
    text.extend(b"data: ");
    text.extend(data);
    text.extend(b"\n\n");
    text.into()
}
