//! The records of an offline run: messages of W&B's `wandb_internal.proto`.
//!
//! Field numbers are the schema's. Values are JSON texts, by the names they have in charts.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use crate::protobuf::Message;
use crate::run::{Row, Run};

const PRODUCER: &str = concat!("ckptscope-wandb ", env!("CARGO_PKG_VERSION"));

/// What a reader must be, at least: the records that we write are older than that.
const MINIMUM_CONSUMER: &str = "0.13.0";

/// What a record is, by its field in `Record`.
#[derive(Clone, Copy)]
enum Kind {
    History = 2,
    Summary = 3,
    Config = 5,
    Run = 17,
    Exit = 18,
    Final = 20,
    Header = 21,
    Footer = 22,
}

/// A record without its number.
pub(crate) struct Record(Kind, Message);

impl Record {
    /// Who wrote the file.
    pub(crate) fn header() -> Self {
        let version = Message::default()
            .text(1, PRODUCER)
            .text(2, MINIMUM_CONSUMER);
        Self(Kind::Header, Message::default().message(1, &version))
    }

    /// What is known before the first row.
    pub(crate) fn run(run: &Run) -> Self {
        let mut message = Message::default()
            .text(1, run.id.as_str())
            .text(2, given(&run.entity))
            .text(3, &run.project)
            .message(4, &updates(&run.config))
            .text(6, given(&run.group))
            .text(7, given(&run.job_type))
            .text(8, &run.name)
            .text(9, given(&run.notes));
        for tag in &run.tags {
            message = message.repeated_text(10, tag);
        }
        let message = message
            .text(12, given(&run.sweep_id))
            .text(13, given(&run.host))
            .message(17, &timestamp(run.started));
        Self(Kind::Run, message)
    }

    /// The config once more, for readers that look for it in a record of its own.
    pub(crate) fn config(run: &Run) -> Self {
        Self(Kind::Config, updates(&run.config))
    }

    /// A row: `HistoryRecord`.
    pub(crate) fn history(row: &Row, started: SystemTime) -> Self {
        let step = i64::try_from(row.step()).unwrap_or(i64::MAX);
        let step = Message::default().number(1, step);
        let items = updates(&row.object(started));
        Self(Kind::History, items.message(2, &step))
    }

    /// What a row changes of the summary: `SummaryRecord`.
    pub(crate) fn summary(row: &Row, started: SystemTime) -> Self {
        Self(Kind::Summary, updates(&row.object(started)))
    }

    /// How long the run took, where W&B's own client puts it: below `_wandb`.
    pub(crate) fn summary_runtime(runtime: Duration) -> Self {
        let item = Message::default()
            .repeated_text(2, "_wandb")
            .repeated_text(2, "runtime")
            .text(16, &runtime.as_secs().to_string());
        Self(Kind::Summary, Message::default().message(1, &item))
    }

    /// How the run ended.
    pub(crate) fn exit(exit_code: i32, runtime: Duration) -> Self {
        let seconds = i32::try_from(runtime.as_secs()).unwrap_or(i32::MAX);
        let message = Message::default()
            .number(1, exit_code.into())
            .number(2, seconds.into());
        Self(Kind::Exit, message)
    }

    /// That nothing of the run follows.
    pub(crate) fn end() -> [Self; 2] {
        [Kind::Final, Kind::Footer].map(|kind| Self(kind, Message::default()))
    }

    /// The bytes of the record with this number, counted from 1.
    pub(crate) fn encode(&self, number: i64) -> Vec<u8> {
        let Self(kind, message) = self;
        Message::default()
            .number(1, number)
            .message(*kind as u32, message)
            .into_bytes()
    }
}

/// The text; an empty one, which protobuf leaves out, where there is none.
fn given(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or_default()
}

/// The items of a history, a summary or a config: field 1, each a name and a JSON text. The name
/// is the only element of a path, so that dots in it mean nothing.
fn updates(values: &Map<String, Value>) -> Message {
    values
        .iter()
        .fold(Message::default(), |message, (name, value)| {
            let item = Message::default()
                .repeated_text(2, name)
                .text(16, &value.to_string());
            message.message(1, &item)
        })
}

fn timestamp(time: SystemTime) -> Message {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    Message::default()
        .number(1, seconds)
        .number(2, since.subsec_nanos().into())
}
