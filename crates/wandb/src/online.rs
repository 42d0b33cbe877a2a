//! A run that goes to a server while it goes on.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use crate::clock::Clock;
use crate::error::{Problem, UploadError};
use crate::run::{Row, Run};
use crate::service::{Service, beginning};
use crate::transport::Transport;

/// The rows and the summary of a request have at most this many bytes, unless one row alone has
/// more. W&B's own client sends at most 10 MB at once, and leaves room for what is around them.
const MAX_REQUEST_BYTES: usize = 8 * 1024 * 1024;

/// Makes a run, or says again what is known of it.
const UPSERT: &str = "mutation UpsertBucket(\
    $name: String, $project: String, $entity: String, $displayName: String, \
    $config: JSONString, $host: String, $tags: [String!], $groupName: String, \
    $jobType: String, $notes: String, $sweep: String) { \
    upsertBucket(input: {\
    name: $name, modelName: $project, entityName: $entity, displayName: $displayName, \
    config: $config, host: $host, tags: $tags, groupName: $groupName, jobType: $jobType, \
    notes: $notes, sweep: $sweep}) { \
    bucket { name project { name entity { name } } } inserted } }";

/// A run at a server. Rows wait until [`OnlineRun::pulse`] or [`OnlineRun::finish`] sends them.
///
/// What fails is a request; the run can be gone on with, and the rows that were not accepted are
/// still there. [`UploadError`] says how to upload the offline run instead.
pub struct OnlineRun<'a, T, C> {
    service: &'a Service<T, C>,
    /// The offline run, for messages.
    offline: PathBuf,
    entity: String,
    project: String,
    id: String,
    started: SystemTime,
    /// Rows that the server has.
    accepted_rows: usize,
    /// Rows that it has not, as JSON texts.
    waiting: VecDeque<String>,
    /// The last value of each name.
    summary: Map<String, Value>,
    /// When the last request was answered.
    last_request: Option<Duration>,
}

impl<'a, T: Transport, C: Clock> OnlineRun<'a, T, C> {
    /// Makes the run at the server. `offline` is the folder of its offline run, for messages.
    ///
    /// # Errors
    /// When the server does not make it.
    pub async fn start(
        service: &'a Service<T, C>,
        run: &Run,
        offline: &Path,
    ) -> Result<Self, UploadError> {
        let made = make(service, run).await.map_err(|problem| UploadError {
            problem,
            folder: offline.to_owned(),
        })?;
        Ok(Self {
            service,
            offline: offline.to_owned(),
            entity: made.entity,
            project: made.project,
            id: made.id,
            started: run.started,
            accepted_rows: 0,
            waiting: VecDeque::new(),
            summary: Map::new(),
            last_request: None,
        })
    }

    /// Takes a row to send it later.
    pub fn log(&mut self, row: &Row) {
        let object = row.object(self.started);
        self.waiting
            .push_back(Value::Object(object.clone()).to_string());
        let runtime = row.runtime(self.started).as_secs();
        self.summary.extend(object);
        let own = json!({ "runtime": runtime });
        self.summary.insert("_wandb".to_owned(), own);
    }

    /// Sends what is due: rows if the last request was long enough ago, else a sign of life now
    /// and then. Call it as often as you like.
    ///
    /// # Errors
    /// When the server does not accept it.
    pub async fn pulse(&mut self) -> Result<(), UploadError> {
        let patience = &self.service.patience;
        let interval = if self.waiting.is_empty() {
            patience.heartbeat
        } else {
            patience.between_requests
        };
        let passed = self.since_last_request();
        if passed.is_none_or(|passed| passed >= interval) {
            self.send(None).await?;
        }
        Ok(())
    }

    /// Sends the rest and how the run ended, 0 for well. Where several requests are needed, they
    /// keep their distance.
    ///
    /// # Errors
    /// When the server does not accept it.
    pub async fn finish(&mut self, exit_code: i32) -> Result<(), UploadError> {
        loop {
            let interval = self.service.patience.between_requests;
            let passed = self.since_last_request().unwrap_or(interval);
            if passed < interval {
                self.service.clock.wait(interval - passed).await;
            }
            if self.send(Some(exit_code)).await? == Sent::Everything {
                return Ok(());
            }
        }
    }

    /// Where people see the run.
    #[must_use]
    pub fn address(&self) -> String {
        let base = match self.service.base_url.as_str() {
            "https://api.wandb.ai" => "https://wandb.ai",
            own => own,
        };
        format!("{base}/{}/{}/runs/{}", self.entity, self.project, self.id)
    }

    fn since_last_request(&self) -> Option<Duration> {
        let now = self.service.clock.now();
        self.last_request.map(|last| now.saturating_sub(last))
    }

    /// Sends as many rows as one request may have; with the last of them, how the run ended.
    async fn send(&mut self, exit_code: Option<i32>) -> Result<Sent, UploadError> {
        let summary = Value::Object(self.summary.clone()).to_string();
        let rows = self.rows_of_a_request(&summary);
        let sent = if rows == self.waiting.len() {
            Sent::Everything
        } else {
            Sent::SomeRows
        };
        let exit_code = exit_code.filter(|_| sent == Sent::Everything);
        let body = self.body(rows, &summary, exit_code);
        let path = [
            "files",
            &self.entity,
            &self.project,
            &self.id,
            "file_stream",
        ];
        let answer = self.service.post(&path, &body).await;
        self.last_request = Some(self.service.clock.now());
        answer.map_err(|problem| UploadError {
            problem,
            folder: self.offline.clone(),
        })?;
        self.accepted_rows += rows;
        self.waiting.drain(..rows);
        Ok(sent)
    }

    /// The waiting rows that go together, from the first on.
    fn rows_of_a_request(&self, summary: &str) -> usize {
        let ends = self
            .waiting
            .iter()
            .scan(as_text_in_json(summary), |end, row| {
                *end += as_text_in_json(row);
                Some(*end)
            });
        let fitting = ends.take_while(|end| *end <= MAX_REQUEST_BYTES).count();
        fitting.max(self.waiting.len().min(1))
    }

    /// A request: rows from where the server's end, the summary whole. Without rows it is a sign of
    /// life.
    fn body(&self, rows: usize, summary: &str, exit_code: Option<i32>) -> Value {
        let mut body = Map::new();
        if rows > 0 {
            let content: Vec<&String> = self.waiting.iter().take(rows).collect();
            let files = json!({
                "wandb-history.jsonl": {"offset": self.accepted_rows, "content": content},
                "wandb-summary.json": {"offset": 0, "content": [summary]},
            });
            body.insert("files".to_owned(), files);
        }
        if let Some(exit_code) = exit_code {
            body.insert("complete".to_owned(), true.into());
            body.insert("exitcode".to_owned(), exit_code.into());
        }
        body.into()
    }
}

/// What of the waiting rows a request had.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    Everything,
    SomeRows,
}

/// Bytes of a JSON text as a text in JSON, where every quotation mark has a backslash.
fn as_text_in_json(row: &str) -> usize {
    let escaped = row.bytes().filter(|byte| matches!(byte, b'"' | b'\\'));
    row.len() + escaped.count()
}

/// What the server calls the run.
struct Made {
    entity: String,
    project: String,
    id: String,
}

async fn make<T: Transport, C: Clock>(service: &Service<T, C>, run: &Run) -> Result<Made, Problem> {
    let config: Map<String, Value> = run
        .config
        .iter()
        .map(|(name, value)| (name.clone(), json!({ "value": value })))
        .collect();
    let tags = (!run.tags.is_empty()).then_some(&run.tags);
    let request = json!({
        "operationName": "UpsertBucket",
        "query": UPSERT,
        "variables": {
            "name": run.id.as_str(),
            "project": run.project,
            "entity": run.entity,
            "displayName": run.name,
            "config": Value::Object(config).to_string(),
            "host": run.host,
            "tags": tags,
            "groupName": run.group,
            "jobType": run.job_type,
            "notes": run.notes,
            "sweep": run.sweep_id,
        },
    });
    let answer = service.post(&["graphql"], &request).await?;
    made(&answer).ok_or_else(|| not_made(&service.base_url, &answer))
}

fn made(answer: &Value) -> Option<Made> {
    let bucket = answer.pointer("/data/upsertBucket/bucket")?;
    let text = |path| Some(bucket.pointer(path)?.as_str()?.to_owned());
    Some(Made {
        entity: text("/project/entity/name")?,
        project: text("/project/name")?,
        id: text("/name")?,
    })
}

/// GraphQL tells errors with status 200.
fn not_made(server: &str, answer: &Value) -> Problem {
    let server = server.to_owned();
    let errors = answer.get("errors").and_then(Value::as_array);
    let messages: Vec<&str> = errors
        .into_iter()
        .flatten()
        .filter_map(|error| error.get("message")?.as_str())
        .collect();
    if messages.is_empty() {
        let said = beginning(&answer.to_string());
        return Problem::NotUnderstood { server, said };
    }
    let said = beginning(&messages.join("; "));
    Problem::NotMade { server, said }
}
