//! Which data activations and gradients were made with.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::UnknownWord;

/// Which data the activations and gradients were made with.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Training data.
    #[default]
    Train,
    /// Validation data.
    Val,
}

impl Split {
    /// Every one, in the order in which menus show them.
    pub const ALL: &[Self] = &[Self::Train, Self::Val];

    /// As configs, keys and file names spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Split {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let found = Self::ALL.iter().find(|split| split.name() == text);
        found.copied().ok_or_else(|| UnknownWord {
            found: text.to_owned(),
            known: &["train", "val"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Split;

    #[test]
    fn every_split_is_read_as_it_is_written() {
        for split in Split::ALL {
            assert_eq!(split.to_string().parse(), Ok(*split));
        }
        let refused = "test".parse::<Split>().unwrap_err();
        let known = refused.known.iter().map(|word| word.parse());
        assert!(known.eq(Split::ALL.iter().map(|split| Ok(*split))));
    }
}
