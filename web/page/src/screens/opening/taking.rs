//! From what was dropped or picked to what is open.

use ckptscope_results::Results;
use ckptscope_web_browser::{beginning_of, text_of};
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::Blob;

use crate::drop::Dropped;
use crate::files::FileHandles;
use crate::run_place::RunPlace;
use crate::screens::readout;
use crate::store::{OpenTask, Side, State};

/// A results file says what it is within so many bytes.
const HEAD_BYTES: i32 = 512;

/// Opens what was dropped.
pub(crate) fn dropped(state: State, task: OpenTask, dropped: Dropped) {
    let name = dropped.name();
    if dropped.is_empty() {
        task.fail(
            &"Nothing that can be read was dropped. Drop a file or a folder from this machine.",
        );
        return;
    }
    spawn_local(async move {
        let goes_on = move |found| {
            task.tell(
                format!("{name}: {} found", readout::counted(found, "file")),
                None,
            );
            task.is_wanted()
        };
        match dropped.list(goes_on).await {
            Ok(files) => take(state, task, files).await,
            Err(error) => task.fail(&error),
        }
    });
}

/// Opens what was picked.
pub(crate) fn picked(state: State, task: OpenTask, files: FileHandles) {
    if files.files.is_empty() {
        task.fail(&"The folder holds no files. Choose the folder of a training run, or its checkpoint files.");
        return;
    }
    spawn_local(take(state, task, files));
}

/// A results file, an analysis' folder and a config are known by themselves; everything else is
/// taken for a run. A config beside a run asks of it.
async fn take(state: State, task: OpenTask, files: FileHandles) {
    let files = match config_beside(&files).await {
        Ok(Some((path, config, run))) => {
            state.arrival.wait_for_any(&path, config);
            run
        }
        Ok(None) => files,
        Err(reason) => return task.fail(&reason),
    };
    if let Some(results) = results_of_analysis(&files) {
        return task.show(results).await;
    }
    if let [(path, file)] = files.files.as_slice() {
        match known_text(path, file).await {
            Ok(Some(Known::Results)) => return task.show(file).await,
            Ok(Some(Known::Config(text))) => {
                state.settle();
                if state.opened.with_untracked(Option::is_some) {
                    state.side.set(Side::YAML);
                    state.ask.replace(text);
                } else {
                    state.arrival.wait_for_any(path, text);
                }
                return;
            }
            Ok(None) if is_beside_results(path) => {
                return task.fail(&format!(
                    "{path} is a part of an analysis. Its charts open from its results.json, or \
                     from its whole folder: drop one of those."
                ));
            }
            Ok(None) => {}
            Err(reason) => return task.fail(&format!("{path} could not be read: {reason}")),
        }
    }
    task.open(RunPlace::Files(files), None).await;
}

/// The config that was chosen together with a run: its path and text, and the run's files.
async fn config_beside(
    files: &FileHandles,
) -> Result<Option<(String, String, FileHandles)>, String> {
    let Some((path, file, run)) = files.without_yaml() else {
        return Ok(None);
    };
    let text = text_of(&file).await;
    let text = text.map_err(|reason| format!("{path} could not be read: {reason}"))?;
    // A run may have YAML files of its own.
    let is_config = text.lines().any(|line| line.starts_with("metrics:"));
    Ok(is_config.then_some((path, text, run)))
}

/// The results in the folder that an analysis wrote: it has no checkpoint.
fn results_of_analysis(files: &FileHandles) -> Option<&Blob> {
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let is_checkpoint = |path: &str| {
        let ending = path.rsplit('.').next().unwrap_or_default();
        ["safetensors", "pt", "pth", "bin", "ckpt", "distcp"].contains(&ending)
    };
    let mut paths = files.files.iter().map(|(path, _)| path.as_str());
    if files.files.len() < 2 || paths.any(is_checkpoint) {
        return None;
    }
    let mut found = files.files.iter();
    let found = found.find(|(path, _)| name(path) == "results.json");
    found.map(|(_, file)| file)
}

/// Whether an analysis writes such a file beside its results.
fn is_beside_results(path: &str) -> bool {
    let ending = path.rsplit('.').next().unwrap_or_default();
    ["run.json", "analysis.log"].contains(&path) || ["csv", "parquet", "html"].contains(&ending)
}

/// A single file that is not a checkpoint.
enum Known {
    Results,
    Config(String),
}

async fn known_text(path: &str, file: &Blob) -> Result<Option<Known>, String> {
    let ending = path.rsplit('.').next().unwrap_or_default();
    match ending {
        "json" => {
            if !Results::is_beginning(&beginning_of(file, HEAD_BYTES).await?) {
                return Ok(None);
            }
            Ok(Some(Known::Results))
        }
        "yaml" | "yml" => Ok(Some(Known::Config(text_of(file).await?))),
        _ => Ok(None),
    }
}
