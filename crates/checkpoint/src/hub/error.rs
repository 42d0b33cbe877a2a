//! What the Hub refuses, and what to do about it.

use crate::http::HttpError;
use crate::http::advice::{SET_TOKEN, TOKEN};

/// Something that the Hub did not give.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // the messages say what the variants and fields are
pub enum HubError {
    #[error("this is no repository's name, which is OWNER/NAME or OWNER/NAME@REVISION: {name}")]
    BadName { name: String },
    #[error(
        "this is neither a repository's name (OWNER/NAME or OWNER/NAME@REVISION) nor an address of \
         a model, a branch or a file: {text}"
    )]
    BadPlace { text: String },
    #[error("this is the address of a {kind}; only models can be read")]
    NoModel { kind: &'static str },
    #[error(
        "nothing of {repository} is here, and nobody is asked for it (HF_HUB_OFFLINE): unset \
         HF_HUB_OFFLINE, or download it to {cache} first"
    )]
    NotInCache { repository: String, cache: String },
    #[error("this is no address of a hub, which begins with https:// (HF_ENDPOINT): {endpoint}")]
    BadEndpoint { endpoint: String },
    #[error(
        "there is no model repository {repository} at {host}, or it is private: check the \
             name, or {SET_TOKEN} a token that may read it"
    )]
    NoRepositoryWithoutToken { repository: String, host: String },
    #[error(
        "there is no model repository {repository} at {host}, or the token may not read it: \
             check the name and whose token {TOKEN} is"
    )]
    NoRepositoryWithToken { repository: String, host: String },
    #[error(
        "{host} does not accept the token: {SET_TOKEN} one that is valid, or none for what is \
         public"
    )]
    TokenRefused { host: String },
    #[error(
        "the repository {repository} is there for those who accepted its terms: accept them \
             at {page}, and {SET_TOKEN} a token of that account"
    )]
    Gated { repository: String, page: String },
    #[error(
        "the repository {repository} has no revision {revision}{}",
        list("it has", names)
    )]
    NoRevision {
        repository: String,
        revision: String,
        /// Its branches and tags.
        names: Vec<String>,
    },
    #[error(
        "the repository {repository} has no revision that fits {pattern}{}",
        list("it has", names)
    )]
    NoneFits {
        repository: String,
        pattern: String,
        /// Its branches and tags.
        names: Vec<String>,
    },
    #[error("the pattern {pattern} has no place for the step: write {{N}} for it")]
    NoPlaceForStep { pattern: String },
    #[error(
        "the repository {repository} has several sequences of revisions named by step ({}): give \
         one of them as the branch", families.join(", ")
    )]
    SeveralFamilies {
        repository: String,
        /// Patterns.
        families: Vec<String>,
    },
    #[error("there is no {path} in {repository}")]
    NoEntry { repository: String, path: String },
    #[error("the answer of {host} is not the JSON that it should be: {source}")]
    BadAnswer {
        host: String,
        source: serde_json::Error,
    },
    #[error("the answer of {host} is longer than {limit} bytes")]
    LongAnswer { host: String, limit: u64 },
    #[error("{host} gives more than {limit} pages of a list")]
    TooManyPages { host: String, limit: usize },
    #[error("{host} names as a list's next page what is none: {link}")]
    NoNextPage { host: String, link: String },
    #[error(transparent)]
    Http(#[from] HttpError),
}

impl HubError {
    /// What it names to choose from, each as `OWNER/NAME@REVISION`; nothing where it names nothing.
    #[must_use]
    pub fn choices(&self) -> Vec<String> {
        let (repository, revisions) = match self {
            Self::NoRevision {
                repository, names, ..
            }
            | Self::NoneFits {
                repository, names, ..
            } => (repository, names),
            Self::SeveralFamilies {
                repository,
                families,
            } => (repository, families),
            _ => return Vec::new(),
        };
        let revisions = revisions.iter();
        revisions
            .map(|revision| format!("{repository}@{revision}"))
            .collect()
    }

    /// Why the Hub did not answer; none where it did, whatever it said.
    pub(super) fn absence(&self) -> Option<String> {
        match self {
            Self::Http(
                error @ (HttpError::Unreachable { .. }
                | HttpError::BrokeOff { .. }
                | HttpError::Stalled { .. }
                | HttpError::RateLimited { .. }
                | HttpError::Status {
                    status: 408 | 500..=599,
                    ..
                }),
            ) => Some(error.to_string()),
            _ => None,
        }
    }
}

/// At most so many names are listed in a message.
const NAMES_IN_MESSAGE: usize = 20;

fn list(before: &str, names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let shown = names.get(..names.len().min(NAMES_IN_MESSAGE));
    let shown = shown.unwrap_or_default().join(", ");
    match names.len().saturating_sub(NAMES_IN_MESSAGE) {
        0 => format!("; {before} {shown}"),
        more => format!("; {before} {shown} and {more} more"),
    }
}
