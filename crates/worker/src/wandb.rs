//! The Weights & Biases run of an analysis: a folder always, the server where there is a key.
//!
//! It is written when the analysis is complete, from its results: an analysis that was interrupted
//! and gone on with gives the same run as one that was not. It lies where W&B's own tools put
//! theirs, below `WANDB_DIR` or the working directory, so that they find it, and because its name
//! has a time in it while the folder of results is the same every time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use jiff::Zoned;
use serde_json::{Map, Value};
use trainscope_analysis::Config;
use trainscope_analysis::results::Results;
use trainscope_checkpoint::yaml::{self, Node};
use trainscope_wandb::{
    Clock, Key, Mode, OfflineError, OfflineRun, OnlineRun, Problem, Row, Run, Service, Settings,
    Sockets, UploadError, sync_command,
};

use crate::executor::Executor;
use crate::progress::Reporter;

/// Writes and uploads the run where the config asks for it. What goes wrong is a warning: the
/// results are there.
pub(crate) fn save(
    config: &Config,
    results: &Results,
    started: &Zoned,
    reporter: &mut Reporter<'_>,
    executor: &Executor,
) {
    if config.monitoring.wandb.is_none() {
        return;
    }
    let settings = match Settings::from_environment() {
        Ok(settings) if settings.mode == Mode::Disabled => {
            reporter.say("WANDB_MODE is disabled: no Weights & Biases run is written");
            return;
        }
        Ok(settings) => settings,
        Err(error) => {
            reporter.warn(&format!("no Weights & Biases run is written: {error}"));
            return;
        }
    };
    let run = run(config, results, started, &settings);
    let (rows, undefined) = rows(results);
    match write(&settings.folder, &run, &rows) {
        Ok(folder) => {
            let shown = folder.display();
            reporter.say(&format!("Weights & Biases run: {shown}"));
            if undefined > 0 {
                reporter.say(&format!(
                    "the run leaves out {undefined} undefined numbers, which W&B cannot hold"
                ));
            }
            upload(&settings, &run, &rows, &folder, reporter, executor);
        }
        Err(error) => reporter.warn(&error.to_string()),
    }
}

/// The run without its rows. What the config says goes before the environment.
fn run(config: &Config, results: &Results, started: &Zoned, settings: &Settings) -> Run {
    let wandb = config.monitoring.wandb.clone().unwrap_or_default();
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    let project = given(wandb.project).or_else(|| settings.project.clone());
    let name = config.analysis_name.clone();
    let name = name.or_else(|| settings.name.clone());
    let name = name.unwrap_or_else(|| results.analysis_name.clone());
    let mut run = Run::new(&project.unwrap_or_default(), &name);
    run.entity = given(wandb.entity).or_else(|| settings.entity.clone());
    if let Some(id) = &settings.run_id {
        run.id = id.clone();
    }
    run.started = started.timestamp().into();
    run.config = asked(results);
    run
}

/// The config as it was written, and what it was asked of.
fn asked(results: &Results) -> Map<String, Value> {
    // It was read before, as a config.
    let written = yaml::read(&results.config).map(|node| json(&node));
    let mut asked = match written {
        Ok(Value::Object(map)) => map,
        Ok(_) | Err(_) => Map::new(),
    };
    asked.insert("source".to_owned(), results.source.clone().into());
    asked.insert("program".to_owned(), results.program.clone().into());
    asked
}

fn json(node: &Node) -> Value {
    match &node.value {
        yaml::Value::Nothing => Value::Null,
        yaml::Value::Boolean(answer) => (*answer).into(),
        yaml::Value::Whole(number) => i64::try_from(*number).map_or_else(
            |_| u64::try_from(*number).map_or(Value::Null, Value::from),
            Value::from,
        ),
        yaml::Value::Fraction(number) => (*number).into(),
        yaml::Value::Text(text) => text.clone().into(),
        yaml::Value::List(items) => items.iter().map(json).collect(),
        yaml::Value::Map(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                let key = key.as_text().map_or_else(|| key.to_string(), str::to_owned);
                // What is merged comes last, and does not replace what stands there.
                map.entry(key).or_insert_with(|| json(value));
            }
            map.into()
        }
    }
}

/// A row per step with the names that the reference tool logs, and how many numbers are undefined.
fn rows(results: &Results) -> (Vec<Row>, usize) {
    let now = SystemTime::now();
    let mut undefined = 0;
    let mut rows: BTreeMap<u64, Row> = BTreeMap::new();
    for record in &results.records {
        let row = rows
            .entry(record.step)
            .or_insert_with(|| Row::new(record.step, now));
        let name = format!("{}_{}/{}", record.label, record.split, record.key);
        let is_there = record.value.is_some_and(|value| row.set(&name, value));
        undefined += usize::from(!is_there);
    }
    (rows.into_values().collect(), undefined)
}

fn write(parent: &Path, run: &Run, rows: &[Row]) -> Result<PathBuf, OfflineError> {
    let mut offline = OfflineRun::create(parent, run)?;
    for row in rows {
        offline.log(row)?;
    }
    offline.finish(0)
}

fn upload(
    settings: &Settings,
    run: &Run,
    rows: &[Row],
    folder: &Path,
    reporter: &mut Reporter<'_>,
    executor: &Executor,
) {
    let sync = sync_command(folder);
    if settings.mode == Mode::Offline {
        reporter.say(&format!("WANDB_MODE is offline: `{sync}` uploads the run"));
        return;
    }
    let key = match settings.key() {
        Ok(Some(key)) => key,
        Ok(None) => {
            let server = &settings.base_url;
            reporter.say(&format!(
                "no API key for {server}: set WANDB_API_KEY, or upload the run later with `{sync}`"
            ));
            return;
        }
        Err(error) => {
            reporter.warn(&format!("{error}; `{sync}` uploads the run"));
            return;
        }
    };
    match executor.block_on(send(settings, key, run, rows, folder)) {
        Some(Ok(address)) => reporter.say(&format!("uploaded: {address}")),
        Some(Err(error)) => reporter.warn(&format!("not uploaded: {error}")),
        None => reporter.warn(&format!("the upload was stopped; `{sync}` uploads the run")),
    }
}

/// Sends the run; where people see it.
async fn send(
    settings: &Settings,
    key: Key,
    run: &Run,
    rows: &[Row],
    folder: &Path,
) -> Result<String, UploadError> {
    let base_url = settings.base_url.clone();
    let transport = Sockets::new().map_err(|failure| UploadError {
        problem: Problem::NoRequest {
            server: base_url.clone(),
            reason: failure.to_string(),
        },
        folder: folder.to_owned(),
    })?;
    let service = Service {
        base_url,
        key,
        patience: settings.patience,
        transport,
        clock: TokioClock(Instant::now()),
    };
    let mut online = OnlineRun::start(&service, run, folder).await?;
    for row in rows {
        online.log(row);
    }
    online.finish(0).await?;
    Ok(online.address())
}

/// The runtime's time.
struct TokioClock(Instant);

impl Clock for TokioClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    async fn wait(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
