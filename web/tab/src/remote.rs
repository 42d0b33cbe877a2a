//! Runs that are not on this machine. What speaks to the Hub and other servers is a part of the
//! program that is fetched when somebody opens such a run; here is what the rest knows of it.

use std::collections::BTreeSet;
use std::rc::Rc;

use ckptscope_checkpoint::hub::HubTree;
use ckptscope_checkpoint::{Run, Tree};
use ckptscope_protocol::Sealed;
use ckptscope_protocol::tab::{Found, NetworkNews, Remote};
use ckptscope_web_browser::part::{MissingPart, begin};
#[cfg(feature = "split")]
use ckptscope_web_browser::wasm_split::wasm_split;
use futures_util::future::{Either, LocalBoxFuture, select};

use super::network;
use super::opened::OpenedFiles;

/// The way to a run somewhere else.
pub(super) trait Connection {
    /// The files that somebody listed before, where somebody has.
    fn listed(&self) -> Result<Option<OpenedFiles>, String>;

    /// Lists the run's files, and finds the run in them.
    fn list(&self) -> LocalBoxFuture<'_, Result<(OpenedFiles, Found), String>>;

    /// The places among which somebody has to choose, where nothing could be opened.
    fn choices(&self) -> Vec<String>;

    /// Waits until the page should hear again how reading goes.
    fn pause(&self) -> LocalBoxFuture<'_, ()>;

    /// What has happened since this was last asked; none where nothing has.
    fn news(&self) -> Option<NetworkNews>;
}

/// Files of a repository, whose steps are listed when they are read. Errors are in words.
pub(super) trait Repository {
    /// Those that were listed.
    fn tree(&self) -> &dyn Tree;

    /// The repository itself, for the audit.
    fn hub(&self) -> &HubTree;

    /// How many files are known, and their bytes together.
    fn extent(&self) -> (u64, u64);

    /// The steps of which nobody has listed the files.
    fn unlisted(&self) -> BTreeSet<u64>;

    /// What was listed so far, for other web workers.
    fn listed(&self) -> Result<Sealed, String>;

    /// The run; steps that nobody has listed are assumed to be like others.
    fn find_run(&self) -> LocalBoxFuture<'_, Result<Run, String>>;

    /// The same run with these steps as they are.
    fn settle<'a>(
        &'a self,
        run: &'a Run,
        steps: &'a BTreeSet<u64>,
    ) -> LocalBoxFuture<'a, Result<Run, String>>;

    /// The run of these steps alone, each as it is.
    fn exactly<'a>(
        &'a self,
        run: &'a Run,
        steps: &'a BTreeSet<u64>,
    ) -> LocalBoxFuture<'a, Result<Run, String>>;

    /// The files of all steps, where those that were not read are taken to be like one that was.
    fn assumed<'a>(&'a self, run: &Run, read: &BTreeSet<u64>) -> Box<dyn Tree + 'a>;
}

/// The way to a run, once the part of the program is there that knows it; it asks nobody yet.
pub(super) async fn connect(remote: Remote) -> Result<Rc<dyn Connection>, String> {
    let begun = begin!(begun(remote));
    begun.map_err(|missing: MissingPart| missing.to_string())?
}

#[cfg_attr(
    feature = "split",
    wasm_split(network, wasm_split_path = ::ckptscope_web_browser::wasm_split, fallible)
)]
#[expect(clippy::unnecessary_wraps, reason = "fails where the part is missing")]
fn begun(remote: Remote) -> Result<Result<Rc<dyn Connection>, String>, MissingPart> {
    Ok(network::connect(remote))
}

/// What `answer` comes to; meanwhile `tell` hears how reading goes.
pub(super) async fn while_telling<T>(
    connection: &dyn Connection,
    answer: impl Future<Output = T>,
    tell: impl Fn(NetworkNews),
) -> T {
    let mut answer = std::pin::pin!(answer);
    loop {
        let outcome = match select(answer.as_mut(), connection.pause()).await {
            Either::Left((outcome, _)) => Some(outcome),
            Either::Right(_) => None,
        };
        if let Some(news) = connection.news() {
            tell(news);
        }
        if let Some(outcome) = outcome {
            return outcome;
        }
    }
}
