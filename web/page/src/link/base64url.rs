//! Bytes as characters that addresses may hold (RFC 4648, section 5, without padding).

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::{DecodeError, Engine};

use super::error::LinkError;

/// Four characters for three bytes.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes again.
///
/// # Errors
/// [`LinkError::Character`] and [`LinkError::CutOff`].
pub fn decode(text: &str) -> Result<Vec<u8>, LinkError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|error| match error {
        DecodeError::InvalidByte(at, _) => {
            let character = text.get(at..).and_then(|rest| rest.chars().next());
            character.map_or(LinkError::CutOff, |character| LinkError::Character {
                character,
            })
        }
        // A character that begins a byte and does not end it, or bits beyond the last byte.
        DecodeError::InvalidLength(_)
        | DecodeError::InvalidLastSymbol(..)
        | DecodeError::InvalidPadding => LinkError::CutOff,
    })
}
