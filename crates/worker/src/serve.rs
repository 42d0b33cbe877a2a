//! `worker serve`: the page, and analyses for whoever asks for them over HTTP.
//!
//! The HTTP side has two threads and a runtime of its own, so that computing does not hold answers
//! back.

mod adoption;
mod analyses;
mod browser;
mod connections;
mod data;
mod engine;
mod events;
mod gate;
mod greeting;
mod jobs;
mod machine;
mod matches;
mod page;
mod range;
mod refused;
mod roots;
mod runs;
mod source;
mod spectra;
mod store;
mod uploads;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use axum::routing::{get, post, put};
use ckptscope_protocol::service::{API, Health};
use http_body_util::{BodyExt, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::{Semaphore, watch};

use self::data::DataFolder;
use self::engine::Engine;
use self::gate::Gate;
use self::jobs::{Job, Jobs};
use self::machine::Machine;
use self::page::Page;
use self::refused::Refused;
use self::roots::Roots;
use self::store::Store;
use self::uploads::Uploads;
use crate::arguments::ServeArguments;
use crate::executor::Executor;
use crate::identity::VERSION;
use crate::{INTERRUPTED, Misuse, Outcome, console, signals};

/// Threads that answer; what blocks has others.
const ANSWERING_THREADS: usize = 2;

/// Requests that are planned at the same time.
const PLANNING_AT_ONCE: usize = 2;

/// What an answer is.
type Answer = Result<Response<Body>, Refused>;

/// Runs the command.
pub(crate) fn run(arguments: &ServeArguments) -> Result<Outcome> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(ANSWERING_THREADS)
        .thread_name("answers")
        .enable_all()
        .build()
        .context("cannot start the threads that answer")?;
    check_exposure(arguments)?;
    let engine = Engine::of(arguments)?;
    let roots = Roots::new(&arguments.roots)?;
    let data = DataFolder::open(arguments.data_dir.as_deref())?;
    let listener = runtime.block_on(TcpListener::bind(arguments.addr));
    let listener = listener.map_err(|error| {
        anyhow!(
            "cannot listen at {}: {error}; choose another --addr",
            arguments.addr
        )
    })?;
    let server = Arc::new(Server::new(arguments, engine, &listener, roots, data)?);
    end_on_signal(&server)?;
    let adopted = adoption::adopt(&server)?;
    if adopted > 0 {
        console::say(&format!(
            "finished analyses found by their results: {adopted}"
        ));
    }
    let address = server.greet(arguments, listener.local_addr()?);
    if arguments.open {
        browser::open(&address, &server.data)?;
    }
    Jobs::start(&server);
    let closing = server.closing.subscribe();
    let served = connections::serve(listener, router(&server), server.patience, closing);
    runtime.block_on(async {
        let closer = Arc::clone(&server);
        let mut closing = server.closing.subscribe();
        let jobs = async {
            let _ = closing.wait_for(|is_closing| *is_closing).await;
            let _ = tokio::task::spawn_blocking(move || closer.jobs.close()).await;
        };
        futures_util::future::join(served, jobs).await;
    });
    console::say("ended; what was under way goes on at the next start");
    Ok(Outcome::Done)
}

/// Everything that answers are made of.
struct Server {
    gate: Gate,
    page: Page,
    engine: Engine,
    machine: Machine,
    roots: Roots,
    data: DataFolder,
    store: Arc<Store>,
    jobs: Jobs,
    uploads: Uploads,
    executor: Executor,
    /// Threads of one analysis.
    threads: usize,
    planning: Arc<Semaphore>,
    /// Whoever has singular values computed.
    decomposing: Arc<Semaphore>,
    /// Whoever has an analysis with Slurm plans and merges it in turn.
    turns: Semaphore,
    /// How long who asks may hesitate.
    patience: Duration,
    /// Whether the server is about to end.
    closing: watch::Sender<bool>,
}

impl Server {
    fn new(
        arguments: &ServeArguments,
        engine: Engine,
        listener: &TcpListener,
        roots: Roots,
        data: DataFolder,
    ) -> Result<Self> {
        let at_once = engine.at_once(arguments);
        let store = Arc::new(Store::open(&data.database())?);
        let jobs = Jobs::load(Arc::clone(&store), at_once, arguments.queue_length)?;
        let used = jobs.uploads();
        let upload_bytes = arguments.upload_limit;
        Ok(Self {
            gate: Gate::new(
                listener.local_addr()?,
                &arguments.allowed_hosts,
                &arguments.allowed_origins,
                arguments.token.as_deref(),
            )?,
            page: Page::of(arguments.page.as_deref()),
            machine: engine.machine(arguments)?,
            threads: engine.threads(arguments),
            engine,
            uploads: Uploads::load(Arc::clone(&store), &data, upload_bytes, &used)?,
            jobs,
            roots,
            data,
            store,
            executor: Executor::start(Arc::default())?,
            planning: Arc::new(Semaphore::new(PLANNING_AT_ONCE)),
            decomposing: Arc::new(Semaphore::new(1)),
            turns: Semaphore::new(1),
            patience: Duration::from_secs(arguments.patience.get()),
            closing: watch::Sender::new(false),
        })
    }

    fn job(&self, id: &str) -> Result<Arc<Job>, Refused> {
        self.jobs
            .get(id)
            .ok_or_else(|| Refused::missing("analysis"))
    }
}

/// A server that others can reach answers only to those who know its token.
fn check_exposure(arguments: &ServeArguments) -> Result<()> {
    match &arguments.token {
        Some(token) => gate::check_token(token),
        None if arguments.addr.ip().is_loopback() => Ok(()),
        None => Err(Misuse(format!(
            "{} can be reached from other machines, and whoever can reach it could use it; set \
             CKPTSCOPE_TOKEN to a long secret, or listen at 127.0.0.1",
            arguments.addr
        ))
        .into()),
    }
}

/// The first Ctrl-C ends the server when all that is under way is written down, the second at
/// once: then what was under way is gone on with from its journal.
fn end_on_signal(server: &Arc<Server>) -> Result<()> {
    let (closing, words) = (server.closing.clone(), server.engine.ending());
    let again = AtomicBool::new(false);
    signals::on_end(move || {
        if again.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(INTERRUPTED));
        }
        console::say(words);
        closing.send_replace(true);
    })
}

/// What is answered where; see [`ckptscope_protocol::service`].
fn router(server: &Arc<Server>) -> Router {
    let one = get(analyses::get)
        .patch(analyses::rename)
        .delete(analyses::delete);
    let api = Router::new()
        .route("/health", get(health))
        .route("/runs", get(runs::list))
        .route("/runs/{id}", get(runs::get))
        .route("/runs/{id}/files/{*path}", get(runs::file))
        .route("/matches", post(matches::find))
        .route("/uploads", post(uploads::add))
        .route("/uploads/{id}", get(uploads::get).delete(uploads::delete))
        .route("/uploads/{id}/{*path}", put(uploads::put))
        .route("/singular-values", post(spectra::compute))
        .route("/analyses", get(analyses::list).post(analyses::add))
        .route("/analyses/{id}", one)
        .route("/analyses/{id}/resume", post(analyses::resume))
        .route("/analyses/{id}/events", get(analyses::tell))
        .route("/analyses/{id}/results.json", get(analyses::results_json))
        .route("/analyses/{id}/results.csv", get(analyses::results_csv))
        .route(
            "/analyses/{id}/results.parquet",
            get(analyses::results_parquet),
        )
        .route("/analyses/{id}/report.html", get(analyses::report))
        .fallback(async || Refused::missing("thing to ask"));
    Router::new()
        .nest("/api", api)
        .route("/s/{id}", get(short_link))
        .fallback(page)
        .layer(middleware::from_fn_with_state(Arc::clone(server), guard))
        .with_state(Arc::clone(server))
}

/// Lets nobody in whom the gate stops, and marks what goes out.
async fn guard(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response<Body> {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let is_api = request.uri().path().starts_with("/api/");
    let mut response = match server.gate.stop(&request) {
        Some(stopped) => stopped.unwrap_or_else(IntoResponse::into_response),
        None => next.run(request).await,
    };
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_json = kind.is_some_and(|kind| kind == JSON);
    let is_own = is_json || response.headers().contains_key(header::CONTENT_RANGE);
    if is_api && response.status().is_client_error() && !is_own {
        // What axum refuses by itself it says in plain words.
        let reason = response.status().canonical_reason().unwrap_or("refused");
        response = Refused::new(response.status(), reason).into_response();
    }
    server.gate.mark(origin, &mut response);
    response
}

/// `GET api/health`.
async fn health(State(server): State<Arc<Server>>, headers: HeaderMap) -> Response<Body> {
    let is_known = server.gate.is_known(&headers);
    let health = Health {
        name: "ckptscope".to_owned(),
        version: VERSION.to_owned(),
        api: API,
        needs_token: server.gate.needs_token(),
        machine: is_known.then_some(server.machine.told),
    };
    json(StatusCode::OK, &health)
}

/// `GET s/{id}`: an analysis, as people pass it on. Where there is none any more the page says so.
async fn short_link(Path(id): Path<String>) -> Answer {
    if !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Refused::missing("analysis"));
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let place = HeaderValue::from_str(&format!("/#analysis={id}"));
    let place = place.map_err(|_| Refused::missing("analysis"))?;
    response.headers_mut().insert(header::LOCATION, place);
    Ok(response)
}

/// The page and its files.
async fn page(State(server): State<Arc<Server>>, request: Request) -> Answer {
    if !matches!(request.method().as_str(), "GET" | "HEAD") {
        return Err(Refused::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "the page can only be read",
        ));
    }
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let headers = request.headers().clone();
    blocking(move || server.page.answer(&path, &headers)).await
}

const JSON: &str = "application/json";

/// An answer in JSON.
fn json(status: StatusCode, value: &(impl Serialize + ?Sized)) -> Response<Body> {
    let Ok(text) = serde_json::to_vec(value) else {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        return response;
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An answer without a body.
fn no_content() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// What a request's body says, if it is no longer than that and comes within some time.
async fn read_json<T: DeserializeOwned>(
    server: &Server,
    request: Request,
    bytes: usize,
) -> Result<T, Refused> {
    let body = Limited::new(request.into_body(), bytes).collect();
    let read = tokio::time::timeout(server.patience, body)
        .await
        .map_err(|_| {
            Refused::new(
                StatusCode::REQUEST_TIMEOUT,
                "the request took too long to arrive",
            )
        })?;
    let read = read.map_err(
        |error| match error.is::<http_body_util::LengthLimitError>() {
            true => Refused::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("this may have {bytes} bytes at most"),
            ),
            false => Refused::wrong("the request broke off"),
        },
    )?;
    serde_json::from_slice(&read.to_bytes())
        .map_err(|error| Refused::wrong(format!("that is not what is asked for here: {error}")))
}

/// The next bytes of a body, if they come within some time; none at its end. Whoever broke off is
/// told what to do.
async fn next_piece(
    server: &Server,
    body: &mut Body,
    advice: &str,
) -> Result<Option<Bytes>, Refused> {
    loop {
        let frame = tokio::time::timeout(server.patience, body.frame()).await;
        let frame = frame.map_err(|_| {
            let message = format!("nothing came for long; {advice}");
            Refused::new(StatusCode::REQUEST_TIMEOUT, message)
        })?;
        let Some(frame) = frame else {
            return Ok(None);
        };
        let frame = frame.map_err(|_| Refused::wrong(format!("the file broke off; {advice}")))?;
        if let Ok(piece) = frame.into_data() {
            return Ok(Some(piece));
        }
    }
}

/// The value of a name in an address' query, where it needs no decoding.
fn query<'a>(uri: &'a Uri, name: &str) -> Option<&'a str> {
    let pairs = uri
        .query()?
        .split('&')
        .filter_map(|pair| pair.split_once('='));
    pairs
        .into_iter()
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// Does what blocks on a thread for that.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| {
        Refused::failed(&anyhow!(
            "this program has a mistake in it, which its messages show"
        ))
    })?
}

/// A name that was never given before and cannot be guessed.
fn new_id() -> Result<String> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow!("this machine has no random numbers: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
