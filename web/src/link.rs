//! Links that carry an analysis: `#a=<base64url(deflate(json))>`.
//!
//! What comes in a link may be anything: it is measured while it is inflated, its version is read
//! before the rest, and nothing of it is drawn but as text and numbers. A link holds no secret.

pub mod base64url;
mod columns;
pub mod deflate;
mod error;
pub mod stream;

pub use error::LinkError;

use ckptscope_analysis::results::Results;
use serde::{Deserialize, Serialize};

use crate::choices::Choices;
use columns::Columns;
use deflate::InflateError;

/// The version of what links hold.
pub const VERSION: u64 = 1;

/// Chat programs and servers cut off what is longer.
pub const MOST_CHARACTERS: usize = 120_000;

/// The start of the part of an address that holds a link.
pub const MARK: &str = "#a=";

/// An analysis as a link carries it.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// What it is an analysis of.
    pub source: Source,
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
pub enum Source {
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

/// What is written.
#[derive(Serialize, Deserialize)]
struct Content {
    v: u64,
    source: Source,
    config: String,
    #[serde(default, skip_serializing_if = "is_untouched")]
    view: Choices,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    results: Option<Columns>,
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
            results: self.results.as_ref().map(Columns::of),
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
        let content: Content = serde_json::from_slice(&json).map_err(foreign)?;
        let results = content.results.map(Columns::into_results);
        Ok(Self {
            source: content.source,
            config: content.config,
            choices: content.view,
            results: results.transpose()?,
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
