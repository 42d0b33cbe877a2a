//! Why a number does not exist, or what to know of one that does.

use serde::{Deserialize, Serialize};

use crate::Text;

/// Why a number does not exist, or what to know of one that does: a word for programs and a
/// sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Status {
    /// For programs: `rank_deficient`. Of files of version 1, which had none, `unspecified`.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub code: Text,
    /// For people: `rank 3 of 8`.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub text: Text,
}

impl Status {
    /// The code of a status that came without one.
    pub const UNSPECIFIED: &str = "unspecified";

    /// With a code and a text.
    #[must_use]
    pub fn new(code: &str, text: &str) -> Self {
        Self {
            code: code.into(),
            text: text.into(),
        }
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}
