//! What a tensor is of.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::UnknownWord;

/// What a tensor is of.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DataKind {
    /// Parameters, `[out, in]`.
    #[default]
    Weights,
    /// Gradients of the loss, shaped as the weights.
    Gradients,
    /// Outputs of a module, `[samples, features]`: one row per sample.
    Activations,
}

impl DataKind {
    /// Every one, in the order in which menus show them.
    pub const ALL: &[Self] = &[Self::Weights, Self::Gradients, Self::Activations];

    /// As configs, keys and file names spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Weights => "weights",
            Self::Gradients => "gradients",
            Self::Activations => "activations",
        }
    }
}

impl fmt::Display for DataKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for DataKind {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let found = Self::ALL.iter().find(|kind| kind.name() == text);
        found.copied().ok_or_else(|| UnknownWord {
            found: text.to_owned(),
            known: &["weights", "gradients", "activations"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::DataKind;

    #[test]
    fn every_kind_is_read_as_it_is_written() {
        for kind in DataKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(*kind));
        }
        let refused = "biases".parse::<DataKind>().unwrap_err();
        let known = refused.known.iter().map(|word| word.parse());
        assert!(known.eq(DataKind::ALL.iter().map(|kind| Ok(*kind))));
    }
}
