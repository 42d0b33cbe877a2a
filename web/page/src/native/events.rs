//! Server-sent events, as a stream of bytes brings them.
//!
//! A browser's own `EventSource` cannot show a token, so the page reads the stream by itself. The
//! format is that of the HTML standard, section 9.2.

use ckptscope_protocol::service::Told;
use ckptscope_web_browser::in_words;
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::ReadableStreamDefaultReader;

use super::{Answering, NativeError, NativeWorker, Payload};

/// More than this in one event is refused: no unit of an analysis is so long.
const MOST_BYTES: usize = 256 * 1024 * 1024;

/// A worker gives a sign of life every 15 seconds; after so many without one it is gone, whatever
/// the network says.
const LONGEST_SILENCE_SECONDS: u32 = 50;

/// What an analysis on a native worker tells. Dropping it ends the request, and nothing else.
pub struct Events {
    worker: NativeWorker,
    reader: ReadableStreamDefaultReader,
    parser: Parser,
    waiting: std::collections::VecDeque<StreamEvent>,
    _answering: Answering,
}

/// One event, as the stream has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamEvent {
    /// Its name; empty where it has none.
    pub name: String,
    /// What `Last-Event-ID` says to go on behind it; none where it has no id of its own.
    pub id: Option<String>,
    /// Its data.
    pub data: String,
}

impl Events {
    /// What an analysis tells, behind the unit whose id was told last.
    ///
    /// # Errors
    /// [`NativeError`], for people.
    pub async fn of(
        worker: &NativeWorker,
        analysis: &str,
        last: Option<&str>,
    ) -> Result<Self, NativeError> {
        let path = format!("api/analyses/{analysis}/events");
        let mut headers = vec![("accept", "text/event-stream")];
        headers.extend(last.map(|last| ("last-event-id", last)));
        let answering = worker
            .send("GET", &path, Payload::Nothing, &headers)
            .await?;
        let Some(stream) = answering.response.body() else {
            return Err(worker.foreign("events, and not nothing"));
        };
        Ok(Self {
            worker: worker.clone(),
            reader: stream.get_reader().unchecked_into(),
            parser: Parser::default(),
            waiting: std::collections::VecDeque::new(),
            _answering: answering,
        })
    }

    /// The next one and its id; none where the stream has ended.
    ///
    /// # Errors
    /// [`NativeError::Unreachable`] where the connection was lost, [`NativeError::Foreign`].
    pub async fn next(&mut self) -> Result<Option<(Told, Option<String>)>, NativeError> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                let told = self.told(&event)?;
                return Ok(Some((told, event.id)));
            }
            let Some(piece) = self.piece().await? else {
                return Ok(None);
            };
            self.waiting.extend(self.parser.take(&piece));
            if self.parser.bytes() > MOST_BYTES {
                return Err(self.worker.foreign("events of some length"));
            }
        }
    }

    async fn piece(&self) -> Result<Option<Vec<u8>>, NativeError> {
        let lost = |error: JsValue| NativeError::Unreachable {
            address: self.worker.address().to_owned(),
            reason: in_words(&error),
        };
        let silence = TimeoutFuture::new(LONGEST_SILENCE_SECONDS * 1000);
        let read = JsFuture::from(self.reader.read());
        let piece = match select(read, silence).await {
            Either::Left((piece, _)) => piece.map_err(lost)?,
            Either::Right(_) => {
                let words = format!("nothing was heard for {LONGEST_SILENCE_SECONDS} seconds");
                return Err(lost(js_sys::Error::new(&words).into()));
            }
        };
        let value = Reflect::get(&piece, &"value".into()).map_err(lost)?;
        Ok(value
            .dyn_into::<Uint8Array>()
            .ok()
            .map(|bytes| bytes.to_vec()))
    }

    fn told(&self, event: &StreamEvent) -> Result<Told, NativeError> {
        // The name of an event is that of a variant, and its data what the variant holds.
        let text = format!("{{\"{}\":{}}}", event.name, event.data);
        serde_json::from_str(&text).map_err(|error| self.worker.foreign(&error.to_string()))
    }
}

/// Cuts a stream into events.
#[derive(Debug, Default)]
pub struct Parser {
    /// The bytes of a line that has not ended.
    line: Vec<u8>,
    event: StreamEvent,
    has_data: bool,
}

impl Parser {
    /// The events that these bytes complete.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<StreamEvent> {
        let mut events = Vec::new();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.last() == Some(&b'\n') {
                let line = std::mem::take(&mut self.line);
                let line = String::from_utf8_lossy(&line);
                events.extend(self.take_line(line.trim_end_matches(['\n', '\r'])));
            }
        }
        events
    }

    /// Bytes of what is not complete.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.line.len() + self.event.data.len()
    }

    fn take_line(&mut self, line: &str) -> Option<StreamEvent> {
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return std::mem::take(&mut self.has_data).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "id" => self.event.id = Some(value.to_owned()),
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            // A comment, which keeps the connection alive, or how soon to come back.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{Parser, StreamEvent};

    const STREAM: &str = ": hello\n\nevent: unit\nid: 1-1\ndata: {\"a\":\ndata:  1}\n\nevent: state\r\ndata: ü\r\n\r\nid: 7\n\n";

    #[test]
    fn events_come_out_whole_however_they_are_cut() {
        let event = |name: &str, id: Option<&str>, data: &str| StreamEvent {
            name: name.to_owned(),
            id: id.map(str::to_owned),
            data: data.to_owned(),
        };
        let wanted = [
            event("unit", Some("1-1"), "{\"a\":\n 1}"),
            event("state", None, "ü"),
        ];
        for length in 1..STREAM.len() {
            let mut parser = Parser::default();
            let pieces = STREAM.as_bytes().chunks(length);
            let events: Vec<StreamEvent> = pieces.flat_map(|piece| parser.take(piece)).collect();
            assert_eq!(events, wanted);
        }
    }
}
