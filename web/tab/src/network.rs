//! Runs that are not on this machine: where they are, and what reading them takes.
//!
//! The web workers share eight requests at a time: each of four has two. Every worker tells now and
//! then what it sent and received, and how long a server wants no requests; the page adds that up.
//! Cancelling ends the worker, and the browser its requests.
//!
//! The token comes in the message that names the place.

mod clock;
mod diagnosis;
mod fetching;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ckptscope_checkpoint::http::{
    Clock, FolderTree, HttpClient, HttpError, HttpTree, Patience, Spawn, Task, Token, Url, Waiting,
};
use ckptscope_checkpoint::hub::{Cache, Hub, HubAddress, HubError, HubTree, Manifest, Place};
use ckptscope_checkpoint::{Run, RunError, Tree};
use ckptscope_protocol::Sealed;
use ckptscope_protocol::tab::{Found, NetworkNews, Remote, Secret, WorkerRun};
use futures_util::TryFutureExt;
use futures_util::future::{FutureExt, LocalBoxFuture};
use serde::{Deserialize, Serialize};
use wasm_bindgen_futures::spawn_local;

use super::opened::OpenedFiles;
use super::remote::{Connection, Repository};
use clock::BrowserClock;
use fetching::Fetching;

/// How often the page hears how it goes.
const TELL_EVERY: Duration = Duration::from_millis(250);

/// How often a file at an address is asked for before the failure is looked into.
const ATTEMPTS_AT_AN_ADDRESS: u32 = 2;

/// At most so many names are listed in a message.
const NAMES_IN_MESSAGE: usize = 20;

/// The way to a run over the network.
struct Network {
    remote: Remote,
    client: Arc<HttpClient>,
    hub: Arc<Hub>,
    clock: Arc<BrowserClock>,
    /// What was told so far, in sums.
    told: Cell<NetworkNews>,
    /// The places among which somebody has to choose, as the page's field takes them.
    choices: RefCell<Vec<String>>,
}

/// Where reads go on while a lane computes, as far as it lets them.
struct EventLoop;

impl Spawn for EventLoop {
    fn spawn(&self, task: Task) {
        spawn_local(task());
    }
}

/// What was listed, as workers send it to each other.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Listed {
    /// Files of a repository.
    Hub(Manifest),
    /// A file at an address, and its length.
    File(String, u64),
}

/// The way to a run; asks nobody yet.
pub(super) fn connect(remote: Remote) -> Result<Rc<dyn Connection>, String> {
    let clock = Arc::new(BrowserClock::default());
    let client = HttpClient::over(
        Arc::new(Fetching),
        Arc::clone(&clock) as _,
        patience(&remote),
    );
    let client = client.with_requests_at_once(remote.requests_at_once);
    let client = Arc::new(client.with_spawner(Arc::new(EventLoop)));
    let token = token(&remote.token)?;
    let hub = Hub::new(Arc::clone(&client), &remote.endpoint, token, Cache);
    Ok(Rc::new(Network {
        remote,
        client,
        hub: Arc::new(hub.map_err(|error| error.to_string())?),
        clock,
        told: Cell::default(),
        choices: RefCell::default(),
    }))
}

impl Connection for Network {
    fn listed(&self) -> Result<Option<OpenedFiles>, String> {
        if let Some(run) = &self.remote.run {
            return self.folder(run).map(Some);
        }
        let Some(listed) = &self.remote.listed else {
            return Ok(None);
        };
        let foreign = |error| format!("a list of files was not understood: {error}");
        let files = match listed.open().map_err(foreign)? {
            Listed::Hub(manifest) => {
                OpenedFiles::of_repository(Box::new(self.hub.listed(manifest)))
            }
            Listed::File(address, bytes) => {
                let url = Url::parse(&address).ok_or("a list of files has no address")?;
                let tree = HttpTree::known(&self.client, &url, bytes);
                OpenedFiles::new(Box::new(tree))
            }
        };
        Ok(Some(files))
    }

    fn list(&self) -> LocalBoxFuture<'_, Result<(OpenedFiles, Found), String>> {
        self.list().boxed_local()
    }

    fn choices(&self) -> Vec<String> {
        self.choices.borrow().clone()
    }

    fn pause(&self) -> LocalBoxFuture<'_, ()> {
        self.clock.wait(TELL_EVERY, Waiting::ForAnswer)
    }

    fn news(&self) -> Option<NetworkNews> {
        let (traffic, seen, told) = (self.client.traffic(), self.hub.seen(), self.told.get());
        let now = NetworkNews {
            requests: traffic.requests,
            bytes: traffic.bytes,
            commits: seen.commits,
            files: seen.files,
            wait_seconds: self.clock.seconds_to_wait(),
        };
        self.told.set(now);
        (now != told).then(|| now.since(told))
    }
}

impl Network {
    /// The files of a native worker's run, which it listed for the page.
    fn folder(&self, run: &WorkerRun) -> Result<OpenedFiles, String> {
        let id = js_sys::encode_uri_component(&run.id);
        let address = format!("{}api/runs/{id}/files/", run.address);
        let folder = Url::parse(&address).ok_or("the worker's address is none")?;
        let files = run.files.files.iter();
        let files = files.map(|file| (file.path.clone(), file.bytes));
        let (name, token) = (&run.files.name, token(&run.token)?);
        let tree = FolderTree::known(&self.client, name, folder, token, files);
        Ok(OpenedFiles::new(Box::new(tree)))
    }

    async fn list(&self) -> Result<(OpenedFiles, Found), String> {
        let endpoint = Url::parse(&self.remote.endpoint).ok_or("the page names no hub")?;
        let in_words = |error: HubError| {
            self.choices.replace(error.choices());
            error.to_string()
        };
        let place = Place::parse(&endpoint, &self.remote.place);
        let (address, path) = match place.map_err(in_words)? {
            Place::File(url) => return self.file(&url).await,
            Place::Repository(address) => (address, None),
            Place::Part {
                repository,
                segments,
            } => {
                let part = self.hub.part(&repository, &segments).await;
                part.map_err(in_words)?
            }
        };
        let tree = self.repository(&endpoint, address, path).await;
        let (tree, place) = tree.map_err(in_words)?;
        let run = tree.find_run().await;
        let run = run.map_err(|error| self.with_choices(&error, &tree, &endpoint))?;
        let found = Found {
            listed: tree.listed()?,
            place,
            is_repository: true,
        };
        Ok((
            OpenedFiles::of_repository(Box::new(tree)).with_run(run),
            found,
        ))
    }

    /// Why there is no run in a repository, in words. What it names can be chosen.
    fn with_choices(&self, error: &RunError, tree: &HubTree, endpoint: &Url) -> String {
        let others = other_revisions(error, tree);
        let repository = tree.repository();
        let revisions = others.iter().map(|it| format!("{repository}@{it}"));
        let base = endpoint.as_str().trim_end_matches('/');
        let pin = tree.pin().unwrap_or("main");
        let parts = error.choices().iter();
        let parts = parts.map(|path| format!("{base}/{repository}/tree/{pin}/{path}"));
        self.choices.replace(revisions.chain(parts).collect());
        with_revisions(error, repository, others)
    }

    /// A repository's files, and what leads to the same ones again.
    async fn repository(
        &self,
        endpoint: &Url,
        address: HubAddress,
        path: Option<String>,
    ) -> Result<(HubTree, String), HubError> {
        let mut listing = self.hub.look_up(&address).await?;
        if path.is_some() {
            listing = listing.of_files();
        }
        let mut tree = listing.overview().await?;
        if let Some(path) = &path {
            tree = tree.only(path)?;
        }
        let revision = tree.pin().or(address.revision.as_deref());
        let place = match (revision, path) {
            (Some(revision), Some(path)) => {
                let base = endpoint.as_str().trim_end_matches('/');
                format!("{base}/{}/resolve/{revision}/{path}", tree.repository())
            }
            (Some(revision), None) => format!("{}@{revision}", tree.repository()),
            (None, _) => tree.repository().to_owned(),
        };
        Ok((tree, place))
    }

    async fn file(&self, url: &Url) -> Result<(OpenedFiles, Found), String> {
        let tree = match HttpTree::open(&self.client, url).await {
            Ok(tree) => tree,
            Err(error @ HttpError::Unreachable { .. }) => {
                return Err(diagnosis::of(url, &error).await);
            }
            Err(error) => return Err(error.to_string()),
        };
        let found = Found {
            listed: sealed(&Listed::File(url.to_string(), tree.bytes()))?,
            // A query may be a signature, which is nobody else's.
            place: url.without_query().to_owned(),
            is_repository: false,
        };
        let run = Run::find(&tree).await.map_err(|error| error.to_string())?;
        Ok((OpenedFiles::new(Box::new(tree)).with_run(run), found))
    }
}

/// Whoever gives an address that nobody may read wants to hear so soon.
fn patience(remote: &Remote) -> Patience {
    let usual = Patience::default();
    let is_listed = remote.listed.is_some() || remote.run.is_some();
    let endpoint = Url::parse(&remote.endpoint).filter(|_| !is_listed);
    let place = endpoint.and_then(|endpoint| Place::parse(&endpoint, &remote.place).ok());
    match place {
        Some(Place::File(_)) => Patience {
            attempts: ATTEMPTS_AT_AN_ADDRESS,
            ..usual
        },
        _ => usual,
    }
}

fn token(secret: &Secret) -> Result<Option<Token>, String> {
    match secret.0.trim() {
        "" => Ok(None),
        text => Token::new(text)
            .map(Some)
            .ok_or_else(|| "the token has characters that no token has".to_owned()),
    }
}

impl Repository for HubTree {
    fn tree(&self) -> &dyn Tree {
        self
    }

    fn hub(&self) -> &HubTree {
        self
    }

    fn extent(&self) -> (u64, u64) {
        self.extent()
    }

    fn unlisted(&self) -> BTreeSet<u64> {
        self.unlisted()
    }

    fn listed(&self) -> Result<Sealed, String> {
        sealed(&Listed::Hub(self.manifest()))
    }

    fn find_run(&self) -> LocalBoxFuture<'_, Result<Run, String>> {
        let found = self.find_run();
        found.map_err(|error| error.to_string()).boxed_local()
    }

    fn settle<'a>(
        &'a self,
        run: &'a Run,
        steps: &'a BTreeSet<u64>,
    ) -> LocalBoxFuture<'a, Result<Run, String>> {
        let settled = self.settle(run, steps);
        settled.map_err(|error| error.to_string()).boxed_local()
    }

    fn exactly<'a>(
        &'a self,
        run: &'a Run,
        steps: &'a BTreeSet<u64>,
    ) -> LocalBoxFuture<'a, Result<Run, String>> {
        let exact = self.exactly(run, steps);
        exact.map_err(|error| error.to_string()).boxed_local()
    }

    fn assumed<'a>(&'a self, run: &Run, read: &BTreeSet<u64>) -> Box<dyn Tree + 'a> {
        Box::new(self.assumed(run, read))
    }
}

fn sealed(listed: &Listed) -> Result<Sealed, String> {
    Sealed::of(listed).map_err(|error| error.to_string())
}

/// Nothing on the default branch is often something on another.
fn other_revisions<'a>(error: &RunError, tree: &'a HubTree) -> &'a [String] {
    let others = tree.revisions();
    if error.is_nothing() && others.len() > 1 {
        others
    } else {
        &[]
    }
}

fn with_revisions(error: &RunError, repository: &str, others: &[String]) -> String {
    if others.is_empty() {
        return error.to_string();
    }
    let shown = others.get(..NAMES_IN_MESSAGE).unwrap_or(others).join(", ");
    let more = match others.len().saturating_sub(NAMES_IN_MESSAGE) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{error}. It has other revisions; give one as {repository}@REVISION: {shown}{more}")
}
