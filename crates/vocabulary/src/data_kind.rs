//! What a tensor is of.

use serde::{Deserialize, Serialize};

crate::words! {
    /// What a tensor is of.
    #[derive(
        Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
    )]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
    #[serde(rename_all = "snake_case")]
    pub enum DataKind {
        /// Parameters, `[out, in]`.
        #[default]
        Weights = "weights",
        /// Gradients of the loss, shaped as the weights.
        Gradients = "gradients",
        /// Outputs of a module, `[samples, features]`: one row per sample.
        Activations = "activations",
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
