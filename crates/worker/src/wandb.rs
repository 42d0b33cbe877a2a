//! The Weights & Biases run of an analysis: a folder always, the server where there is a key.
//!
//! It is written when the analysis is complete, from its results: an analysis that was interrupted
//! and gone on with gives the same run as one that was not. It lies where W&B's own tools put
//! theirs, below `WANDB_DIR` or the working directory, so that they find it, and because its name
//! has a time in it while the folder of results is the same every time. A server has no working
//! directory that anybody knows of: there it lies beside the results, and goes when they go.
//!
//! The offline run is written whenever the config asks for it, and an upload sends the same rows
//! afterwards. Whatever happens to network, key or server, `wandb sync` can do it again, and no
//! analysis fails. W&B wants ascending steps, which lanes do not give: another reason to wait for
//! the results.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Result;
use ckptscope_analysis::Config;
use ckptscope_checkpoint::yaml::{self, Node};
use ckptscope_results::Results;
use ckptscope_wandb::{
    Clock, Key, Mode, OfflineError, OfflineRun, OnlineRun, Patience, Problem, Row, Run, RunId,
    Service, Settings, SettingsError, Sockets, UploadError, sync_command,
};
use serde_json::{Map, Value};

use crate::Misuse;
use crate::analysis::Request;
use crate::executor::Executor;
use crate::progress::Reporter;

/// A server that accepts nothing for so long is not waited for: the results are there, and can be
/// sent later.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What came of a run that was asked for, in words.
pub(crate) enum Saved {
    /// It is where it should be.
    Well(String),
    /// It is not, and why.
    Badly(String),
}

impl Saved {
    /// The words.
    pub(crate) fn words(&self) -> &str {
        match self {
            Self::Well(words) | Self::Badly(words) => words,
        }
    }
}

/// Shows that the run can be written that a config asks for, before anything is computed: below
/// `folder`, unless `WANDB_DIR` says otherwise.
///
/// # Errors
/// [`Misuse`].
pub(crate) fn prepare(config: &Config, folder: &Path) -> Result<()> {
    if config.monitoring.wandb.is_none() {
        return Ok(());
    }
    let settings = Settings::from_environment();
    let settings = settings.map_err(|error| Misuse(no_run(&error)))?;
    if settings.mode == Mode::Disabled {
        return Ok(());
    }
    let folder = settings.folder.as_deref().unwrap_or(folder).join("wandb");
    let tried = fs::create_dir_all(&folder).and_then(|()| tempfile::tempfile_in(&folder));
    tried.map_err(|error| {
        let folder = folder.display();
        Misuse(format!(
            "cannot write the Weights & Biases run into {folder}: {error}; choose another folder \
             with WANDB_DIR"
        ))
    })?;
    Ok(())
}

/// Where a run lies, and what it is known by.
pub(crate) struct Home<'a> {
    /// It lies below this folder, unless `WANDB_DIR` says otherwise.
    pub(crate) folder: &'a Path,
    /// Its id; none for the environment's choice, or a new one. What was written or uploaded with
    /// this id before is replaced.
    pub(crate) id: Option<RunId>,
}

/// Writes and uploads the run of an analysis whose config asks for it. What goes wrong is a
/// warning: the results are there.
pub(crate) fn save(
    request: &Request,
    results: &Results,
    home: &Home<'_>,
    reporter: &mut Reporter<'_>,
    executor: &Executor,
) -> Option<Saved> {
    request.config.monitoring.wandb.as_ref()?;
    let saved = saved(request, results, home, reporter, executor);
    match &saved {
        Saved::Well(words) => reporter.say(words),
        Saved::Badly(words) => reporter.warn(words),
    }
    Some(saved)
}

fn saved(
    request: &Request,
    results: &Results,
    home: &Home<'_>,
    reporter: &mut Reporter<'_>,
    executor: &Executor,
) -> Saved {
    let settings = match Settings::from_environment() {
        Ok(settings) if settings.mode == Mode::Disabled => {
            let words = "WANDB_MODE is disabled: no Weights & Biases run is written";
            return Saved::Well(words.to_owned());
        }
        Ok(settings) => settings,
        Err(error) => return Saved::Badly(no_run(&error)),
    };
    let run = run(request, results, home, &settings);
    let (rows, undefined) = rows(results);
    let parent = settings.folder.as_deref().unwrap_or(home.folder);
    if let Some(id) = &home.id {
        remove_earlier(parent, id);
    }
    let folder = match write(parent, &run, &rows) {
        Ok(folder) => folder,
        Err(error) => return Saved::Badly(error.to_string()),
    };
    reporter.say(&format!("Weights & Biases run: {}", folder.display()));
    if undefined > 0 {
        reporter.say(&format!(
            "the run leaves out {undefined} undefined numbers, which W&B cannot hold"
        ));
    }
    uploaded(&settings, &run, &rows, &folder, executor)
}

fn no_run(error: &SettingsError) -> String {
    format!("no Weights & Biases run is written: {error}")
}

/// The run without its rows. What the config says goes before the environment.
fn run(request: &Request, results: &Results, home: &Home<'_>, settings: &Settings) -> Run {
    let config = &request.config;
    let wandb = config.monitoring.wandb.clone().unwrap_or_default();
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    let project = given(wandb.project).or_else(|| settings.project.clone());
    let name = config.analysis_name.clone();
    let name = name.or_else(|| settings.name.clone());
    let name = name.unwrap_or_else(|| results.analysis_name.clone());
    let mut run = Run::new(&project.unwrap_or_default(), &name);
    run.entity = given(wandb.entity).or_else(|| settings.entity.clone());
    if let Some(id) = home.id.as_ref().or(settings.run_id.as_ref()) {
        run.id = id.clone();
    }
    run.tags.clone_from(&settings.tags);
    run.group.clone_from(&settings.group);
    run.job_type.clone_from(&settings.job_type);
    run.notes.clone_from(&settings.notes);
    run.sweep_id.clone_from(&settings.sweep_id);
    run.started = request.started.timestamp().into();
    run.config = asked(results);
    run
}

/// The config as it was written, and what it was asked of.
pub(crate) fn asked(results: &Results) -> Map<String, Value> {
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
    for (id, point) in results.rows() {
        let row = rows
            .entry(point.step)
            .or_insert_with(|| Row::new(point.step, now));
        let name = format!("{}/{}", id.entry.stem(), id.key());
        let is_there = point.number().is_some_and(|value| row.set(&name, value));
        undefined += usize::from(!is_there);
    }
    (rows.into_values().collect(), undefined)
}

/// Removes what an attempt that was killed left of this very run.
fn remove_earlier(parent: &Path, id: &RunId) {
    let entries = fs::read_dir(parent.join("wandb")).into_iter().flatten();
    let end = format!("-{id}");
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().ends_with(&end) {
            // One that stays says the same as the one that is written next.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn write(parent: &Path, run: &Run, rows: &[Row]) -> Result<PathBuf, OfflineError> {
    let mut offline = OfflineRun::create(parent, run)?;
    for row in rows {
        offline.log(row)?;
    }
    offline.finish(0)
}

/// Sends the run where there is a key, and nobody says that it should stay here.
fn uploaded(
    settings: &Settings,
    run: &Run,
    rows: &[Row],
    folder: &Path,
    executor: &Executor,
) -> Saved {
    let sync = sync_command(folder);
    if settings.mode == Mode::Offline {
        return Saved::Well(format!("WANDB_MODE is offline: `{sync}` uploads the run"));
    }
    let means = settings
        .key()
        .and_then(|key| Ok((key, settings.patience()?)));
    let (key, patience) = match means {
        Ok((Some(key), patience)) => (key, patience),
        Ok((None, _)) => {
            let server = &settings.base_url;
            return Saved::Well(format!(
                "no API key for {server}: set WANDB_API_KEY, or upload the run later with `{sync}`"
            ));
        }
        Err(error) => {
            return Saved::Badly(format!("not uploaded: {error}; `{sync}` uploads the run"));
        }
    };
    match executor.block_on(send(settings, (key, patience), run, rows, folder)) {
        Some(Ok(address)) => Saved::Well(format!("uploaded: {address}")),
        Some(Err(error)) => Saved::Badly(format!("not uploaded: {error}")),
        None => Saved::Badly(format!("the upload was stopped; `{sync}` uploads the run")),
    }
}

/// Sends the run; where people see it.
async fn send(
    settings: &Settings,
    (key, patience): (Key, Patience),
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
        patience: Patience {
            all_attempts: ANSWER_WITHIN,
            ..patience
        },
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
