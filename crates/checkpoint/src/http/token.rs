//! A secret that is sent to one origin and shown nowhere.

use std::fmt;

/// An access token of the Hub. It never appears in a message.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A token as its owner has it; none of a text without one.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_sendable = text.chars().all(|character| character.is_ascii_graphic());
        (!text.is_empty() && is_sendable).then(|| Self(text.to_owned()))
    }

    pub(crate) fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}
