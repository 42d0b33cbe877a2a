//! The calls of the Hub.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::cache::Cache;
use super::error::HubError;
use crate::http::client::{Answer, Request};
use crate::http::{HttpClient, RemoteFile, Token, Traffic, Url, Whereabouts, header};

/// A longer page of a list is refused.
const PAGE_LIMIT_BYTES: u64 = 64 * 1024 * 1024;

/// A list of more pages is refused.
const PAGES_LIMIT: usize = 1000;

/// A Hub: its address, who asks, and what was downloaded from it before.
pub struct Hub {
    http: Arc<HttpClient>,
    endpoint: Url,
    token: Option<Token>,
    pub(super) cache: Cache,
    /// Why the cache answers in the Hub's place; empty while the Hub does.
    absence: OnceLock<Absence>,
    commits_seen: AtomicU64,
    files_seen: AtomicU64,
}

/// Why nobody asks the Hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Absence {
    /// Whoever asks wants it so.
    Wanted,
    /// It did not answer; in words, why.
    Unreachable(String),
}

/// How far the listing of repositories is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Commits that were listed.
    pub commits: u64,
    /// Files of commits that were listed.
    pub files: u64,
}

/// A commit of a branch.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Commit {
    pub(super) id: String,
    pub(super) title: String,
}

/// A file of a commit.
#[derive(Clone, Debug)]
pub(super) struct FileOfCommit {
    pub(super) path: String,
    pub(super) bytes: u64,
    /// git's object id.
    pub(super) object_id: String,
    /// What the file's entity tag is: of large files the SHA-256, of others git's object id.
    pub(super) tag: String,
}

/// Branches and tags.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Refs {
    #[serde(default)]
    pub(super) branches: Vec<Reference>,
    #[serde(default)]
    pub(super) tags: Vec<Reference>,
}

/// A branch or a tag.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reference {
    pub(super) name: String,
    pub(super) target_commit: String,
}

/// One line of a tree's list.
#[derive(Deserialize)]
struct TreeEntry {
    #[serde(rename = "type")]
    kind: String,
    path: String,
    #[serde(default)]
    size: u64,
    oid: String,
    lfs: Option<LargeFile>,
}

#[derive(Deserialize)]
struct LargeFile {
    oid: String,
    size: u64,
}

impl Hub {
    /// The Hub at an address, [`PUBLIC_ENDPOINT`](super::PUBLIC_ENDPOINT) or another.
    ///
    /// # Errors
    /// [`HubError::BadEndpoint`].
    pub fn new(
        http: Arc<HttpClient>,
        endpoint: &str,
        token: Option<Token>,
        cache: Cache,
    ) -> Result<Self, HubError> {
        let url = Url::parse(endpoint);
        let endpoint = url.ok_or_else(|| HubError::BadEndpoint {
            endpoint: endpoint.to_owned(),
        })?;
        Ok(Self {
            http,
            endpoint,
            token,
            cache,
            absence: OnceLock::new(),
            commits_seen: AtomicU64::new(0),
            files_seen: AtomicU64::new(0),
        })
    }

    /// The same, but nobody is asked: what the cache has is all there is.
    #[must_use]
    pub fn offline(self) -> Self {
        self.be_absent(Absence::Wanted);
        self
    }

    /// Lets the cache answer from now on.
    pub(super) fn be_absent(&self, why: Absence) {
        // The first reason counts.
        let _ = self.absence.set(why);
    }

    /// Why the cache answers in the Hub's place, where it does.
    pub(super) fn absence(&self) -> Option<&Absence> {
        self.absence.get()
    }

    /// What went over the network so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.http.traffic()
    }

    /// What was listed so far.
    #[must_use]
    pub fn seen(&self) -> Seen {
        Seen {
            commits: self.commits_seen.load(Ordering::Relaxed),
            files: self.files_seen.load(Ordering::Relaxed),
        }
    }

    /// A revision's commits, newest first: those of the first page, and the others if `more` says
    /// of the first that they matter.
    pub(super) async fn commits(
        &self,
        repository: &str,
        revision: &str,
        more: fn(&[Commit]) -> bool,
    ) -> Result<Vec<Commit>, HubError> {
        if self.absence().is_some() {
            let commit = self.cache.commit(repository, revision);
            let missing = || HubError::NoRevision {
                repository: repository.to_owned(),
                revision: revision.to_owned(),
                names: Vec::new(),
            };
            return commit.map(|commit| vec![commit]).ok_or_else(missing);
        }
        let url = self.api(repository, &["commits", revision]);
        let mut all: Vec<Commit> = Vec::new();
        let mut take = |page: &[u8]| {
            let commits: Vec<Commit> = self.parsed(page)?;
            let seen = commits.len() as u64;
            self.commits_seen.fetch_add(seen, Ordering::Relaxed);
            let goes_on = !all.is_empty() || more(&commits);
            all.extend(commits);
            Ok(goes_on)
        };
        self.pages(repository, url.with_query("limit=1000"), &mut take)
            .await?;
        Ok(all)
    }

    /// Every file of a commit.
    pub(super) async fn files(
        &self,
        repository: &str,
        commit: &str,
    ) -> Result<Vec<FileOfCommit>, HubError> {
        if self.absence().is_some() {
            return Ok(self.cache.files(repository, commit));
        }
        let url = self.api(repository, &["tree", commit]);
        let mut all = Vec::new();
        let mut take = |page: &[u8]| {
            let entries: Vec<TreeEntry> = self.parsed(page)?;
            let files = entries.into_iter().filter(|entry| entry.kind == "file");
            let before = all.len();
            all.extend(files.map(FileOfCommit::of));
            let seen = (all.len() - before) as u64;
            self.files_seen.fetch_add(seen, Ordering::Relaxed);
            Ok(true)
        };
        self.pages(repository, url.with_query("recursive=true"), &mut take)
            .await?;
        Ok(all)
    }

    /// Branches and tags.
    pub(super) async fn refs(&self, repository: &str) -> Result<Refs, HubError> {
        if self.absence().is_some() {
            return Ok(self.cache.refs(repository));
        }
        let url = self.api(repository, &["refs"]);
        let (body, _) = self.answer(repository, url).await?;
        self.parsed(&body)
    }

    /// A file of a commit, to be read by ranges.
    pub(super) fn file(
        &self,
        repository: &str,
        commit: &str,
        path: &str,
        whereabouts: (String, u64, String),
    ) -> RemoteFile {
        let folders = repository.split('/').chain(["resolve", commit]);
        let segments = folders.chain(path.split('/'));
        let (name, bytes, tag) = whereabouts;
        let whereabouts = Whereabouts {
            name,
            bytes,
            address: self.endpoint.child(segments),
            token: self.token.clone(),
            tag: Some(tag),
        };
        RemoteFile::new(Arc::clone(&self.http), whereabouts)
    }

    fn api(&self, repository: &str, segments: &[&str]) -> Url {
        let folders = ["api", "models"].into_iter().chain(repository.split('/'));
        self.endpoint.child(folders.chain(segments.iter().copied()))
    }

    /// A list that comes in pages, for as long as `take` says that the next one matters.
    async fn pages(
        &self,
        repository: &str,
        first: Url,
        take: &mut dyn FnMut(&[u8]) -> Result<bool, HubError>,
    ) -> Result<(), HubError> {
        let mut next = Some(first);
        for _ in 0..PAGES_LIMIT {
            let Some(url) = next else { return Ok(()) };
            let (body, after) = self.answer(repository, url).await?;
            let goes_on = take(&body)?;
            next = after.filter(|_| goes_on);
        }
        Err(HubError::TooManyPages {
            host: self.host(),
            limit: PAGES_LIMIT,
        })
    }

    /// An answer's body, and where the next page is.
    async fn answer(&self, repository: &str, url: Url) -> Result<(Vec<u8>, Option<Url>), HubError> {
        let request = Request {
            token: self.token.as_ref(),
            url,
            range: None,
            limit: PAGE_LIMIT_BYTES,
        };
        let answer = self.http.send(&request).await?;
        if answer.status != 200 {
            return Err(self.refusal(&answer, repository));
        }
        let next = header::next_page(&answer.headers);
        let next = next
            .map(|link| self.next_page(&request.url, link))
            .transpose()?;
        let (host, limit) = (self.host(), PAGE_LIMIT_BYTES);
        let body = answer.body.ok_or(HubError::LongAnswer { host, limit })?;
        Ok((body, next))
    }

    /// Where a list goes on: at the address of this page, with the link's query. A mirror may name
    /// another host in its links, and whoever named the mirror asks nobody else.
    fn next_page(&self, page: &Url, link: &str) -> Result<Url, HubError> {
        let named = page.join(link);
        let query = named.as_ref().and_then(Url::whole_query);
        let next = query.map(|query| page.with_query(query));
        let next = next.filter(|next| next != page);
        next.ok_or_else(|| HubError::NoNextPage {
            host: self.host(),
            link: link.to_owned(),
        })
    }

    fn parsed<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, HubError> {
        serde_json::from_slice(body).map_err(|source| HubError::BadAnswer {
            host: self.host(),
            source,
        })
    }

    /// Why the Hub refused, with what to do.
    fn refusal(&self, answer: &Answer, repository: &str) -> HubError {
        let (repository, host) = (repository.to_owned(), self.host());
        let code = header::text(&answer.headers, "x-error-code");
        match (code, answer.status) {
            (Some("GatedRepo"), _) => HubError::Gated {
                page: self.endpoint.child(repository.split('/')).to_string(),
                repository,
            },
            (Some("RepoNotFound"), _) | (None, 404) if self.token.is_none() => {
                HubError::NoRepositoryWithoutToken { repository, host }
            }
            (Some("RepoNotFound"), _) | (None, 404) => {
                HubError::NoRepositoryWithToken { repository, host }
            }
            (None, 401) if self.token.is_some() => HubError::TokenRefused { host },
            (None, 401) => HubError::NoRepositoryWithoutToken { repository, host },
            (Some("RevisionNotFound"), _) => HubError::NoRevision {
                repository,
                revision: String::new(),
                names: Vec::new(),
            },
            _ => HubError::Http(answer.failure()),
        }
    }

    fn host(&self) -> String {
        self.endpoint.host().to_owned()
    }
}

impl FileOfCommit {
    /// Whether a commit left another one's file as it was.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        self.path == other.path && self.object_id == other.object_id
    }

    fn of(entry: TreeEntry) -> Self {
        let (tag, bytes) = match entry.lfs {
            Some(large) => (large.oid, large.size),
            None => (entry.oid.clone(), entry.size),
        };
        Self {
            path: entry.path,
            bytes,
            object_id: entry.oid,
            tag,
        }
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hub({})", self.host())
    }
}
