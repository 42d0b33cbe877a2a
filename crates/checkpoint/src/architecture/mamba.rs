//! Models of state spaces: no attention.

use super::Architecture;

/// Mamba and RWKV.
pub(super) const MAMBA: Architecture = Architecture {
    name: "Mamba",
    model_types: &["mamba", "mamba2", "falcon_mamba", "rwkv", "xlstm"],
    embedding: &["embeddings"],
    ..Architecture::EMPTY
};
