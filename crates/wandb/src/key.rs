//! The API key.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// An API key. It shows itself nowhere: not in logs, not in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

/// A text that is no key. It is not told what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It is empty or has characters that no key has.
    #[error("the API key is empty or has characters that no key has")]
    Malformed,
}

impl Key {
    /// A key; spaces and line ends around it are left out.
    ///
    /// # Errors
    /// [`KeyError::Malformed`].
    pub fn new(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let is_key = !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic());
        is_key
            .then(|| Self(text.to_owned()))
            .ok_or(KeyError::Malformed)
    }

    /// The value of `Authorization`: user `api`, the key as the password.
    pub(crate) fn authorization(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("api:{}", self.0)))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(hidden)")
    }
}
