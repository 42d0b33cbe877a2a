//! Which data activations and gradients were made with.

use serde::{Deserialize, Serialize};

crate::words! {
    /// Which data the activations and gradients were made with.
    #[derive(
        Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
    )]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
    #[serde(rename_all = "snake_case")]
    pub enum Split {
        /// Training data.
        #[default]
        Train = "train",
        /// Validation data.
        Val = "val",
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
