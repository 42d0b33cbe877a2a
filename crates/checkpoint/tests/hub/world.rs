//! A fake hub, and a client of it.

use std::future::Future;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ckptscope_checkpoint::http::{Clock, HttpClient, Patience, Token, Waiting};
use ckptscope_checkpoint::hub::{Cache, Hub, HubAddress, HubError, HubTree};
use ckptscope_checkpoint::{ReadError, Source, Tree};
use ckptscope_fake_hub::{FakeHub, Fault, Logged, Options, Origin, Repository, Rule, example};
use futures_core::future::LocalBoxFuture;
use tokio::runtime::{Builder, Runtime};

use crate::support::micro_run;

pub(crate) struct World {
    pub(crate) fake: FakeHub,
    pub(crate) hub: Arc<Hub>,
    pub(crate) http: Arc<HttpClient>,
    pub(crate) waits: Arc<Waits>,
    pub(crate) patience: Patience,
    runtime: Runtime,
}

/// A clock that notes what it is asked to wait for, and waits for answers only.
#[derive(Default)]
pub(crate) struct Waits(Mutex<Vec<(Duration, Waiting)>>);

impl Waits {
    pub(crate) fn seconds(&self, wanted: Waiting) -> Vec<u64> {
        let waits = self.0.lock().unwrap();
        let wanted = waits.iter().filter(|(_, waiting)| *waiting == wanted);
        wanted.map(|(duration, _)| duration.as_secs()).collect()
    }
}

impl Clock for Waits {
    fn unix_seconds(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.unwrap().as_secs()
    }

    fn wait(&self, duration: Duration, waiting: Waiting) -> LocalBoxFuture<'static, ()> {
        self.0.lock().unwrap().push((duration, waiting));
        Box::pin(async move {
            if waiting == Waiting::ForAnswer {
                tokio::time::sleep(duration).await;
            }
        })
    }
}

impl World {
    pub(crate) fn new(repositories: Vec<Repository>) -> Self {
        Self::with(repositories, Options::default(), None, Cache::default())
    }

    /// With a client that soon asks again, for servers that do not answer. On a busy machine it
    /// may do so of servers that do.
    pub(crate) fn impatient(repositories: Vec<Repository>) -> Self {
        let patience = Patience {
            stall: Duration::from_millis(400),
            attempts: 6,
            ..Patience::default()
        };
        let (options, cache) = (Options::default(), Cache::default());
        Self::with_patience(repositories, options, None, cache, patience)
    }

    /// With the small run in every form.
    pub(crate) fn of_examples(token: Option<&str>) -> Self {
        let examples = example::examples(&micro_run()).unwrap();
        Self::with(examples, Options::default(), token, Cache::default())
    }

    pub(crate) fn with(
        repositories: Vec<Repository>,
        options: Options,
        token: Option<&str>,
        cache: Cache,
    ) -> Self {
        let patience = Patience {
            attempts: 3,
            ..Patience::default()
        };
        Self::with_patience(repositories, options, token, cache, patience)
    }

    fn with_patience(
        repositories: Vec<Repository>,
        options: Options,
        token: Option<&str>,
        cache: Cache,
        patience: Patience,
    ) -> Self {
        let fake = FakeHub::start_with(repositories, options).unwrap();
        let mut runtime = Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
        let waits = Arc::new(Waits::default());
        let http = HttpClient::new(Arc::clone(&waits) as _, patience).unwrap();
        let http = Arc::new(http);
        let token = token.and_then(Token::new);
        let hub = Hub::new(Arc::clone(&http), fake.endpoint(), token, cache).unwrap();
        Self {
            fake,
            hub: Arc::new(hub),
            http,
            waits,
            patience,
            runtime,
        }
    }

    /// Another client.
    pub(crate) fn client(&self) -> HttpClient {
        HttpClient::new(Arc::clone(&self.waits) as _, self.patience).unwrap()
    }

    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// What executors other than tokio's need to read from here.
    pub(crate) fn enter(&self) -> tokio::runtime::EnterGuard<'_> {
        self.runtime.enter()
    }

    /// All steps of a repository.
    pub(crate) fn tree(&self, address: &str) -> Result<HubTree, HubError> {
        self.tree_of(address, |_| true)
    }

    pub(crate) fn tree_of(
        &self,
        address: &str,
        wants: impl Fn(u64) -> bool,
    ) -> Result<HubTree, HubError> {
        let address = HubAddress::parse(address)?;
        self.block_on(async { self.hub.look_up(&address).await?.tree(wants).await })
    }

    pub(crate) fn refusal(&self, address: &str) -> String {
        self.tree(address).unwrap_err().to_string()
    }

    pub(crate) fn open(&self, tree: &HubTree, path: &str) -> Rc<dyn Source> {
        self.block_on(tree.open(path)).unwrap()
    }

    pub(crate) fn read(
        &self,
        source: &dyn Source,
        offset: u64,
        length: u64,
    ) -> Result<Vec<u8>, ReadError> {
        self.block_on(source.read_at(offset, length))
    }

    pub(crate) fn inject(&self, origin: Origin, contains: &str, times: usize, fault: Fault) {
        self.fake.inject(Rule {
            origin,
            contains: contains.to_owned(),
            skip: 0,
            times,
            fault,
        });
    }

    /// How often each origin was asked since it was last looked at: (hub, file host).
    pub(crate) fn requests(&self) -> (usize, usize) {
        let log = self.fake.take_log();
        let at = |origin| {
            log.iter()
                .filter(|it: &&Logged| it.origin == origin)
                .count()
        };
        (at(Origin::Hub), at(Origin::FileHost))
    }
}

/// A repository `a/b` with these files on `main`.
pub(crate) fn repository(files: &[(&str, &[u8])]) -> Repository {
    let mut repository = Repository::new("a/b");
    repository.commit("main", "Upload", changes(files));
    repository
}

/// Files as a commit takes them.
pub(crate) fn changes<'a>(files: &'a [(&'a str, &'a [u8])]) -> Vec<(&'a str, Option<&'a [u8]>)> {
    let change = |(path, content): &(&'a str, &'a [u8])| (*path, Some(*content));
    files.iter().map(change).collect()
}
