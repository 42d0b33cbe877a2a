//! Names of repositories, and addresses of what is in them.

use super::error::HubError;

/// The public hub.
pub const PUBLIC_ENDPOINT: &str = "https://huggingface.co";

/// A model repository, and a revision of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubAddress {
    /// `owner/name`.
    pub repository: String,
    /// A branch, a tag, a commit, or a pattern of names.
    pub revision: Option<String>,
}

impl HubAddress {
    /// Of `owner/name` or `owner/name@revision`.
    ///
    /// # Errors
    /// [`HubError::BadName`].
    pub fn parse(text: &str) -> Result<Self, HubError> {
        let (repository, revision) = match text.split_once('@') {
            Some((repository, revision)) => (repository, Some(revision)),
            None => (text, None),
        };
        let is_repository = repository
            .split_once('/')
            .is_some_and(|(owner, name)| is_name(owner) && is_name(name));
        if !is_repository || revision == Some("") {
            return Err(HubError::BadName {
                name: text.to_owned(),
            });
        }
        Ok(Self {
            repository: repository.to_owned(),
            revision: revision.map(str::to_owned),
        })
    }
}

/// As the Hub allows names.
fn is_name(text: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    starts_well && text.len() <= 96 && text.chars().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::HubAddress;

    fn parse(text: &str) -> Option<(String, Option<String>)> {
        let address = HubAddress::parse(text).ok()?;
        Some((address.repository, address.revision))
    }

    #[test]
    fn names() {
        let of = |name: &str, revision: Option<&str>| {
            Some((name.to_owned(), revision.map(str::to_owned)))
        };
        assert_eq!(parse("a/b"), of("a/b", None));
        assert_eq!(parse("a/b.c@d/e"), of("a/b.c", Some("d/e")));
        for bad in [
            "a", "a/b/c", "/b", "a/", "../b", "a/b@", "a b/c", "~/b", "./b",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
