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

/// With one of these on, the Hub is not asked, as Python's tools do not ask it then.
const OFFLINE: &[&str] = &["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"];

/// The Hub that `HF_ENDPOINT` names, else the public one, with the token and the cache of Python's
/// own tools. Reads that are started ahead run on `reader`.
pub(crate) fn from_environment(reader: Arc<Reader>) -> Result<Arc<Hub>> {
    let http = HttpClient::new(Arc::new(TokioClock), Patience::default());
    let http = http.map_err(|error| anyhow!("{error}"))?;
    let http = Arc::new(http.with_spawner(reader));
    let endpoint = variable("HF_ENDPOINT").unwrap_or_else(|| PUBLIC_ENDPOINT.to_owned());
    let cache = cache_folder().map_or_else(Cache::default, Cache::at);
    let hub = Hub::new(http, &endpoint, token()?, cache).map_err(|error| judged(&error))?;
    let is_offline = OFFLINE.iter().any(|name| is_on(name));
    Ok(Arc::new(if is_offline { hub.offline() } else { hub }))
}

/// What a person can mend by calling otherwise is wrong usage; the rest is a failure.
pub(crate) fn judged(error: &HubError) -> anyhow::Error {
    match error {
        HubError::Http(_)
        | HubError::BadAnswer { .. }
        | HubError::LongAnswer { .. }
        | HubError::NoNextPage { .. }
        | HubError::TooManyPages { .. } => anyhow!("{error}"),
        _ => Misuse(error.to_string()).into(),
    }
}

/// `HF_TOKEN`, else the file that `hf auth login` writes.
fn token() -> Result<Option<Token>> {
    let text = variable("HF_TOKEN").or_else(|| variable("HUGGING_FACE_HUB_TOKEN"));
    let file = || variable("HF_TOKEN_PATH").map(|path| expanded(&path));
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
    own.map(|path| expanded(&path))
        .or_else(|| Some(home()?.join("hub")))
}

/// `HF_HOME`, else `huggingface` in the folder for caches.
fn home() -> Option<PathBuf> {
    let caches = || variable("XDG_CACHE_HOME").map(|path| expanded(&path));
    let caches = || caches().or_else(|| Some(env::home_dir()?.join(".cache")));
    variable("HF_HOME")
        .map(|path| expanded(&path))
        .or_else(|| Some(caches()?.join("huggingface")))
}

/// A path in which `~` stands for the person's home, and `$NAME` or `${NAME}` for a variable that is
/// set: where no shell has read it, as in a file of variables, they stand as they are.
fn expanded(path: &str) -> PathBuf {
    let text = with_variables(path, &|name| env::var(name).ok());
    let below = text.strip_prefix('~').filter(|below| {
        // `~name` is somebody else's.
        below.is_empty() || below.starts_with(is_separator)
    });
    match below.zip(env::home_dir()) {
        Some((below, home)) => home.join(below.trim_start_matches(is_separator)),
        None => PathBuf::from(text),
    }
}

/// The text with the values of its variables; those that are not set stay as they are.
fn with_variables(text: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let Some((before, rest)) = text.split_once('$') else {
        return text.to_owned();
    };
    let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let braced = rest.strip_prefix('{').and_then(|it| it.split_once('}'));
    let (name, after) =
        braced.unwrap_or_else(|| rest.split_at(rest.find(|it| !is_name(it)).unwrap_or(rest.len())));
    let written = rest.strip_suffix(after).unwrap_or(rest);
    let value_of_name = value(name).unwrap_or_else(|| format!("${written}"));
    format!("{before}{value_of_name}{}", with_variables(after, value))
}

/// Whether a variable is on, as Python's tools read it.
fn is_on(name: &str) -> bool {
    let value = variable(name).unwrap_or_default().to_ascii_uppercase();
    ["1", "ON", "YES", "TRUE"].contains(&value.trim())
}

/// A variable that is set to something.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// Whether a character stands between folders here.
fn is_separator(character: char) -> bool {
    std::path::is_separator(character)
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

#[cfg(test)]
mod tests {
    use super::{expanded, with_variables};

    #[test]
    fn variables_in_paths() {
        let value = |name: &str| (name == "A_1").then(|| "x".to_owned());
        for (text, expected) in [
            ("/a/b", "/a/b"),
            ("$A_1/b", "x/b"),
            ("/a/${A_1}b$A_1", "/a/xbx"),
            ("$B/${B}/$", "$B/${B}/$"),
            ("${A_1", "${A_1"),
        ] {
            assert_eq!(with_variables(text, &value), expected, "{text}");
        }
    }

    #[test]
    fn the_person_s_home_in_paths() {
        let home = std::env::home_dir().unwrap();
        assert_eq!(expanded("~"), home);
        assert_eq!(expanded("~/a"), home.join("a"));
        for other in ["~name/a", "/a/~", "a~"] {
            assert_eq!(expanded(other).to_str(), Some(other));
        }
    }
}
