//! Zamba: state spaces, between which the same attention stands again and again.

use super::Architecture;

/// Zamba 1 and 2.
pub(super) const ZAMBA: Architecture = Architecture {
    name: "Zamba",
    model_types: &["zamba", "zamba2"],
    no_circuits: Some(
        "layers share one attention, which reads the stream and the embedding side by side",
    ),
    ..Architecture::EMPTY
};
