//! What a native worker has, on its way into the page: runs, and analyses.

use ckptscope_protocol::call;
use ckptscope_protocol::service::{AnalysisInfo, Phase, RunFiles, RunFound};
use ckptscope_protocol::tab::{Remote, WorkerRun};
use ckptscope_results::Results;
use ckptscope_results::compare::Comparison;
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Standing;
use super::follow::origin_of;
use super::shown::{Brought, short_link};
use crate::native::{NativeError, NativeWorker};
use crate::store::given::endpoint;
use crate::store::open_request::OpenRequest;
use crate::store::state::{OpenTask, State};

/// How often it is looked whether a worker answers by now, in milliseconds.
const LOOK_EVERY_MILLISECONDS: u32 = 100;

/// Somebody disconnected meanwhile.
const LEFT: &str = "The page speaks to no worker any more: connect to it again (top right).";

/// Opens a run of the worker's; the page reads it over HTTP, by ranges.
pub(crate) fn open_run(state: State, run: RunFound) {
    let task = state.begin_opening(&run.name);
    spawn_local(async move {
        let Some(worker) = state.native_worker.worker.get_untracked() else {
            return task.fail(&LEFT);
        };
        match worker.ask(call::run(&run.id)).await {
            _ if !task.is_wanted() => {}
            Ok(files) => {
                let remote = remote(&worker, run, files);
                state.open(OpenRequest::Run(Box::new(remote)));
            }
            Err(error) => {
                let reason = in_words(state, &worker, &error);
                task.fail(&format!("{} could not be opened: {reason}", run.name));
            }
        }
    });
}

fn remote(worker: &NativeWorker, run: RunFound, files: RunFiles) -> Remote {
    Remote {
        place: files.name.clone(),
        endpoint: endpoint(),
        run: Some(WorkerRun {
            address: worker.address().to_owned(),
            token: worker.token().clone(),
            id: run.id,
            files,
        }),
        ..Remote::default()
    }
}

/// Opens the analysis of this id, once there is a worker.
pub(crate) async fn open_linked(state: State, task: OpenTask, id: String) {
    match connected(state, task).await {
        Ok(Some(worker)) => open(state, task, &worker, &id).await,
        Ok(None) => {}
        Err(message) => task.fail(&message),
    }
}

/// Opens several analyses beside each other, or the only one.
pub(crate) fn open_several(state: State, analyses: Vec<AnalysisInfo>) {
    let names: Vec<&str> = analyses.iter().map(|it| it.name.as_str()).collect();
    let task = state.begin_opening(&names.join(" and "));
    spawn_local(async move {
        let Some(worker) = state.native_worker.worker.get_untracked() else {
            return task.fail(&LEFT);
        };
        match analyses.as_slice() {
            [only] => open(state, task, &worker, &only.id).await,
            several => compare(state, task, &worker, several).await,
        }
    });
}

async fn compare(state: State, task: OpenTask, worker: &NativeWorker, analyses: &[AnalysisInfo]) {
    let mut all = Vec::new();
    for analysis in analyses {
        task.tell(analysis.name.clone(), None);
        match results(state, task, worker, &analysis.id).await {
            Ok(Some(results)) => all.push((Some(analysis.name.clone()), results)),
            Ok(None) => return,
            Err(message) => return task.fail(&format!("{}: {message}", analysis.name)),
        }
    }
    let comparison = match Comparison::of(all) {
        Ok(comparison) => comparison,
        Err(error) => return task.fail(&error),
    };
    let brought = Brought {
        name: comparison.names.join(" and "),
        from: at(worker),
        results: comparison.merged,
        id: None,
        link: None,
        origin: None,
    };
    state.open(OpenRequest::Brought(Box::new(brought)));
}

/// Shows the results of one that is done. Any other is followed: one that was stopped or failed has
/// no results, and all that it has done is told again.
async fn open(state: State, task: OpenTask, worker: &NativeWorker, id: &str) {
    let info = match worker.ask(call::analysis(id)).await {
        _ if !task.is_wanted() => return,
        Ok(info) => info,
        Err(error) => return task.fail(&in_words(state, worker, &error)),
    };
    if info.phase != Phase::Done {
        return state.open(OpenRequest::Analysis(worker.clone(), Box::new(info)));
    }
    task.tell(info.name.clone(), None);
    match results(state, task, worker, id).await {
        Ok(Some(results)) => {
            let brought = Brought {
                origin: origin_of(&info),
                name: info.name,
                from: at(worker),
                results,
                id: Some(id.to_owned()),
                link: Some(short_link(worker.address(), id)),
            };
            state.open(OpenRequest::Brought(Box::new(brought)));
        }
        Ok(None) => {}
        Err(message) => task.fail(&format!("{}: {message}", info.name)),
    }
}

/// The results of an analysis; none where nobody wants them any more.
async fn results(
    state: State,
    task: OpenTask,
    worker: &NativeWorker,
    id: &str,
) -> Result<Option<Results>, String> {
    let file = worker.file(&call::file_of(id, "results.json")).await;
    let file = file.map_err(|error| in_words(state, worker, &error))?;
    if !task.is_wanted() {
        return Ok(None);
    }
    let answer = state.web_workers.read_results(&file).await;
    if !task.is_wanted() {
        return Ok(None);
    }
    answer.map(Some)
}

/// The worker as soon as it can be used; none where nobody waits for it any more.
async fn connected(state: State, task: OpenTask) -> Result<Option<NativeWorker>, String> {
    let native_worker = state.native_worker;
    let mut is_told = false;
    while task.is_wanted() {
        match native_worker.standing.get_untracked() {
            Standing::Ready(_) => return Ok(native_worker.worker.get_untracked()),
            Standing::Lost(reason) => return Err(reason),
            Standing::None => {
                return Err(
                    "The link is to an analysis on a worker, and this page came from none. Open the link at the \
                     worker's own address, or connect to the worker (top right) and open the link again."
                        .to_owned(),
                );
            }
            Standing::WantsToken if !is_told => {
                is_told = true;
                let what = "an analysis of the worker's, which wants a token (top right)";
                task.tell(what.to_owned(), None);
                native_worker.is_menu_open.set(true);
            }
            Standing::WantsToken | Standing::Connecting => {}
        }
        TimeoutFuture::new(LOOK_EVERY_MILLISECONDS).await;
    }
    Ok(None)
}

fn in_words(state: State, worker: &NativeWorker, error: &NativeError) -> String {
    state.native_worker.notice(worker, error);
    error.to_string()
}

fn at(worker: &NativeWorker) -> String {
    format!("the worker at {}", worker.address())
}
