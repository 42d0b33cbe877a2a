//! The Hub as the environment names it: address, token, cache.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Result, anyhow};
use ckptscope_checkpoint::http::{Clock, HttpClient, Patience, Token, Waiting};
use ckptscope_checkpoint::hub::{Cache, Hub, HubError, PUBLIC_ENDPOINT};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::executor::Reader;
use crate::{Misuse, console};

/// The Hub that `HF_ENDPOINT` names, else the public one, with the token and the cache of Python's
/// own tools. Reads that are started ahead run on `reader`.
pub(crate) fn from_environment(reader: Arc<Reader>) -> Result<Arc<Hub>> {
    let http = HttpClient::new(Arc::new(TokioClock), Patience::default());
    let http = http.map_err(|error| anyhow!("{error}"))?;
    let http = Arc::new(http.with_spawner(reader));
    let endpoint = variable("HF_ENDPOINT").unwrap_or_else(|| PUBLIC_ENDPOINT.to_owned());
    let cache = cache_folder().map_or_else(Cache::default, Cache::at);
    let hub = Hub::new(http, &endpoint, token()?, cache).map_err(|error| judged(&error))?;
    Ok(Arc::new(hub))
}

/// What a person can mend by calling otherwise is wrong usage; the rest is a failure.
pub(crate) fn judged(error: &HubError) -> anyhow::Error {
    match error {
        HubError::Http(_)
        | HubError::BadAnswer { .. }
        | HubError::LongAnswer { .. }
        | HubError::TooManyPages { .. } => anyhow!("{error}"),
        _ => Misuse(error.to_string()).into(),
    }
}

/// `HF_TOKEN`, else the file that `hf auth login` writes.
fn token() -> Result<Option<Token>> {
    let text = variable("HF_TOKEN").or_else(|| variable("HUGGING_FACE_HUB_TOKEN"));
    let file = || variable("HF_TOKEN_PATH").map(PathBuf::from);
    let file = || file().or_else(|| Some(home()?.join("token")));
    let text = text.or_else(|| fs::read_to_string(file()?).ok());
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        return Ok(None);
    };
    let token = Token::new(&text).ok_or_else(|| {
        Misuse("the Hub's token has characters that no token has; see HF_TOKEN".to_owned())
    })?;
    Ok(Some(token))
}

fn cache_folder() -> Option<PathBuf> {
    let own = variable("HF_HUB_CACHE").or_else(|| variable("HUGGINGFACE_HUB_CACHE"));
    own.map(PathBuf::from).or_else(|| Some(home()?.join("hub")))
}

/// `HF_HOME`, else `huggingface` in the folder for caches.
fn home() -> Option<PathBuf> {
    let caches = || variable("XDG_CACHE_HOME").map(PathBuf::from);
    let caches = || caches().or_else(|| Some(env::home_dir()?.join(".cache")));
    variable("HF_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(caches()?.join("huggingface")))
}

/// A variable that is set to something.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// The runtime's time.
struct TokioClock;

impl Clock for TokioClock {
    fn unix_seconds(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| since.as_secs())
    }

    fn wait(&self, duration: Duration, waiting: Waiting) -> LocalBoxFuture<'static, ()> {
        if waiting == Waiting::ForRateLimit {
            let seconds = duration.as_secs();
            console::say(&format!(
                "the Hub allows no more requests for now; going on in {seconds} seconds"
            ));
        }
        async move { tokio::time::sleep(duration).await }.boxed_local()
    }
}
