//! Links that carry an analysis: `#a=<base64url(deflate(json))>`.
//!
//! What comes in a link may be anything: it is measured while it is inflated, its version is read
//! before the rest, and nothing of it is drawn but as text and numbers. A link holds no secret.

pub mod base64url;
pub mod deflate;
mod error;
pub mod stream;
mod version_1;

pub use error::LinkError;

use ckptscope_results::Results;
use serde::{Deserialize, Serialize};

use crate::choices::Choices;
use deflate::InflateError;
use version_1::ResultsOfVersion1;

/// The version of what links hold.
pub const VERSION: u64 = 2;

/// Chat programs and servers cut off what is longer.
pub const MOST_CHARACTERS: usize = 120_000;

/// The start of the part of an address that holds a link.
pub const MARK: &str = "#a=";

/// An analysis as a link carries it.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// What it is an analysis of.
    pub source: LinkSource,
    /// Its config, as YAML.
    pub config: String,
    /// How its results are shown.
    pub choices: Choices,
    /// What came of it, where the link carries that.
    pub results: Option<Results>,
}

/// What an analysis is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LinkSource {
    /// The run that comes with the page.
    Demo,
    /// A run on the Hub, or at an address.
    Remote {
        /// What it is called.
        name: String,
        /// What leads to the same files again, as the page's field takes it.
        place: String,
    },
    /// Files of whoever made the link. They are not in it.
    Files {
        /// What they are called together.
        name: String,
    },
}

/// The version alone, which all versions have.
#[derive(Deserialize)]
struct Head {
    v: u64,
}

/// What is written, and read again. Of version 1 only the results were written otherwise.
#[derive(Serialize, Deserialize)]
struct Content<R> {
    v: u64,
    source: LinkSource,
    config: String,
    #[serde(default, skip_serializing_if = "is_untouched")]
    view: Choices,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    results: Option<R>,
}

impl Link {
    /// What stands behind [`MARK`].
    ///
    /// # Errors
    /// [`LinkError::Unsupported`].
    pub async fn encode(&self) -> Result<String, LinkError> {
        let content = Content {
            v: VERSION,
            source: self.source.clone(),
            config: self.config.clone(),
            view: self.choices.clone(),
            results: self.results.as_ref().map(|results| Results {
                // Long, and where files lie is nobody else's business.
                inputs: Vec::new(),
                ..results.clone()
            }),
        };
        let json = serde_json::to_vec(&content).map_err(foreign)?;
        let packed = deflate::pack(&json)
            .await
            .map_err(|reason| LinkError::Unsupported { reason })?;
        Ok(base64url::encode(&packed))
    }

    /// Reads what stands behind [`MARK`].
    ///
    /// # Errors
    /// [`LinkError`], for people.
    pub async fn decode(text: &str) -> Result<Self, LinkError> {
        let packed = base64url::decode(text)?;
        let json = deflate::unpack(&packed)
            .await
            .map_err(|error| match error {
                InflateError::TooLarge { bytes } => LinkError::TooLarge { bytes },
                InflateError::Broken if packed.is_empty() => LinkError::CutOff,
                InflateError::Broken => LinkError::Damaged,
                InflateError::Unsupported { reason } => LinkError::Unsupported { reason },
            })?;
        let head: Head = serde_json::from_slice(&json).map_err(foreign)?;
        if head.v > VERSION {
            return Err(LinkError::Newer {
                version: head.v,
                known: VERSION,
            });
        }
        if head.v == 1 {
            let content: Content<ResultsOfVersion1> =
                serde_json::from_slice(&json).map_err(foreign)?;
            return content.into_link(ResultsOfVersion1::into_results);
        }
        let content: Content<Results> = serde_json::from_slice(&json).map_err(foreign)?;
        content.into_link(Ok)
    }
}

const fn none<R>() -> Option<R> {
    None
}

impl<R> Content<R> {
    fn into_link(self, read: impl Fn(R) -> Result<Results, LinkError>) -> Result<Link, LinkError> {
        Ok(Link {
            source: self.source,
            config: self.config,
            choices: self.view,
            results: self.results.map(read).transpose()?,
        })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn foreign(error: serde_json::Error) -> LinkError {
    LinkError::Foreign {
        reason: error.to_string(),
    }
}

fn is_untouched(choices: &Choices) -> bool {
    *choices == Choices::default()
}
