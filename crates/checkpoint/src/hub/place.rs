//! What people call a run: a repository's name, or an address out of a browser.

use super::address::{HubAddress, PUBLIC_ENDPOINT};
use super::client::Hub;
use super::error::HubError;
use crate::http::Url;
use crate::http::url::decoded;

/// Hosts that lead to the public hub.
const PUBLIC_HOSTS: &[&str] = &["huggingface.co", "www.huggingface.co", "hf.co"];

/// What the Hub has beside models.
const OTHERS: &[(&str, &str)] = &[
    ("datasets", "dataset"),
    ("spaces", "space"),
    ("collections", "collection"),
    ("papers", "paper"),
];

/// What stands before a revision in an address of the Hub.
const BEFORE_REVISION: &[&str] = &["tree", "blob", "resolve", "raw", "commits", "commit"];

/// Where a run is said to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A repository.
    Repository(HubAddress),
    /// A file or a folder of a repository.
    Part {
        /// `owner/name`.
        repository: String,
        /// The revision, and then the path. Only the Hub knows where one ends, because a branch's
        /// name may have slashes.
        segments: Vec<String>,
    },
    /// A file at any server.
    File(Url),
}

impl Place {
    /// Of `owner/name`, `owner/name@revision`, or the address of a model, a branch, a folder or a
    /// file, as a browser shows it or as `resolve` gives it, at the hub at `endpoint`; or of a file
    /// at any other server.
    ///
    /// # Errors
    /// [`HubError::BadPlace`], [`HubError::NoModel`].
    pub fn parse(endpoint: &Url, text: &str) -> Result<Self, HubError> {
        let text = text.trim();
        let bad = || HubError::BadPlace {
            text: text.to_owned(),
        };
        let is_public = endpoint.as_str().trim_end_matches('/') == PUBLIC_ENDPOINT;
        let is_hub = |host: &str| {
            host.eq_ignore_ascii_case(endpoint.host())
                || is_public && PUBLIC_HOSTS.contains(&host.to_ascii_lowercase().as_str())
        };
        let host = text.split('/').next().unwrap_or_default();
        let url = match text.contains("://") {
            true => Url::parse(text).ok_or_else(bad)?,
            false if is_hub(host) => Url::parse(&format!("https://{text}")).ok_or_else(bad)?,
            false => {
                return HubAddress::parse(text)
                    .map(Self::Repository)
                    .map_err(|_| bad());
            }
        };
        let below = url
            .path()
            .strip_prefix(endpoint.path().trim_end_matches('/'));
        match below.filter(|_| is_hub(url.host())) {
            Some(path) => Self::at_hub(path).unwrap_or_else(|| Err(bad())),
            None => Ok(Self::File(url)),
        }
    }

    fn at_hub(path: &str) -> Option<Result<Self, HubError>> {
        let segments = path.split('/').filter(|segment| !segment.is_empty());
        let segments: Vec<String> = segments.map(decoded).collect();
        let (owner, rest) = segments.split_first()?;
        if let Some((_, kind)) = OTHERS.iter().find(|(start, _)| start == owner) {
            return Some(Err(HubError::NoModel { kind }));
        }
        let (name, rest) = rest.split_first()?;
        let repository = format!("{owner}/{name}");
        let address = HubAddress::parse(&repository).ok()?;
        match rest {
            [] => Some(Ok(Self::Repository(address))),
            [word, revision] if BEFORE_REVISION.contains(&word.as_str()) => {
                Some(Ok(Self::Repository(HubAddress {
                    repository,
                    revision: Some(revision.clone()),
                })))
            }
            [word, segments @ ..] if BEFORE_REVISION.contains(&word.as_str()) => {
                Some(Ok(Self::Part {
                    repository,
                    segments: segments.to_vec(),
                }))
            }
            _ => None,
        }
    }
}

impl Hub {
    /// The revision that segments of an address begin with, and the path that follows: the longest
    /// name of a branch or a tag, else the first segment.
    ///
    /// # Errors
    /// [`HubError`], with what to do.
    pub async fn part(
        &self,
        repository: &str,
        segments: &[String],
    ) -> Result<(HubAddress, Option<String>), HubError> {
        let refs = self.refs(repository).await?;
        let is_name = |text: &str| {
            let mut all = refs.branches.iter().chain(&refs.tags);
            all.any(|reference| reference.name == text)
        };
        let lengths = (1..=segments.len()).rev();
        let mut splits = lengths.filter_map(|length| segments.split_at_checked(length));
        let split = splits.find(|(revision, _)| is_name(&revision.join("/")));
        let (revision, path) = split.unwrap_or_else(|| segments.split_at(segments.len().min(1)));
        let address = HubAddress {
            repository: repository.to_owned(),
            revision: Some(revision.join("/")),
        };
        Ok((address, (!path.is_empty()).then(|| path.join("/"))))
    }
}

#[cfg(test)]
mod tests {
    use super::{HubAddress, Place, Url};
    use crate::hub::PUBLIC_ENDPOINT;

    fn parse(text: &str) -> Result<Place, String> {
        let endpoint = Url::parse(PUBLIC_ENDPOINT).unwrap();
        Place::parse(&endpoint, text).map_err(|error| error.to_string())
    }

    fn repository(revision: Option<&str>) -> Result<Place, String> {
        Ok(Place::Repository(HubAddress {
            repository: "a/b".to_owned(),
            revision: revision.map(str::to_owned),
        }))
    }

    fn part(segments: &[&str]) -> Result<Place, String> {
        Ok(Place::Part {
            repository: "a/b".to_owned(),
            segments: segments.iter().map(|it| (*it).to_owned()).collect(),
        })
    }

    #[test]
    fn names_and_addresses_of_repositories() {
        assert_eq!(parse(" a/b "), repository(None));
        assert_eq!(parse("a/b@c/d"), repository(Some("c/d")));
        assert_eq!(parse("https://huggingface.co/a/b"), repository(None));
        assert_eq!(parse("huggingface.co/a/b/"), repository(None));
        assert_eq!(parse("hf.co/a/b?x#y"), repository(None));
        assert_eq!(
            parse("https://huggingface.co/a/b/tree/main"),
            repository(Some("main"))
        );
        assert_eq!(
            parse("https://huggingface.co/a/b/tree/c%2Fd"),
            repository(Some("c/d"))
        );
        assert_eq!(
            parse("https://huggingface.co/a/b/commits/main"),
            repository(Some("main"))
        );
    }

    #[test]
    fn addresses_of_what_is_in_them() {
        assert_eq!(
            parse("https://huggingface.co/a/b/tree/c/d"),
            part(&["c", "d"])
        );
        assert_eq!(
            parse("https://huggingface.co/a/b/blob/main/x.safetensors"),
            part(&["main", "x.safetensors"])
        );
        assert_eq!(
            parse("https://huggingface.co/a/b/resolve/c%2Fd/x/y.pt?download=true"),
            part(&["c/d", "x", "y.pt"])
        );
    }

    #[test]
    fn a_hub_below_a_path() {
        let endpoint = Url::parse("http://host:1234/hub/").unwrap();
        let place = Place::parse(&endpoint, "http://host:1234/hub/a/b").ok();
        assert_eq!(place, repository(None).ok());
        let elsewhere = Place::parse(&endpoint, "http://host:1234/a/b").ok();
        assert!(matches!(elsewhere, Some(Place::File(_))), "{elsewhere:?}");
    }

    #[test]
    fn files_elsewhere() {
        let address = "https://host/a/model.safetensors?signature=1";
        assert_eq!(
            parse(address),
            Ok(Place::File(Url::parse(address).unwrap()))
        );
    }

    #[test]
    fn what_is_none_of_these() {
        for bad in ["", "a", "a/b/c", "ftp://host/a", "https://huggingface.co/a"] {
            let error = parse(bad).unwrap_err();
            assert!(error.contains("OWNER/NAME"), "{error}");
        }
        let error = parse("https://huggingface.co/datasets/a/b").unwrap_err();
        assert!(error.contains("a dataset"), "{error}");
    }
}
