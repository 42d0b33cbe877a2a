//! What a run was sent.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// A run as the server has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReceivedRun {
    /// Whose it is.
    pub entity: String,
    /// The project.
    pub project: String,
    /// The run's name for people.
    pub display_name: String,
    /// The config, as it was sent: every value below `value`.
    pub config: Map<String, Value>,
    /// The rows.
    pub history: Vec<Map<String, Value>>,
    /// The summary.
    pub summary: Map<String, Value>,
    /// The exit code, where one was sent.
    pub exit_code: Option<i64>,
    /// Whether the run was said to be complete.
    pub is_complete: bool,
    /// Its files and their lengths.
    pub files: BTreeMap<String, usize>,
}

impl ReceivedRun {
    /// Takes the variables of an `upsertBucket`: what is null stays as it was.
    pub(crate) fn upsert(&mut self, variables: &Value) -> Result<(), String> {
        let text = |name: &str| variables.get(name).and_then(Value::as_str);
        if let Some(name) = text("displayName") {
            name.clone_into(&mut self.display_name);
        }
        if let Some(config) = text("config") {
            self.config = object(config)?;
        }
        Ok(())
    }

    /// Takes the body of a `file_stream` request.
    pub(crate) fn stream(&mut self, body: &Value) -> Result<(), String> {
        if let Some(history) = body.pointer("/files/wandb-history.jsonl") {
            self.take_history(history)?;
        }
        if let Some(summary) = body.pointer("/files/wandb-summary.json") {
            let lines = lines(summary)?;
            let [line] = lines.as_slice() else {
                return Err(format!("a summary of {} lines", lines.len()));
            };
            self.summary = object(line)?;
        }
        if body.get("complete").and_then(Value::as_bool) == Some(true) {
            self.is_complete = true;
            self.exit_code = body.get("exitcode").and_then(Value::as_i64);
        }
        Ok(())
    }

    /// Lines that the server has already are taken again, as after an answer that was lost; lines
    /// that leave a gap are refused.
    fn take_history(&mut self, part: &Value) -> Result<(), String> {
        let offset = part.get("offset").and_then(Value::as_u64);
        let offset = offset.and_then(|offset| usize::try_from(offset).ok());
        let offset = offset.ok_or("a history without an offset")?;
        if offset > self.history.len() {
            let rows = self.history.len();
            return Err(format!("rows from {offset} on, where there are {rows}"));
        }
        self.history.truncate(offset);
        for line in lines(part)? {
            self.history.push(object(line)?);
        }
        Ok(())
    }

    /// As JSON, for tests that are not written in Rust.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "entity": self.entity,
            "project": self.project,
            "display_name": self.display_name,
            "config": self.config,
            "history": self.history,
            "summary": self.summary,
            "exit_code": self.exit_code,
            "is_complete": self.is_complete,
            "files": self.files,
        })
    }
}

fn lines(part: &Value) -> Result<Vec<&str>, String> {
    let content = part.get("content").and_then(Value::as_array);
    let lines: Option<Vec<&str>> =
        content.and_then(|lines| lines.iter().map(Value::as_str).collect());
    lines.ok_or_else(|| "content that is no list of texts".to_owned())
}

fn object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("not a JSON object: {error}"))
}
