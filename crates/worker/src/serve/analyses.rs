//! Asking for analyses, and what can be done with those that there are.
//!
//! The server plans an analysis before it grants it, two at a time, so that the answer tells
//! mistakes. It refuses one whose lanes at once would need more than the memory. A source on the
//! Hub is planned when its turn comes, because that takes a network.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri, header};
use ckptscope_analysis::{Config, Registry};
use ckptscope_protocol::service::{AnalysisInfo, NewAnalysis, Phase, Rename, RunSource};
use ckptscope_results::Results;
use jiff::Zoned;
use tokio::fs::File;

use super::data::DataFolder;
use super::jobs::{Full, Job, Jobs, now, planned};
use super::range::Asked;
use super::refused::Refused;
use super::source::Located;
use super::store::Kept;
use super::{Answer, JSON, Server, blocking, events, json, new_id, no_content, query, read_json};
use crate::analysis::{Analysis, Request as AnalysisRequest};
use crate::place::as_file_name;
use crate::{fleet, parquet, report};

/// A request to analyze has at most this many bytes.
const NEW_BYTES: usize = 1024 * 1024;

/// A request to rename has at most this many.
const RENAME_BYTES: usize = 4096;

/// Names are not longer.
const NAME_CHARACTERS: usize = 200;

/// How long somebody who removes an analysis waits for it to stop.
const STOPPING: Duration = Duration::from_secs(20);

/// When to ask again where the queue is full.
const RETRY_SECONDS: u64 = 30;

/// `GET api/analyses`.
pub(super) async fn list(State(server): State<Arc<Server>>) -> Response<Body> {
    let all: Vec<AnalysisInfo> = server.jobs.all().iter().map(|job| job.info()).collect();
    json(StatusCode::OK, &all)
}

/// `POST api/analyses`.
pub(super) async fn add(State(server): State<Arc<Server>>, request: Request) -> Answer {
    let asked: NewAnalysis = read_json(&server, request, NEW_BYTES).await?;
    server.jobs.check_room().map_err(full)?;
    let planning = Arc::clone(&server.planning).acquire_owned().await;
    let info = blocking(move || {
        // Until it is planned, even where nobody waits for that any more.
        let _planning = planning;
        submit(&server, &asked)
    });
    let info = info.await?;
    Ok(json(StatusCode::CREATED, &info))
}

/// Checks what is asked for as far as that is quickly done, and queues it.
fn submit(server: &Arc<Server>, asked: &NewAnalysis) -> Result<AnalysisInfo, Refused> {
    let config = Config::parse(&asked.config, &Registry::default()).map_err(|errors| {
        let message = format!("the config is not valid:\n{errors}");
        Refused::new(StatusCode::UNPROCESSABLE_ENTITY, message).with_problems(errors.0)
    })?;
    let located = server.locate(&asked.source);
    let located = located.map_err(|error| Refused::unplanned(&error))?;
    let Located {
        address,
        shown,
        name: source,
    } = located;
    let id = new_id()?;
    let (name, folder) = match (&config.analysis_name, &asked.source) {
        (Some(name), _) => (name.clone(), name.clone()),
        (None, RunSource::Upload(_)) => (shown.clone(), upload_folder(&shown)),
        (None, RunSource::Root(_) | RunSource::Hub(_)) => (address.name(), address.file_name()),
    };
    let mut info = AnalysisInfo {
        name,
        source: asked.source.clone(),
        source_name: shown.clone(),
        phase: Phase::Queued,
        message: None,
        ahead: 0,
        cost: None,
        units: 0,
        of_units: 0,
        asked: now(),
        began: None,
        ended: None,
        id,
    };
    // What is far away is looked at when its turn comes.
    let plan = match asked.source {
        RunSource::Hub(_) => None,
        RunSource::Root(_) | RunSource::Upload(_) => {
            let request = AnalysisRequest {
                started: Zoned::now(),
                config,
                config_name: "the config".to_owned(),
                address,
                source,
                given: shown,
                name: folder.clone(),
                folder: server.folder_of(&info.id, &folder),
                threads: server.threads,
            };
            let analysis = look(server, request).map_err(|error| Refused::unplanned(&error))?;
            (info.cost, info.of_units) = (Some(analysis.cost()), analysis.units());
            Some(planned(&analysis)?)
        }
    };
    let kept = Kept {
        info,
        folder,
        is_planned: plan.is_some(),
    };
    let job = server
        .jobs
        .add(&kept, &asked.config, plan.as_deref())?
        .map_err(full)?;
    Jobs::start(server);
    Ok(job.info())
}

/// What people call an upload, as a folder.
fn upload_folder(name: &str) -> String {
    let name = as_file_name(name);
    format!("upload-{}", name.trim_start_matches('.'))
}

/// Plans it, and refuses what this machine cannot do.
fn look(server: &Server, request: AnalysisRequest) -> Result<Analysis> {
    let analysis = Analysis::plan(request, &server.executor)?;
    let analysis = analysis.context("the worker is about to end; ask again soon")?;
    server.engine.check_memory(&server.machine, &analysis)?;
    Ok(analysis)
}

/// `GET api/analyses/{id}`.
pub(super) async fn get(State(server): State<Arc<Server>>, Path(id): Path<String>) -> Answer {
    Ok(json(StatusCode::OK, &server.job(&id)?.info()))
}

/// `PATCH api/analyses/{id}`.
pub(super) async fn rename(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    request: Request,
) -> Answer {
    let job = server.job(&id)?;
    let Rename { name } = read_json(&server, request, RENAME_BYTES).await?;
    let name = name.trim().to_owned();
    if name.is_empty() || name.chars().count() > NAME_CHARACTERS || name.contains(char::is_control)
    {
        let message =
            format!("a name has 1 to {NAME_CHARACTERS} characters, none of them a line break");
        return Err(Refused::wrong(message));
    }
    let renamed = Arc::clone(&job);
    blocking(move || {
        Ok(server
            .jobs
            .change(&renamed, |info| info.name.clone_from(&name))?)
    })
    .await?;
    Ok(json(StatusCode::OK, &job.info()))
}

/// `POST api/analyses/{id}/resume`.
pub(super) async fn resume(State(server): State<Arc<Server>>, Path(id): Path<String>) -> Answer {
    let job = server.job(&id)?;
    if job.info().phase == Phase::Done {
        return Err(Refused::new(
            StatusCode::CONFLICT,
            "that analysis is done; there is nothing to resume",
        ));
    }
    let resumed = Arc::clone(&job);
    blocking(move || {
        server.jobs.resume(&resumed)?.map_err(full)?;
        Jobs::start(&server);
        Ok(())
    })
    .await?;
    Ok(json(StatusCode::OK, &job.info()))
}

/// `DELETE api/analyses/{id}`.
pub(super) async fn delete(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    uri: Uri,
) -> Answer {
    let job = server.job(&id)?;
    let removes = query(&uri, "remove").is_some_and(|value| value == "true");
    let (own, cancelled) = (Arc::clone(&server), Arc::clone(&job));
    blocking(move || {
        let is_kept = own.jobs.cancel(&cancelled);
        Jobs::start(&own);
        is_kept?;
        let info = cancelled.info();
        if info.phase.is_over() {
            // An earlier server may have handed it to Slurm.
            fleet::cancel(&own.data.analyses().join(info.id))?;
        }
        Ok(())
    })
    .await?;
    let mut watch = job.watch();
    let over = watch.wait_for(|live| live.info.phase.is_over());
    let is_over = tokio::time::timeout(STOPPING, over).await.is_ok();
    if !removes {
        return Ok(json(StatusCode::OK, &job.info()));
    }
    if !is_over {
        let message = "the analysis is about to stop; remove it then";
        return Err(Refused::new(StatusCode::CONFLICT, message).after(RETRY_SECONDS));
    }
    if !blocking(move || Ok(remove(&server, &job)?)).await? {
        let message = "the analysis goes on again; cancel it first";
        return Err(Refused::new(StatusCode::CONFLICT, message));
    }
    Ok(no_content())
}

/// Removes everything of an analysis that is over; says whether it was.
fn remove(server: &Server, job: &Job) -> Result<bool> {
    let info = job.info();
    let is_removed = server
        .jobs
        .remove(job, || remove_files(&info.id, &server.data))?;
    match info.source {
        RunSource::Upload(id) if is_removed && !server.jobs.uploads().contains(&id) => {
            server.uploads.remove(&id, &server.data)?;
        }
        _ => {}
    }
    Ok(is_removed)
}

/// Removes what an analysis has written. Results go last: where that fails it is still there.
fn remove_files(id: &str, data: &DataFolder) -> Result<()> {
    let gone = |result: std::io::Result<()>| match result {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    let journal = data.journal(id);
    gone(fs::remove_file(&journal))
        .with_context(|| format!("cannot remove {}", journal.display()))?;
    let folder = data.analyses().join(id);
    gone(fs::remove_dir_all(&folder)).with_context(|| format!("cannot remove {}", folder.display()))
}

/// `GET api/analyses/{id}/events`.
pub(super) async fn tell(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let job = server.job(&id)?;
    Ok(events::answer(&server, &job, &headers))
}

/// `GET api/analyses/{id}/results.json`.
pub(super) async fn results_json(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    of_results(&server, &id, "results.json", JSON, &headers).await
}

/// `GET api/analyses/{id}/report.html`.
pub(super) async fn report(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let kind = "text/html; charset=utf-8";
    let mut response = of_results(&server, &id, report::FILE_NAME, kind, &headers).await?;
    // It stands where the page stands, and must never be able to speak for it.
    let policy = HeaderValue::from_static(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox",
    );
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

/// A file of a finished analysis.
async fn of_results(
    server: &Server,
    id: &str,
    name: &str,
    kind: &'static str,
    headers: &HeaderMap,
) -> Answer {
    let job = server.job(id)?;
    check_done(&job)?;
    let path = server.folder_of(&job.info().id, &job.folder).join(name);
    let lost = |error| Refused::failed(&anyhow!("cannot read {}: {error}", path.display()));
    let file = File::open(&path).await.map_err(lost)?;
    let bytes = file.metadata().await.map_err(lost)?.len();
    let answer = Asked::of(headers, bytes, None).answer_from(file).await;
    let mut response = answer.map_err(lost)?;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

/// `GET api/analyses/{id}/results.csv`.
pub(super) async fn results_csv(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
) -> Answer {
    let kind = "text/csv; charset=utf-8";
    made_of_results(&server, &id, kind, |results| Ok(results.long_csv()?)).await
}

/// `GET api/analyses/{id}/results.parquet`.
pub(super) async fn results_parquet(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
) -> Answer {
    let kind = "application/vnd.apache.parquet";
    made_of_results(&server, &id, kind, parquet::of).await
}

/// Another form of the results of a finished analysis.
async fn made_of_results(
    server: &Server,
    id: &str,
    kind: &'static str,
    make: impl Fn(&Results) -> Result<Vec<u8>> + Send + 'static,
) -> Answer {
    let job = server.job(id)?;
    check_done(&job)?;
    let folder = server.folder_of(&job.info().id, &job.folder);
    let path = folder.join("results.json");
    let made = blocking(move || {
        let read =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()));
        let results = Results::parse(&read?).map_err(anyhow::Error::from)?;
        Ok(make(&results)?)
    });
    let mut response = Response::new(Body::from(made.await?));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

fn check_done(job: &Job) -> Result<(), Refused> {
    match job.info().phase {
        Phase::Done => Ok(()),
        _ => Err(Refused::new(
            StatusCode::CONFLICT,
            "that analysis is not done; it has no results yet",
        )),
    }
}

fn full(Full(waiting): Full) -> Refused {
    let message =
        format!("{waiting} analyses wait already, which is as many as may; ask again later");
    Refused::new(StatusCode::SERVICE_UNAVAILABLE, message).after(RETRY_SECONDS)
}
